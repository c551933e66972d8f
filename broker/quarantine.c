/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/quarantine.h"

#include <errno.h>
#include <stdio.h>

#include "broker/log.h"

static bool closed(struct quarantine *quarantine, unsigned at, uint64_t now_usec)
{
	struct quarantine_state *state = &quarantine->of[at];

	if (!state->since_usec || state->until_usec <= now_usec)
		return false;
	state->spared++;
	quarantine->spared++;
	return true;
}

int quarantine_answer(struct quarantine *quarantine, const struct rgbroker_operation *operations,
	size_t count, uint64_t now_usec)
{
	if (closed(quarantine, QUARANTINE_BUS, now_usec))
		return -ETIMEDOUT;
	for (size_t i = 0; i < count; i++)
		if (closed(quarantine, operations[i].address, now_usec))
			return -ETIMEDOUT;
	return 0;
}

/* "i2c-4", or "i2c-4, chip 0x40" */
static const char *name_of(
	const struct quarantine *quarantine, unsigned at, char *buffer, size_t size)
{
	if (at == QUARANTINE_BUS)
		snprintf(buffer, size, "i2c-%u", quarantine->number);
	else
		snprintf(buffer, size, "i2c-%u, chip 0x%02x", quarantine->number, at);
	return buffer;
}

/* NULL for all of the bus */
static const char *address_field(unsigned at, char *buffer, size_t size)
{
	if (at == QUARANTINE_BUS)
		return NULL;
	snprintf(buffer, size, "RGBROKER_ADDRESS=0x%02x", at);
	return buffer;
}

static void begin(struct quarantine *quarantine, unsigned at)
{
	char name[40], address[40];
	const char *fields[] = {
		LOG_ID_QUARANTINE_BEGINS, address_field(at, address, sizeof(address)), NULL};

	quarantine->active++;
	quarantine->begun++;
	log_line(LOG_WARNING, fields,
		"%s: %u time-outs in a row: in quarantine. Transfers are answered with ETIMEDOUT "
		"at "
		"once; one is let through after 1 s, then 2 s, up to %u s",
		name_of(quarantine, at, name, sizeof(name)), QUARANTINE_TIMEOUTS,
		(unsigned)(QUARANTINE_PAUSE_MAX_USEC / 1000000));
}

static void end(struct quarantine *quarantine, unsigned at, uint64_t now_usec)
{
	struct quarantine_state *state = &quarantine->of[at];
	char name[40], address[40];
	const char *fields[] = {
		LOG_ID_QUARANTINE_ENDS, address_field(at, address, sizeof(address)), NULL};

	if (state->since_usec) {
		quarantine->active--;
		log_line(LOG_NOTICE, fields,
			"%s: answers again after %.1f s in quarantine; %llu transfers were not "
			"tried meanwhile",
			name_of(quarantine, at, name, sizeof(name)),
			(double)(now_usec - state->since_usec) / 1e6,
			(unsigned long long)state->spared);
	}
	*state = (struct quarantine_state){0};
}

static void timed_out(struct quarantine *quarantine, unsigned at, uint64_t now_usec)
{
	struct quarantine_state *state = &quarantine->of[at];

	if (state->timeouts < QUARANTINE_TIMEOUTS && ++state->timeouts < QUARANTINE_TIMEOUTS)
		return;
	if (!state->since_usec) {
		begin(quarantine, at);
		state->since_usec = now_usec;
		state->pause_usec = QUARANTINE_PAUSE_USEC;
	} else {
		state->pause_usec *= 2;
		if (state->pause_usec > QUARANTINE_PAUSE_MAX_USEC)
			state->pause_usec = QUARANTINE_PAUSE_MAX_USEC;
	}
	state->until_usec = now_usec + state->pause_usec;
}

/* The first of a row that is not at the one address makes it the bus's. */
static void learn_timeout(struct quarantine *quarantine, uint8_t address, uint64_t now_usec)
{
	struct quarantine_state *bus = &quarantine->of[QUARANTINE_BUS];

	quarantine->several |= bus->timeouts > 0 && quarantine->last != address;
	quarantine->last = address;
	if (quarantine->several) {
		timed_out(quarantine, QUARANTINE_BUS, now_usec);
		return;
	}
	bus->timeouts += bus->timeouts < QUARANTINE_TIMEOUTS - 1;
	timed_out(quarantine, address, now_usec);
}

static bool at_one_address(const struct rgbroker_operation *operations, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (operations[i].address != operations->address)
			return false;
	return true;
}

bool quarantine_learn(struct quarantine *quarantine, const struct rgbroker_operation *operations,
	size_t count, int result, uint64_t now_usec)
{
	unsigned active = quarantine->active;

	/* These are said before anything goes on the wire. */
	if (result == -EINVAL || result == -EOPNOTSUPP || result == -EBUSY)
		return false;
	if (result == -ETIMEDOUT) {
		if (at_one_address(operations, count))
			learn_timeout(quarantine, operations->address, now_usec);
		return quarantine->active != active;
	}
	for (size_t i = 0; i < count; i++)
		end(quarantine, operations[i].address, now_usec);
	end(quarantine, QUARANTINE_BUS, now_usec);
	quarantine->several = false;
	return quarantine->active != active;
}
