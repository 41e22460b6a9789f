#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# doctor's answers are those of a session.
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"
# shellcheck source=tests/lib/doctor.sh
. "$top/tests/lib/doctor.sh"

run_doctor "$work/doctor"
check_doctor "this machine" "$work/doctor"
finish
