/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broker/authorise.h"

#include <errno.h>

/* Owners, answers and displays of two addresses, all memory modules, all families. */
#define ROUNDS_MAX (8 + SLOTS + POLICY_DEVICES_MAX)

static int find_fact(struct client *client, const struct judgement *judgement)
{
	uint8_t address = judgement->fact_address;
	struct facts *facts = &client->broker->facts;
	uint64_t bit = UINT64_C(1) << judgement->device_index;
	int r;

	switch (judgement->fact) {
	case FACT_OWNER:
		return find_owner(client, address);
	case FACT_MEMORY:
		return find_memory(client, address);
	case FACT_EDID:
		return find_edid(client, address);
	case FACT_ANSWERS:
		return find_answer(client, address);
	case FACT_RECOGNISED:
		break;
	}
	r = find_family(client, judgement->device, address);
	if (r == 1)
		facts->recognised[address] |= bit;
	else if (r == 0)
		facts->stranger[address] |= bit;
	return r;
}

int authorise(struct client *client, const struct caller *caller,
	const struct rgbroker_operation *operation, const uint8_t *data,
	struct judgement *ret_judgement)
{
	struct broker *broker = client->broker;

	/* Each round settles one fact. */
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		struct judgement judgement =
			policy_judge(&broker->policy, caller, &broker->facts, operation, data);
		int r;

		if (judgement.verdict != VERDICT_NEEDS_FACT) {
			*ret_judgement = judgement;
			return 0;
		}
		r = find_fact(client, &judgement);
		if (r < 0)
			return r;
	}
	return -EIO; /* cannot happen: there are no more facts */
}
