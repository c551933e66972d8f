/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <time.h>

#include "ctl/ctl.h"
#include "ctl/quarantine.h"

static bool has_chip(const struct rgbroker_status *status, unsigned address)
{
	return status->quarantined[address / 8] >> address % 8 & 1;
}

static bool any_chip(const struct rgbroker_status *status)
{
	for (unsigned address = 0; address < 8 * sizeof(status->quarantined); address++)
		if (has_chip(status, address))
			return true;
	return false;
}

bool quarantine_is_on(const struct rgbroker_status *status)
{
	return status->quarantine_since || any_chip(status);
}

/* From one moment to another, both CLOCK_MONOTONIC in microseconds; not below 0. */
static double seconds_between(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) / 1e6 : 0;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

void quarantine_print(const struct rgbroker_status *status)
{
	if (status->quarantine_since)
		printf("  in quarantine for %.1f s, as it times out: the next transfer is tried in "
		       "%.1f s\n",
			seconds_between(status->quarantine_since, now()),
			seconds_between(now(), status->quarantine_until));
	if (any_chip(status)) {
		printf("  in quarantine, as they time out:");
		for (unsigned address = 0; address < 8 * sizeof(status->quarantined); address++)
			if (has_chip(status, address))
				printf(" 0x%02x", address);
		printf("\n");
	}
	if (status->quarantines)
		printf("  quarantines: %llu so far; %llu transfers answered with ETIMEDOUT, "
		       "untried\n",
			(unsigned long long)status->quarantines,
			(unsigned long long)status->spared);
}

json_object *quarantine_json(const struct rgbroker_status *status)
{
	json_object *object = json_object_new_object();
	json_object *chips = json_object_new_array();
	bool bus = status->quarantine_since;

	for (unsigned address = 0; address < 8 * sizeof(status->quarantined); address++) {
		char text[8];

		snprintf(text, sizeof(text), "0x%02x", address);
		if (has_chip(status, address))
			json_object_array_add(chips, json_object_new_string(text));
	}
	json_object_object_add(object, "bus", json_object_new_boolean(bus));
	if (bus) {
		json_object_object_add(object, "seconds",
			json_object_new_double(seconds_between(status->quarantine_since, now())));
		json_object_object_add(object, "next_try",
			json_object_new_double(seconds_between(now(), status->quarantine_until)));
	}
	json_object_object_add(object, "chips", chips);
	add_number(object, "times", status->quarantines);
	add_number(object, "untried", status->spared);
	return object;
}
