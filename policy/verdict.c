/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict: door, floor, device rule, gates, in this order; what nothing allows is refused. */
#include "policy/policy.h"

#include <string.h>

void facts_refresh(struct facts *facts)
{
	memset(facts->stranger, 0, sizeof(facts->stranger));
	memset(facts->owner, OWNER_UNKNOWN, sizeof(facts->owner));
}

void facts_forget(struct facts *facts, uint8_t address)
{
	facts->recognised[address] = 0;
}

const struct door *policy_find_door(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_doors; i++)
		if (strcmp(policy->doors[i].name, name) == 0)
			return &policy->doors[i];
	return NULL;
}

unsigned operation_payload(const struct rgbroker_operation *operation)
{
	bool counted = operation->read && (operation->kind == RGBROKER_BLOCK_DATA ||
						  operation->kind == RGBROKER_I2C_BLOCK);
	return counted ? operation->length - 1U : operation->length;
}

bool operation_is_quick(const struct rgbroker_operation *operation)
{
	return operation->kind == RGBROKER_QUICK ||
	       (operation->kind == RGBROKER_I2C && operation->read && operation->length == 0);
}

static struct judgement refused(enum rgbroker_reason reason)
{
	return (struct judgement){.verdict = VERDICT_REFUSED, .reason = reason};
}

static bool door_gives(const struct door *door, const struct rgbroker_operation *operation)
{
	if (!door || door->transfer == DOOR_NOTHING)
		return false;
	/* A quick "read" carries nothing back, it is a bit sent to the chip. */
	return door->transfer == DOOR_READ_WRITE ||
	       (operation->read && !operation_is_quick(operation));
}

static bool rule_holds(
	const struct rule *rule, const struct rgbroker_operation *operation, const uint8_t *data)
{
	unsigned payload = operation_payload(operation);

	if (rule->kind != operation->kind || rule->read != operation->read)
		return false;
	if (!bitmap_has(rule->commands, operation->command))
		return false;
	if (payload < rule->length.first || payload > rule->length.last || payload < rule->n_data)
		return false;
	for (unsigned i = 0; i < rule->n_data; i++)
		if (data[i] < rule->data[i].first || data[i] > rule->data[i].last)
			return false;
	return true;
}

/*
 * Whether one rule that holds lets the operation pass as far as the chip is concerned. A family
 * without a fingerprint has nothing to recognise, but does not lift the floor either.
 */
static struct judgement chip_gate(const struct policy *policy, unsigned index,
	const struct rule *rule, const struct facts *facts, enum floor_lift lift, uint8_t address)
{
	const struct device *device = policy->devices[index];
	struct judgement judgement = {.verdict = VERDICT_ALLOWED, .device = device, .rule = rule};
	bool must = lift == FLOOR_CHIP || (rule->after_recognition && !device->no_fingerprint);

	if (!must || facts->recognised[address] & (UINT64_C(1) << index))
		return judgement;
	if (!device->n_expectations || facts->stranger[address] & (UINT64_C(1) << index)) {
		judgement.verdict = VERDICT_REFUSED;
		judgement.reason = RGBROKER_REASON_UNPROVEN;
		return judgement;
	}
	judgement.verdict = VERDICT_NEEDS_FACT;
	judgement.fact = FACT_RECOGNISED;
	judgement.device_index = index;
	return judgement;
}

/* Allowed beats a missing fact, a missing fact beats "not that chip", that beats "no rule". */
static unsigned rank(const struct judgement *judgement)
{
	if (judgement->verdict == VERDICT_ALLOWED)
		return 3;
	if (judgement->verdict == VERDICT_NEEDS_FACT)
		return 2;
	return judgement->reason == RGBROKER_REASON_UNPROVEN ? 1 : 0;
}

static struct judgement judge_rules(const struct policy *policy, const struct door *door,
	const struct facts *facts, const struct rgbroker_operation *operation, const uint8_t *data,
	enum floor_lift lift)
{
	struct judgement best = refused(RGBROKER_REASON_RULE);

	for (unsigned i = 0; i < policy->n_devices; i++) {
		const struct device *device = policy->devices[i];

		if (!(door->devices & (UINT64_C(1) << i)) ||
			!bitmap_has(device->addresses, operation->address))
			continue;
		for (size_t k = 0; k < device->n_rules; k++) {
			const struct rule *rule = &device->rules[k];
			struct judgement judgement;

			if (!rule_holds(rule, operation, data))
				continue;
			judgement = chip_gate(policy, i, rule, facts, lift, operation->address);
			if (rank(&judgement) > rank(&best))
				best = judgement;
		}
	}
	return best;
}

/* The kernel's claim on the address comes before any read of our own that would find out more. */
static struct judgement owner_gate(struct judgement judgement, enum owner owner)
{
	if (owner == OWNER_KERNEL) {
		judgement.verdict = VERDICT_REFUSED;
		judgement.reason = RGBROKER_REASON_OWNED;
	} else if (owner == OWNER_UNKNOWN) {
		judgement.verdict = VERDICT_NEEDS_FACT;
		judgement.fact = FACT_OWNER;
	}
	return judgement;
}

struct judgement policy_judge(const struct policy *policy, const struct door *door,
	const struct facts *facts, const struct rgbroker_operation *operation, const uint8_t *data)
{
	const struct floor_row *row = floor_find(policy->adapter.class, operation->address);
	enum floor_lift lift = floor_lift(row, operation);
	struct judgement judgement;

	if (policy->adapter.class == BUS_NONE || !door_gives(door, operation))
		return refused(RGBROKER_REASON_DOOR);
	/* What would lift the last three cannot be proven yet: closed. */
	if (lift == FLOOR_NEVER || lift == FLOOR_CHIP_NOT_DDR5 || lift == FLOOR_NOT_DISPLAY) {
		judgement = refused(RGBROKER_REASON_FLOOR);
		judgement.floor = row;
		return judgement;
	}
	judgement = judge_rules(policy, door, facts, operation, data, lift);
	judgement.floor = lift == FLOOR_OPEN ? NULL : row;
	if (judgement.verdict == VERDICT_REFUSED)
		return judgement;
	return owner_gate(judgement, facts->owner[operation->address]);
}
