#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The walk before each fault stops at the level that was missing. (The raw tracepoint, all that
# this machine's own kernel may have, sees neither the end of a fault nor get_user_pages; the
# rest of the zoo's knowledge is compared in lab_kernels.sh.)
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/recording.sh
. "$top/tests/lib/recording.sh"
# shellcheck source=tests/lib/zoo.sh
. "$top/tests/lib/zoo.sh"

"$pf" record -q --hook rawtp -o "$work/events.ptd" -- \
	"$bin/tests/zoo" -d "$work" "$work/oracle" 100000 >"$work/zoo.json"
grep -qw la57 /proc/cpuinfo && echo 5 >"$work/levels" || echo 4 >"$work/levels"
zoo_events "$work" zoo
check_stops zoo "$work" "user kernel"
finish
