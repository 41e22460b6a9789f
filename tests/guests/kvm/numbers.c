// SPDX-License-Identifier: GPL-2.0
#include "tests/guests/kvm/vmm.h"

static u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

u64 number(u64 seed, u64 i, unsigned int k)
{
	return mix(seed + (16 * i + k + 1) * 0x9e3779b97f4a7c15ULL);
}

u64 pattern(u64 seed, u64 gpa)
{
	return mix(seed ^ gpa);
}
