// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/unit/record_files.h"
#include "user/cmd/linux_opt.h"
#include "user/pt/pt_linux.h"

TestSuite(linux_opt, .init = enter, .fini = leave);

Test(linux_opt, versions)
{
	static const struct {
		const char *arg;
		uint32_t version;
	} cases[] = {
		{ "6.1", PT_LINUX_VERSION(6, 1) },
		{ "6.1.0-56-cloud-amd64", PT_LINUX_VERSION(6, 1) },
		{ "6.12.117+deb12-amd64", PT_LINUX_VERSION(6, 12) },
		{ "6.12.9+bpo-cloud-amd64", PT_LINUX_VERSION(6, 12) },
		{ "6.11+unreleased-amd64", PT_LINUX_VERSION(6, 11) },
		{ "6.6.51+rpt-rpi-v8", PT_LINUX_VERSION(6, 6) },
		{ "6.5.6-300.fc39.x86_64+debug", PT_LINUX_VERSION(6, 5) },
		{ "6.9.0-rc3+", PT_LINUX_VERSION(6, 9) },
		{ "6.1+device-private", PT_LINUX_VERSION(6, 1) | PT_LINUX_DEVICE_PRIVATE },
		{ "6.12.117+deb12-amd64+device-private",
		  PT_LINUX_VERSION(6, 12) | PT_LINUX_DEVICE_PRIVATE },
	};
	uint32_t version;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(linux_opt_version(&version, cases[i].arg), 0, "%s", cases[i].arg);
		cr_expect_eq(version, cases[i].version, "%s", cases[i].arg);
	}
}

Test(linux_opt, wrong_words)
{
	static const struct {
		const char *arg, *words;
	} cases[] = {
		{ "6.1+device_private", "+device_private is not known, +device-private is" },
		{ "6.1+device-private2", "+device-private2 is not known" },
		{ "6.1+device", "+device is not known" },
		{ "6.12.117+deb12-amd64+device", "+device is not known" },
		{ "6.1+x", "+x is not known" },
		{ "new", "is not a version like 6.1" },
		{ "6", "is not a version like 6.1" },
		{ "6.1-1234567890123456789012345678901234567890123456789012345678901234567890",
		  "is not a version like 6.1" },
	};
	uint32_t version;
	size_t i;

	capture_stderr();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(linux_opt_version(&version, cases[i].arg), -EINVAL, "%s",
			     cases[i].arg);
		check_message(cases[i].words);
	}
}
