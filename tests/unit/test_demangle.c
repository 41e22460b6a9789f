// SPDX-License-Identifier: GPL-2.0
/* Names as c++filt, rustfilt and the compilers' own documents have them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/sym/demangle.h"

static void expect(const char *linked, const char *source)
{
	char *name = demangle(linked);

	cr_expect(name && !strcmp(name, source), "%s: %s, not %s", linked, name ?: "as it is",
		  source);
	free(name);
}

Test(demangle, cpp)
{
	expect("_Z3fooi", "foo");
	expect("_ZN2ns3BoxIcE4fillEPcl", "ns::Box<char>::fill");
	expect("_ZNSt6vectorIiSaIiEE9push_backERKi",
	       "std::vector<int, std::allocator<int> >::push_back");
	expect("_ZNKSt8functionIFvvEEclEv", "std::function<void ()>::operator()");
	expect("_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()");
}

/* The Rust reference, "Symbol mangling", and rustc's older scheme with its hash. */
Test(demangle, rust)
{
	expect("_ZN4core3fmt9Formatter3pad17h1234567890abcdefE", "core::fmt::Formatter::pad");
	expect("_RNvCs1234_7mycrate3foo", "mycrate::foo");
	expect("_RNvMs_NtCsaHoRtQRVS6G_4core3fmtNtB4_9Formatter3pad",
	       "<core::fmt::Formatter>::pad");
}

Test(demangle, what_is_not_mangled_stays)
{
	static const char *const names[] = { "",	 "main",   "_start", "_Z",	  "_R",
					     "_Zfoo",	 "_Rfoo",  "__ZN",   "AddressOf", "_D3foo",
					     "_ZN4core", "Z3fooi", "_RNvC",  "_ZNSt" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_expect_null(demangle(names[i]), "%s", names[i]);
}

/* Names that nest without end, and such that are longer than any program's. */
Test(demangle, hostile_names)
{
	size_t size = 1 << 20, i;
	char *name = malloc(size + 1);

	cr_assert_not_null(name);
	for (i = 0; i < size; i++)
		name[i] = "_ZN"[i < 2 ? i : 2];
	name[size] = '\0';
	cr_expect_null(demangle(name));
	memset(name + 2, 'P', 8000);
	name[8000] = '\0';
	free(demangle(name));
	memset(name + 2, 'I', 8000);
	free(demangle(name));
	free(name);
}

/* f<A<int, int>, A<S, S>, ...>, where each S is the one before. */
static char *doubled(unsigned int levels)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char *name = NULL;
	size_t size;
	FILE *out = open_memstream(&name, &size);
	unsigned int i;

	cr_assert(out && levels < sizeof(digits) - 2);
	fputs("_Z1fI1AIiiE", out);
	for (i = 1; i <= levels; i++)
		fprintf(out, "S0_IS%c_S%c_E", digits[i], digits[i]);
	fputs("Evv", out);
	cr_assert_eq(fclose(out), 0);
	return name;
}

Test(demangle, names_that_double)
{
	char *few = doubled(3), *many = doubled(33), *text = demangle(few);

	cr_expect_str_eq(text,
			 "f<A<int, int>, A<A<int, int>, A<int, int> >, "
			 "A<A<A<int, int>, A<int, int> >, A<A<int, int>, A<int, int> > >, "
			 "A<A<A<A<int, int>, A<int, int> >, A<A<int, int>, A<int, int> > >, "
			 "A<A<A<int, int>, A<int, int> >, A<A<int, int>, A<int, int> > > > >");
	cr_expect_null(demangle(many), "4 GiB of text");
	free(text);
	free(few);
	free(many);
}
