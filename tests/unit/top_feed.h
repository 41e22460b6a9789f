/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the live view share: a model with names, and events to feed it. */
#ifndef TESTS_TOP_FEED_H
#define TESTS_TOP_FEED_H

#include <criterion/criterion.h>

#include <string.h>

#include "user/report/top_model.h"
#include "user/trace/names.h"

#define TOP_SECOND 1000000000ull

struct top_fixture {
	struct rec_info info;
	struct sink_env env;
	struct top_model *model;
};

static inline void top_comm(struct top_fixture *x, uint32_t pid, const char *comm)
{
	struct ptev_task r = { .hdr = { .size = sizeof(r), .type = PTEV_COMM } };

	r.pid = r.tid = pid;
	strncpy(r.comm, comm, sizeof(r.comm) - 1);
	cr_assert_eq(procs_feed(x->env.procs, &r.hdr), 0);
}

static inline void top_start(struct top_fixture *x, struct top_model_opts opts)
{
	memset(x, 0, sizeof(*x));
	x->info = (struct rec_info){ .levels = 4,
				     .maxphyaddr = 46,
				     .addr_mask = 0x3ffffffff000ull,
				     .hook = HOOK_FENTRY,
				     .kvm = PTEV_WANT_EXIT };
	x->env.info = &x->info;
	x->env.procs = procs_new();
	x->env.symbols = symbols_new("00000000-0000-0000-0000-000000000000");
	top_comm(x, 10, "app");
	top_comm(x, 20, "other");
	x->model = top_model_new(&x->env, &opts);
	cr_assert_not_null(x->model);
}

static inline void top_stop(struct top_fixture *x)
{
	top_model_free(x->model);
	symbols_free(x->env.symbols);
	procs_free(x->env.procs);
}

/* A fault of @pid at @address; @latency 0: its end was not seen. */
static inline void top_fault(struct top_fixture *x, uint32_t pid, uint64_t address,
			     uint64_t latency)
{
	struct ptev_fault f = { .hdr = { .size = PTEV_FAULT_FULL, .type = PTEV_FAULT },
				.time = 1000,
				.address = address,
				.pid = pid,
				.tid = pid,
				.flags = latency ? PTEV_F_EXIT : 0,
				.outcome = latency ? PTEV_OUT_ANON : PTEV_OUT_UNKNOWN,
				.access = PTEV_WRITE,
				.x.latency = latency };

	cr_assert_eq(x->model->sink.fault(&x->model->sink, &f), 0);
}

/* A violation of vCPU @vcpu of @pid. */
static inline void top_violation(struct top_fixture *x, uint32_t pid, uint32_t vcpu, uint64_t gpa)
{
	struct ptev_violation v = { .exit = { .hdr = { .size = sizeof(v), .type = PTEV_VIOLATION },
					      .reason = PTEV_SVM_NPF,
					      .isa = PTEV_ISA_SVM,
					      .time = 1000,
					      .latency = 5000,
					      .pid = pid,
					      .tid = pid,
					      .vcpu = vcpu,
					      .flags = PTEV_K_LATENCY | PTEV_K_GPA },
				    .gpa = gpa };

	cr_assert_eq(x->model->sink.vmexit(&x->model->sink, &v.exit), 0);
}

static inline void top_call(struct top_fixture *x, uint32_t pid, uint32_t vcpu, uint64_t nr)
{
	struct ptev_hypercall c = { .exit = { .hdr = { .size = sizeof(c), .type = PTEV_HYPERCALL },
					      .reason = PTEV_SVM_VMMCALL,
					      .isa = PTEV_ISA_SVM,
					      .time = 1000,
					      .latency = 700,
					      .pid = pid,
					      .tid = pid,
					      .vcpu = vcpu,
					      .flags = PTEV_K_LATENCY | PTEV_K_ARGS },
				    .rax = nr };

	cr_assert_eq(x->model->sink.vmexit(&x->model->sink, &c.exit), 0);
}

#endif
