// SPDX-License-Identifier: GPL-2.0
#include "user/report/stat_metrics.h"

#include <inttypes.h>
#include <stdio.h>

#include "user/base/openmetrics.h"
#include "user/report/stat_kvm.h"
#include "user/trace/kvm_names.h"
#include "user/trace/names.h"

static void faults_by_error(struct om *om, const struct ptev_stat *s)
{
	unsigned int origin, ec;
	char bits[40];

	om_family(om, "ptrace_pf_faults", OM_COUNTER, NULL,
		  "Page faults, by who took them and the hardware's error code.");
	for (origin = 0; origin < PTEV_NR_ORIGINS; origin++) {
		for (ec = 0; ec < PTEV_STAT_ECS; ec++) {
			const struct om_label labels[] = {
				{ "origin", name_origin(origin) },
				{ "error", name_error_code(bits, ec) },
			};

			if (s->by_ec[origin][ec])
				om_u64(om, labels, 2, s->by_ec[origin][ec]);
		}
	}
}

static void faults_by_outcome(struct om *om, const struct ptev_stat *s)
{
	unsigned int i;

	om_family(om, "ptrace_pf_fault_outcomes", OM_COUNTER, NULL,
		  "Page faults whose end was seen, by how they ended.");
	for (i = 0; i < PTEV_NR_OUTCOMES; i++) {
		const struct om_label label = { "outcome", name_outcome(i) };

		if (s->by_outcome[i])
			om_u64(om, &label, 1, s->by_outcome[i]);
	}
	om_family(om, "ptrace_pf_major_faults", OM_COUNTER, NULL,
		  "Page faults that the kernel counts as major.");
	om_u64(om, NULL, 0, s->major);
	om_family(om, "ptrace_pf_fault_latency_seconds", OM_HISTOGRAM, "seconds",
		  "Time from the exception to the end of the fault.");
	om_histogram(om, NULL, 0, (const uint64_t *)s->latency, s->latency_sum);
}

/* Labels of a row of exits; the texts are in @buf. */
struct exit_labels {
	struct om_label labels[3];
	unsigned int n;
	char vm[16], vcpu[16], reason[40];
};

static void label_exit(struct exit_labels *l, const struct stat_metrics *m,
		       const struct ptev_kvm_key *key)
{
	l->n = 0;
	snprintf(l->vm, sizeof(l->vm), "%" PRIu32, key->pid);
	l->labels[l->n++] = (struct om_label){ "vm", l->vm };
	snprintf(l->vcpu, sizeof(l->vcpu), "%" PRIu32, key->vcpu);
	if (m->per_vcpu)
		l->labels[l->n++] = (struct om_label){ "vcpu", l->vcpu };
	l->labels[l->n++] =
		(struct om_label){ "reason", name_exit_reason(l->reason, key->isa, key->reason) };
}

static void exits(struct om *om, const struct stat_metrics *m)
{
	size_t i, n = stat_kvm_rows(m->exits, m->nr_exits, m->per_vcpu);
	struct exit_labels l;

	om_family(om, "ptrace_pf_vm_exits", OM_COUNTER, NULL,
		  "Exits of virtual machines, by the VMM's process and why the guest was left.");
	for (i = 0; i < n; i++) {
		label_exit(&l, m, &m->exits[i].key);
		om_u64(om, l.labels, l.n, m->exits[i].stat.count);
	}
	om_family(om, "ptrace_pf_vm_exit_latency_seconds", OM_HISTOGRAM, "seconds",
		  "Time from an exit to the next entry, in the VMM and halted included.");
	for (i = 0; i < n; i++) {
		label_exit(&l, m, &m->exits[i].key);
		om_histogram(om, l.labels, l.n, (const uint64_t *)m->exits[i].stat.latency,
			     m->exits[i].stat.sum);
	}
}

static void remaps(struct om *om, const uint64_t *counts)
{
	unsigned int event;

	om_family(om, "ptrace_pf_remaps", OM_COUNTER, NULL,
		  "Changes of page tables by ptremap, and their ends.");
	for (event = 0; event < PTEV_NR_REMAPS; event++) {
		const struct om_label label = { "event", name_remap(event) };

		om_u64(om, &label, 1, counts[event]);
	}
}

static void losses(struct om *om, const struct rec_totals *t)
{
	unsigned int i;

	om_family(om, "ptrace_pf_events_lost", OM_COUNTER, NULL,
		  "Events that are in no other number, by cause.");
	for (i = 0; i < PTEV_NR_LOST; i++) {
		const struct om_label label = { "cause", name_lost(i) };

		om_u64(om, &label, 1, t->lost[i]);
	}
	om_family(om, "ptrace_pf_events_filtered", OM_COUNTER, NULL,
		  "Events that an outcome or latency filter kept out.");
	om_u64(om, NULL, 0, t->filtered);
	om_family(om, "ptrace_pf_program_runs_missed", OM_COUNTER, NULL,
		  "Runs of BPF programs that the kernel skipped, of any process.");
	om_u64(om, NULL, 0, t->missed_runs);
	om_family(om, "ptrace_pf_lost_children", OM_COUNTER, NULL,
		  "Children of targets that could not be followed.");
	om_u64(om, NULL, 0, t->lost_children);
}

void stat_metrics_print(FILE *out, const struct stat_metrics *m)
{
	const struct om_label about[] = { { "version", PTSCOPE_VERSION }, { "hook", m->hook } };
	struct om om = { .out = out };

	om_family(&om, "ptrace_pf", OM_INFO, NULL, "What counts.");
	om_u64(&om, about, 2, 1);
	om_family(&om, "ptrace_pf_counted_seconds", OM_COUNTER, "seconds",
		  "How long these numbers have been counted.");
	om_seconds(&om, NULL, 0, m->duration);
	if (m->faults) {
		faults_by_error(&om, m->faults);
		faults_by_outcome(&om, m->faults);
	}
	if (m->exits_counted)
		exits(&om, m);
	if (m->remaps)
		remaps(&om, m->remaps);
	losses(&om, m->totals);
	om_end(&om);
}
