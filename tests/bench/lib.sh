# shellcheck shell=bash disable=SC2034 # set here and used there
# SPDX-License-Identifier: GPL-2.0
# What the scripts of the benchmark begin with. Sets: $top the source tree, which is the current
# folder then, $O the build folder, $pf and $remap the programs, $tmp a folder removed at the end.
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cd "$top" || exit 1
# shellcheck source=tests/bench/rows.sh
. tests/bench/rows.sh
O=${O:-build}
pf=$O/ptrace-pf
remap=$O/ptremap
tmp=$(mktemp -d "${TMPDIR:-/tmp}/bench.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C

# events_of RECORDING
events_of()
{
	"$pf" report --json -i "$1" | sed -n 's/.*"events": *\([0-9]*\).*/\1/p' | head -n 1
}
