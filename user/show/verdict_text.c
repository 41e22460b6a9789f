// SPDX-License-Identifier: GPL-2.0
/* What would become of an access. */
#include "user/show/chain_text.h"

#include "user/pt/pt_entry.h"
#include "user/show/words.h"

static const char *const verdict_names[] = {
	[PT_ALLOWED] = "allowed",     [PT_FAULT] = "fault",	    [PT_GP] = "gp",
	[PT_VIOLATION] = "violation", [PT_MISCONFIG] = "misconfig", [PT_UNKNOWN] = "unknown",
};

static void put_access(struct line *l, unsigned int access)
{
	if (access & PT_ACC_WRITE)
		line_str(l, "write");
	else
		line_str(l, access & PT_ACC_EXEC ? "exec" : "read");
	line_str(l, access & PT_ACC_USER ? ", user" : ", supervisor");
	if (access & PT_ACC_IMPLICIT)
		line_str(l, ", implicit");
	if (access & PT_ACC_SHSTK)
		line_str(l, ", shadow stack");
}

static void put_fault(struct line *l, const struct chain_verdict *v)
{
	char bits[80];

	line_str(l, v->fmt->feat.npt ? "#NPF, EXITINFO1 " : "#PF, error code ");
	line_0x(l, v->check.error_code);
	line_str(l, " (");
	line_str(l, pt_error_code_text(bits, sizeof(bits), v->check.error_code));
	line_char(l, ')');
}

static void put_verdict(struct line *l, const struct chain_verdict *v)
{
	switch (v->check.verdict) {
	case PT_ALLOWED:
		line_str(l, "allowed");
		break;
	case PT_FAULT:
		put_fault(l, v);
		break;
	case PT_GP:
		line_str(l, "#GP");
		break;
	case PT_VIOLATION:
		line_str(l, "EPT violation, qualification ");
		line_0x(l, v->check.qualification);
		break;
	case PT_MISCONFIG:
		line_str(l, "EPT misconfiguration");
		break;
	default:
		line_str(l, "cannot be told: memory unreadable");
	}
}

void verdict_text(struct line *l, const struct chain_verdict *v, unsigned int access)
{
	line_str(l, "  ");
	put_access(l, access);
	line_str(l, ": ");
	put_verdict(l, v);
	if (v->check.rule != PT_RULE_NONE) {
		line_str(l, ": ");
		line_str(l, pt_rule_name(v->check.rule));
	}
	if (v->check.verdict != PT_ALLOWED && v->check.level) {
		line_str(l, ", at ");
		line_str(l, entry_prefix(v->fmt));
		line_str(l, pt_level_name(v->fmt, v->check.level));
	}
	if (v->where == CHAIN_TABLE)
		line_str(l, ", on the way to an entry of the guest");
	line_char(l, '\n');
}

void verdict_json(struct json *j, const struct chain_verdict *v, unsigned int access)
{
	static const char *const where_names[] = {
		[CHAIN_SPACE] = "space", [CHAIN_TABLE] = "table", [CHAIN_PAGE] = "page"
	};
	const struct pt_check *c = &v->check;
	bool denied = c->verdict != PT_ALLOWED;
	char bits[80];

	json_object(j, "access");
	json_bool(j, "write", access & PT_ACC_WRITE);
	json_bool(j, "exec", access & PT_ACC_EXEC);
	json_bool(j, "user", access & PT_ACC_USER);
	json_bool(j, "implicit", access & PT_ACC_IMPLICIT);
	json_bool(j, "shstk", access & PT_ACC_SHSTK);
	json_str(j, "verdict", verdict_names[c->verdict]);
	json_str(j, "rule", c->rule != PT_RULE_NONE ? pt_rule_name(c->rule) : NULL);
	json_str(j, "where", denied ? where_names[v->where] : NULL);
	json_str(j, "level", denied && c->level ? pt_level_name(v->fmt, c->level) : NULL);
	if (c->verdict == PT_FAULT)
		json_hex(j, "error_code", c->error_code);
	else
		json_null(j, "error_code");
	json_str(j, "error_bits",
		 c->verdict == PT_FAULT ? pt_error_code_text(bits, sizeof(bits), c->error_code)
					: NULL);
	if (c->verdict == PT_VIOLATION)
		json_hex(j, "qualification", c->qualification);
	else
		json_null(j, "qualification");
	json_end_object(j);
}
