// SPDX-License-Identifier: GPL-2.0
#include "user/base/units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS (1000 * NS_PER_US)
#define NS_PER_S  (1000 * NS_PER_MS)

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

/* The digits at the start of @s; *@end is behind the last. -EINVAL without one or on overflow. */
static int scan_base(const char *s, unsigned int base, uint64_t *value, const char **end)
{
	const char *p = s;

	*value = 0;
	for (; digit_value(*p) < base; p++)
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit_value(*p), value))
			return -EINVAL;
	*end = p;
	return p == s ? -EINVAL : 0;
}

static int scan_u64(const char *s, uint64_t *value, const char **end)
{
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return scan_base(s + 2, 16, value, end);
	return scan_base(s, 10, value, end);
}

int units_parse_u64(const char *s, uint64_t *value)
{
	const char *end;
	uint64_t v;

	if (scan_u64(s, &v, &end) || *end)
		return -EINVAL;
	*value = v;
	return 0;
}

int units_parse_size(const char *s, uint64_t *bytes)
{
	static const char prefixes[] = "KMGT";
	const char *end, *prefix;
	uint64_t v, factor = 1;

	if (scan_u64(s, &v, &end))
		return -EINVAL;
	prefix = *end ? strchr(prefixes, toupper((unsigned char)*end)) : NULL;
	if (prefix) {
		factor <<= 10 * (prefix - prefixes + 1);
		end++;
	}
	if (*end && strcasecmp(end, "B") && (!prefix || strcasecmp(end, "iB")))
		return -EINVAL;
	if (__builtin_mul_overflow(v, factor, &v))
		return -EINVAL;
	*bytes = v;
	return 0;
}

/* ns of one unit, 0: not a unit. */
static uint64_t time_unit(const char *name)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", 1 },	     { "ns", 1 },	{ "us", NS_PER_US },
		{ "ms", NS_PER_MS }, { "s", NS_PER_S }, { "m", 60 * NS_PER_S },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(name, units[i].name))
			return units[i].ns;
	return 0;
}

int units_parse_time(const char *s, uint64_t *ns)
{
	uint64_t unit = time_unit(s + strspn(s, "0123456789."));
	const char *p;
	uint64_t v;

	if (!unit || scan_base(s, 10, &v, &p) || __builtin_mul_overflow(v, unit, &v))
		return -EINVAL;
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return -EINVAL;
		for (; isdigit((unsigned char)*p); p++) {
			unit /= 10;
			if (__builtin_add_overflow(v, digit_value(*p) * unit, &v))
				return -EINVAL;
		}
		if (*p == '.')
			return -EINVAL;
	}
	*ns = v;
	return 0;
}

/* "3" or "3-5" at *@s, which is moved behind it. */
static int scan_range(const char **s, uint64_t *first, uint64_t *last)
{
	if (scan_base(*s, 10, first, s))
		return -EINVAL;
	*last = *first;
	if (**s != '-')
		return 0;
	if (scan_base(*s + 1, 10, last, s) || *last < *first)
		return -EINVAL;
	return 0;
}

int units_parse_list(const char *s, uint64_t *bitmap, unsigned int nbits)
{
	uint64_t first, last;

	memset(bitmap, 0, (nbits + 63) / 64 * sizeof(*bitmap));
	for (;; s++) {
		if (scan_range(&s, &first, &last) || (*s && *s != ','))
			return -EINVAL;
		if (last >= nbits)
			return -ERANGE;
		for (; first <= last; first++)
			bitmap[first / 64] |= UINT64_C(1) << (first % 64);
		if (!*s)
			return 0;
	}
}

/* Three digits: the limits are where "%.Nf" would round up to a fourth. */
char *units_time(char *buf, uint64_t ns)
{
	static const char *const names[] = { "ns", "us", "ms", "s" };
	double v = (double)ns;
	size_t unit = 0;
	int decimals = 0;

	while (v >= 999.5 && unit < ARRAY_SIZE(names) - 1) {
		v /= 1000;
		unit++;
	}
	if (unit && v < 99.95)
		decimals = v < 9.995 ? 2 : 1;
	snprintf(buf, UNITS_LEN, "%.*f%s", decimals, v, names[unit]);
	return buf;
}

char *units_size(char *buf, uint64_t bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes;
	size_t unit = 0;

	while (v >= (unit ? 1023.95 : 1024)) {
		v /= 1024;
		unit++;
	}
	snprintf(buf, UNITS_LEN, "%.*f %s", unit ? 1 : 0, v, names[unit]);
	return buf;
}

char *units_count(char *buf, uint64_t n)
{
	char digits[UNITS_LEN];
	int i, len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *p = buf;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = 0;
	return buf;
}
