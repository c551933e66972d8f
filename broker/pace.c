/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/pace.h"

#include "broker/bus.h"

#define ADDRESS_FIRST 0x03 /* where drivers can be */
#define ADDRESS_LAST 0x77

static int64_t clamp(int64_t credit)
{
	if (credit > PACE_CREDIT_USEC)
		return PACE_CREDIT_USEC;
	return credit < -PACE_CREDIT_USEC ? -PACE_CREDIT_USEC : credit;
}

void pace_used(struct pace *pace, uint64_t began_usec, uint64_t ended_usec)
{
	pace->credit_usec = clamp(pace->credit_usec + (int64_t)(began_usec - pace->ended_usec));
	pace->credit_usec = clamp(pace->credit_usec - (int64_t)(ended_usec - began_usec) / 2);
	pace->ended_usec = ended_usec;
}

static bool is_shared(struct bus *bus)
{
	for (uint8_t address = ADDRESS_FIRST; address <= ADDRESS_LAST; address++) {
		bool owned;

		if (bus_owner(bus, address, &owned) == 0 && owned)
			return true;
	}
	return false;
}

int pace_owed_ms(struct pace *pace, struct bus *bus)
{
	if (pace->credit_usec > -1000)
		return 0;
	if (pace->ended_usec - pace->looked_usec > PACE_LOOK_USEC || !pace->looked_usec) {
		pace->shared = is_shared(bus);
		pace->looked_usec = pace->ended_usec;
	}
	if (!pace->shared) {
		pace->credit_usec = 0; /* owed to nobody */
		return 0;
	}
	return (int)(-pace->credit_usec / 1000);
}
