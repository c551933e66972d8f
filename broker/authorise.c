/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/authorise.h"

#include <errno.h>

/* The answers by which drivers say that nobody acknowledged; other failures tell nothing. */
static bool nobody_there(int r)
{
	return r == -ENXIO || r == -EIO || r == -EREMOTEIO;
}

static bool as_expected(const struct expectation *expectation, const uint8_t *answer)
{
	unsigned value = answer[0];

	if (expectation->kind == RGBROKER_WORD_DATA)
		value |= (unsigned)answer[1] << 8;
	for (unsigned i = 0; i < expectation->n_values; i++)
		if (value >= expectation->values[i].first && value <= expectation->values[i].last)
			return true;
	return false;
}

/* 1: it is that family, 0: it is not, or a negative errno. */
static int recognise(struct bus *bus, const struct device *device, uint8_t address)
{
	for (size_t i = 0; i < device->n_expectations; i++) {
		const struct expectation *expectation = &device->expectations[i];
		const struct rgbroker_operation operation = {.kind = expectation->kind,
			.read = 1,
			.address = address,
			.command = expectation->command,
			.length = expectation->kind == RGBROKER_WORD_DATA ? 2 : 1};
		const uint8_t *no_data = NULL;
		uint8_t answer[2];
		int r = bus_run(bus, &operation, 1, &no_data, answer);

		if (r < 0)
			return nobody_there(r) ? 0 : r;
		if (!as_expected(expectation, answer))
			return 0;
	}
	return 1;
}

static int find_fact(const struct policy *policy, struct facts *facts, struct bus *bus,
	const struct judgement *judgement, uint8_t address)
{
	uint64_t bit = UINT64_C(1) << judgement->device_index;
	bool owned;
	int r;

	if (judgement->fact == FACT_OWNER) {
		r = bus_owner(bus, address, &owned);
		if (r == 0)
			facts->owner[address] = owned ? OWNER_KERNEL : OWNER_NONE;
		return r;
	}
	r = recognise(bus, policy->devices[judgement->device_index], address);
	if (r == 1)
		facts->recognised[address] |= bit;
	else if (r == 0)
		facts->stranger[address] |= bit;
	return r;
}

int authorise(const struct policy *policy, const struct door *door, struct facts *facts,
	struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data,
	struct judgement *ret_judgement)
{
	/* Each round settles one fact: the owner, then one family after the other. */
	for (unsigned round = 0; round <= POLICY_DEVICES_MAX + 1; round++) {
		struct judgement judgement = policy_judge(policy, door, facts, operation, data);
		int r;

		if (judgement.verdict != VERDICT_NEEDS_FACT) {
			*ret_judgement = judgement;
			return 0;
		}
		r = find_fact(policy, facts, bus, &judgement, operation->address);
		if (r < 0)
			return r;
	}
	return -EIO; /* cannot happen: there are no more facts */
}
