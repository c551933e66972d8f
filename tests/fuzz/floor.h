/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The addresses that are closed for good, written down once more. */
#pragma once

#include "policy/policy.h"

static inline bool is_within(unsigned address, unsigned first, unsigned last)
{
	return address >= first && address <= last;
}

/* A quick command, or a plain read of nothing: a bit sent. */
static inline bool is_quick(const struct rgbroker_operation *operation)
{
	return operation->kind == RGBROKER_QUICK ||
	       (operation->kind == RGBROKER_I2C && operation->read && operation->length == 0);
}

static inline bool is_closed(enum bus_class class, const struct rgbroker_operation *operation)
{
	unsigned at = operation->address;
	bool sends = !operation->read || is_quick(operation);

	if (at <= 0x07 || at >= 0x78)
		return true;
	if (class != BUS_SMBUS)
		return false;
	if (at == 0x08 || at == 0x0c || is_within(at, 0x30, 0x37))
		return true;
	return sends && (is_within(at, 0x09, 0x0b) || is_within(at, 0x50, 0x57) || at == 0x69);
}
