// SPDX-License-Identifier: GPL-2.0
/* Reports with call chains. What they name is told by KSYM records, so that no file is needed. */
#include <criterion/criterion.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "user/report/call_graph.h"
#include "user/report/sink.h"
#include "user/trace/names.h"

#define NO_SUCH_ID "00000000-0000-0000-0000-000000000000"
#define FUNC(i)	   (0xffffffffc0000000ull + 0x1000ull * (i))

static const char *const functions[] = { "alpha", "beta", "gamma", "delta" };
enum { ALPHA, BETA, GAMMA, DELTA };

static struct rec_info info = { .levels = 4, .hook = HOOK_RAWTP, .stacks = 1 };
static const struct rec_totals totals = { .events = 10 };

struct fixture {
	struct sink_env env;
	struct report_opts opts;
	struct sink *sink;
	char *text;
	size_t len;
};

static void name_functions(struct symbols *s)
{
	union {
		struct ptev_ksym sym;
		char room[sizeof(struct ptev_ksym) + 16];
	} r;
	unsigned int i;

	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		memset(&r, 0, sizeof(r));
		r.sym.hdr.size = sizeof(r);
		r.sym.hdr.type = PTEV_KSYM;
		r.sym.len = 0x1000;
		r.sym.ksym_type = PERF_RECORD_KSYMBOL_TYPE_OOL;
		r.sym.addr = FUNC(i);
		strcpy(r.sym.name, functions[i]);
		cr_assert_eq(symbols_feed(s, &r.sym), 0);
	}
}

static void start(struct fixture *x, struct report_opts opts)
{
	*x = (struct fixture){ .env.info = &info, .opts = opts };
	x->env.procs = procs_new();
	x->env.symbols = symbols_new(NO_SUCH_ID);
	name_functions(x->env.symbols);
	x->opts.out = open_memstream(&x->text, &x->len);
	x->sink = sink_report(&x->env, &x->opts);
	cr_assert_not_null(x->sink);
}

static void stop(struct fixture *x)
{
	x->sink->free(x->sink);
	fclose(x->opts.out);
	free(x->text);
	symbols_free(x->env.symbols);
	procs_free(x->env.procs);
}

/* @times faults with a kernel stack, innermost first, the end of which is -1. */
static void feed(struct fixture *x, int times, const int *stack)
{
	struct {
		struct ptev_fault f;
		uint64_t words[16];
	} r = { .f = { .hdr = { .type = PTEV_FAULT }, .levels = 4, .flags = PTEV_F_STACKS } };
	uint64_t nr;

	for (nr = 0; stack[nr] >= 0; nr++)
		r.words[1 + nr] = FUNC((unsigned int)stack[nr]) + 8;
	r.words[0] = nr;
	r.f.ip = r.words[1];
	r.f.origin = PTEV_KERNEL;
	r.f.hdr.size = (uint16_t)(sizeof(r.f) + (1 + nr) * 8);
	while (times--)
		cr_assert_eq(x->sink->fault(x->sink, &r.f), 0);
}

/* alpha is called by beta (6) and by gamma (3), both by delta; and gamma faults once itself. */
static void feed_ten(struct fixture *x)
{
	feed(x, 6, (int[]){ ALPHA, BETA, DELTA, -1 });
	feed(x, 3, (int[]){ ALPHA, GAMMA, DELTA, -1 });
	feed(x, 1, (int[]){ GAMMA, DELTA, -1 });
}

static void expect(struct report_opts opts, const char *expected)
{
	struct fixture x;
	const char *table;

	start(&x, opts);
	feed_ten(&x);
	cr_assert_eq(x.sink->finish(x.sink, &totals, true), 0);
	table = strstr(x.text, "\n\n");
	cr_assert_not_null(table);
	cr_expect_str_eq(table + 2, expected);
	stop(&x);
}

Test(call_graph, from_callees_to_callers)
{
	expect((struct report_opts){ .sort = "symbol", .calls = { CALL_CALLEE, 0.5, false } },
	       " share  count  symbol\n"
	       "90.00%      9  alpha\n"
	       "10.00%      1  gamma\n"
	       "\n"
	       "#  90.00%  alpha\n"
	       "  90.00%  alpha\n"
	       "  60.00%   beta\n"
	       "  60.00%    delta\n"
	       "  30.00%   gamma\n"
	       "  30.00%    delta\n"
	       "\n"
	       "#  10.00%  gamma\n"
	       "  10.00%  gamma\n"
	       "  10.00%   delta\n");
}

Test(call_graph, from_callers_to_callees)
{
	expect((struct report_opts){ .sort = "origin", .calls = { CALL_CALLER, 0, false } },
	       "  share  count  origin\n"
	       "100.00%     10  kernel\n"
	       "\n"
	       "# 100.00%  kernel\n"
	       " 100.00%  delta\n"
	       "  60.00%   beta\n"
	       "  60.00%    alpha\n"
	       "  40.00%   gamma\n"
	       "  30.00%    alpha\n");
}

