/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A part of the bus is the kernel's own drivers'. The kernel lets them in between two transfers of
 * ours, which is enough for short ones; beside large ones a thermometer that takes half a
 * millisecond would have a hundredth of its rate (measured). So where the kernel has a driver on
 * the bus, the broker leaves it alone for half the time that it has used it: a reader then has more
 * than a quarter of its rate. What was left alone before counts, up to 0.1 s, so that only who uses
 * the bus without a pause notices.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PACE_CREDIT_USEC 100000 /* for 0.2 s of use; and no debt is larger */
#define PACE_LOOK_USEC 10000000 /* between two looks who shares the bus */

struct bus;

/* Zeroed: nothing used yet. Times are CLOCK_MONOTONIC, in microseconds. */
struct pace {
	uint64_t ended_usec; /* when the last transfer did */
	int64_t credit_usec; /* time left alone and not used up yet; below 0: owed */
	uint64_t looked_usec;
	bool shared; /* a driver of the kernel's has an address, when last looked */
};

/* A transfer has begun and ended. */
void pace_used(struct pace *pace, uint64_t began_usec, uint64_t ended_usec);
/* For how many milliseconds to leave the bus alone now; 0: not at all. Asks the bus who shares it.
 */
int pace_owed_ms(struct pace *pace, struct bus *bus);