Test(call_graph, what_is_small_is_a_sum)
{
	expect((struct report_opts){ .sort = "origin", .calls = { CALL_CALLEE, 50, false } },
	       "  share  count  origin\n"
	       "100.00%     10  kernel\n"
	       "\n"
	       "# 100.00%  kernel\n"
	       "  90.00%  alpha\n"
	       "  60.00%   beta\n"
	       "  60.00%    delta\n"
	       "  30.00%   [1 more]\n"
	       "  10.00%  [1 more]\n");
}

Test(call_graph, callers_count_with_their_callees)
{
	expect((struct report_opts){ .sort = "symbol", .children = true },
	       "children   share  count  symbol\n"
	       " 100.00%   0.00%      0  delta\n"
	       "  90.00%  90.00%      9  alpha\n"
	       "  60.00%   0.00%      0  beta\n"
	       "  40.00%  10.00%      1  gamma\n");
	expect((struct report_opts){ .sort = "symbol,caller", .children = true },
	       "children   share  count  symbol  caller\n"
	       " 100.00%   0.00%      0  delta   [none]\n"
	       "  60.00%  60.00%      6  alpha   beta\n"
	       "  60.00%   0.00%      0  beta    delta\n"
	       "  40.00%  10.00%      1  gamma   delta\n"
	       "  30.00%  30.00%      3  alpha   gamma\n");
	expect((struct report_opts){ .sort = "origin", .children = true },
	       "children    share  count  origin\n"
	       " 100.00%  100.00%     10  kernel\n");
}

Test(call_graph, keys)
{
	expect((struct report_opts){ .sort = "caller" }, " share  count  caller\n"
							 "60.00%      6  beta\n"
							 "30.00%      3  gamma\n"
							 "10.00%      1  delta\n");
	expect((struct report_opts){ .sort = "srcline" }, " share  count  srcline\n"
							  "90.00%      9  alpha+0x8\n"
							  "10.00%      1  gamma+0x8\n");
}

/* A function that calls itself has its events once. */
Test(call_graph, recursion)
{
	struct fixture x;

	start(&x, (struct report_opts){ .sort = "symbol", .children = true });
	feed(&x, 5, (int[]){ ALPHA, ALPHA, BETA, ALPHA, BETA, -1 });
	cr_assert_eq(x.sink->finish(x.sink, &totals, true), 0);
	cr_expect_str_eq(strstr(x.text, "\n\n") + 2, "children    share  count  symbol\n"
						     " 100.00%  100.00%      5  alpha\n"
						     " 100.00%    0.00%      0  beta\n");
	stop(&x);
}

Test(call_graph, json)
{
	struct fixture x;

	start(&x, (struct report_opts){
			  .sort = "symbol", .json = true, .calls = { CALL_CALLER, 20, false } });
	feed_ten(&x);
	cr_assert_eq(x.sink->finish(x.sink, &totals, true), 0);
	cr_expect_not_null(
		strstr(x.text, "\"calls\":[{\"depth\":0,\"function\":\"delta\",\"inlined\":false,"
			       "\"self\":0,\"count\":9,\"share\":0.9},"
			       "{\"depth\":1,\"function\":\"beta\",\"inlined\":false,\"self\":0,"
			       "\"count\":6,\"share\":0.6},"),
		"%s", x.text);
	cr_expect_not_null(strstr(x.text, "{\"depth\":0,\"more\":1,\"count\":1,\"share\":0.1}]"),
			   "%s", x.text);
	stop(&x);
}

Test(call_graph, recordings_without_chains_are_refused)
{
	struct rec_info none = { .levels = 4 };
	struct sink_env env = { .info = &none };
	struct report_opts opts = { .sort = "comm", .children = true };

	cr_expect_null(sink_report(&env, &opts));
	opts = (struct report_opts){ .sort = "comm", .calls.order = CALL_CALLEE };
	cr_expect_null(sink_report(&env, &opts));
}

static void sum_up(void *ctx, const struct call_node *node)
{
	if (!node->depth)
		*(uint64_t *)ctx += node->count;
}

/* Random chains: each event is below exactly one root of its group. */
Test(call_graph, nothing_is_lost)
{
	unsigned int seed = 8, i, j;
	uint64_t added[3] = { 0 }, found;
	struct call_graph g;

	cr_assert_eq(call_graph_init(&g, CALL_CALLEE), 0);
	for (i = 0; i < 20000; i++) {
		struct frame frames[8];
		uint32_t group = (uint32_t)rand_r(&seed) % 3;
		uint32_t nr = 1 + (uint32_t)rand_r(&seed) % 8;

		for (j = 0; j < nr; j++)
			frames[j] = (struct frame){ .name = functions[rand_r(&seed) % 4],
						    .dso = "x",
						    .inlined = rand_r(&seed) % 2 };
		cr_assert_eq(call_graph_add(&g, group, frames, nr), 0);
		added[group]++;
	}
	cr_assert_eq(call_graph_sort(&g, 4), 0);
	for (i = 0; i < 3; i++) {
		found = 0;
		call_graph_each(&g, i, 5, sum_up, &found);
		cr_expect_eq(found, added[i]);
	}
	found = 0;
	call_graph_each(&g, 3, 0, sum_up, &found);
	cr_expect_eq(found, 0);
	call_graph_free(&g);
}
