/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict: door, floor, device rule, gates, in this order; what nothing allows is refused. */
#include "policy/policy.h"

#include <string.h>

void facts_refresh(struct facts *facts)
{
	memset(facts->stranger, 0, sizeof(facts->stranger));
	memset(facts->owner, OWNER_UNKNOWN, sizeof(facts->owner));
	memset(facts->edid, PRESENCE_UNKNOWN, sizeof(facts->edid));
	memset(facts->answers, PRESENCE_UNKNOWN, sizeof(facts->answers));
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (facts->memory[slot].kind == MEMORY_OBSCURE)
			facts->memory[slot].kind = MEMORY_UNSEEN;
}

void facts_forget_empty(struct facts *facts)
{
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (facts->memory[slot].kind == MEMORY_EMPTY)
			facts->memory[slot].kind = MEMORY_UNSEEN;
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

enum misfit rule_misfit(
	const struct rule *rule, const struct rgbroker_operation *operation, const uint8_t *data)
{
	unsigned payload = operation_payload(operation);

	if (rule->kind != operation->kind || rule->read != operation->read)
		return MISFIT_OPERATION;
	if (!bitmap_has(rule->commands, operation->command))
		return MISFIT_COMMAND;
	if (!ranges_have(&rule->length, 1, payload) || payload < rule->n_data)
		return MISFIT_LENGTH;
	return bytes_fit(rule->data, rule->n_data, data) ? FITS : MISFIT_DATA;
}

/*
 * A chip that tells what it is only after a write is let be found where its module is proven, kind
 * and maker: the module has that chip there, and being unbuffered no clock driver.
 */
static bool module_is_proof(const struct judgement *judgement, enum floor_lift lift)
{
	const struct device *device = judgement->device;

	return lift == FLOOR_CHIP_UNBUFFERED && !judgement->rule->after_recognition &&
	       device->memory && device->makers[0] && !device->any_slot;
}

static bool needs_chip(const struct judgement *judgement, enum floor_lift lift)
{
	if (module_is_proof(judgement, lift))
		return false;
	return lift == FLOOR_CHIP || lift == FLOOR_CHIP_UNBUFFERED || lift == FLOOR_CHIP_NOT_DDR5 ||
	       (judgement->rule->after_recognition && !judgement->device->no_fingerprint);
}

/*
 * A family without a fingerprint has nothing to recognise, but does not lift the floor either. A
 * chip that is asked what it is by a write must not be a display, even if all that waits is a read.
 */
static void gate_fingerprint(struct judgement *judgement, const struct facts *facts,
	const struct floor_row *row, const struct rgbroker_operation *operation)
{
	uint64_t bit = UINT64_C(1) << judgement->device_index;
	uint8_t address = operation->address;

	if (!needs_chip(judgement, floor_lift(row, operation)) || facts->recognised[address] & bit)
		return;
	if (!judgement->device->n_expectations || facts->stranger[address] & bit) {
		judgement_refuse(judgement, RGBROKER_REASON_UNPROVEN, GATE_FINGERPRINT);
		return;
	}
	if (row && row->write == FLOOR_NOT_DISPLAY && device_sends(judgement->device)) {
		judgement->floor = row;
		gate_display(judgement, facts, address);
	}
	judgement_ask(judgement, FACT_RECOGNISED, address);
}

bool policy_claims(const struct judgement *judgement)
{
	return judgement->rule->after_recognition && !judgement->rule->read &&
	       judgement->rule->role != RULE_POINTER;
}

/* A read through the pointer moves it, or needs it set first. */
static bool moves_something(const struct rule *rule, const struct rgbroker_operation *operation)
{
	return !rule->read || operation_is_quick(operation) || rule->role == RULE_DATA;
}

/* A door for reading lets nothing be written on its behalf, by the broker neither. */
static bool writes_something(const struct policy *policy, unsigned index, const struct rule *rule)
{
	return rule->role == RULE_DATA || device_sends(policy->devices[index]);
}

/*
 * Whose rule holds is judged by all gates, in an order that puts nothing on the wire in vain. A
 * claimed chip takes no writes of others, the pointer included: it would have to be set again.
 */
static struct judgement judge_rule(const struct policy *policy, unsigned index,
	const struct rule *rule, const struct caller *caller, const struct facts *facts,
	const struct rgbroker_operation *operation, const uint8_t *data)
{
	const struct floor_row *row = floor_find(policy->adapter.class, operation->address);
	enum floor_lift lift = floor_lift(row, operation);
	struct judgement judgement = {.verdict = VERDICT_ALLOWED,
		.device = policy->devices[index],
		.device_index = index,
		.rule = rule,
		.floor = lift == FLOOR_OPEN ? NULL : row};

	if (facts->owner[operation->address] == OWNER_KERNEL)
		judgement_refuse(&judgement, RGBROKER_REASON_OWNED, GATE_NONE);
	else if (caller->claimed && moves_something(rule, operation))
		judgement_refuse(&judgement, RGBROKER_REASON_CLAIMED, GATE_NONE);
	else if (caller->door->transfer != DOOR_READ_WRITE && writes_something(policy, index, rule))
		judgement_refuse(&judgement, RGBROKER_REASON_DOOR, GATE_NONE);
	else if (facts->owner[operation->address] == OWNER_UNKNOWN)
		judgement_ask(&judgement, FACT_OWNER, operation->address);
	if (judgement.verdict != VERDICT_REFUSED)
		gate_memory(&judgement, facts, operation->address, lift);
	if (judgement.verdict != VERDICT_REFUSED && lift == FLOOR_NOT_DISPLAY)
		gate_display(&judgement, facts, operation->address);
	if (judgement.verdict != VERDICT_REFUSED)
		gate_fingerprint(&judgement, facts, row, operation);
	if (judgement.verdict != VERDICT_REFUSED)
		gate_registers(&judgement, policy->adapter.class, caller, facts, operation, data);
	return judgement;
}

/*
 * Of the rules that hold, the one that comes nearest to allowing it is told: allowed beats a
 * missing fact, that beats a refusal by a later gate, "no rule" comes last.
 */
static unsigned rank(const struct judgement *judgement)
{
	if (judgement->verdict == VERDICT_ALLOWED)
		return 6;
	if (judgement->verdict == VERDICT_NEEDS_FACT)
		return 5;
	switch (judgement->reason) {
	case RGBROKER_REASON_CLAIMED:
		return 4;
	case RGBROKER_REASON_POINTER:
		return 3;
	case RGBROKER_REASON_RULE:
		return judgement->rule ? 2 : 0;
	default:
		return 1;
	}
}

static struct judgement judge_rules(const struct policy *policy, const struct caller *caller,
	const struct facts *facts, const struct rgbroker_operation *operation, const uint8_t *data)
{
	struct judgement best = refused(RGBROKER_REASON_RULE);

	for (unsigned i = 0; i < policy->n_devices; i++) {
		const struct device *device = policy->devices[i];

		if (!(caller->door->devices & (UINT64_C(1) << i)) ||
			!bitmap_has(device->addresses, operation->address))
			continue;
		for (size_t k = 0; k < device->n_rules; k++) {
			struct judgement judgement;

			if (rule_misfit(&device->rules[k], operation, data) != FITS)
				continue;
			judgement = judge_rule(
				policy, i, &device->rules[k], caller, facts, operation, data);
			if (rank(&judgement) > rank(&best))
				best = judgement;
		}
	}
	return best;
}

struct judgement policy_judge(const struct policy *policy, const struct caller *caller,
	const struct facts *facts, const struct rgbroker_operation *operation, const uint8_t *data)
{
	const struct floor_row *row = floor_find(policy->adapter.class, operation->address);
	struct judgement judgement;

	if (policy->adapter.class == BUS_NONE || !door_gives(caller->door, operation))
		return refused(RGBROKER_REASON_DOOR);
	if (floor_lift(row, operation) == FLOOR_NEVER) {
		judgement = refused(RGBROKER_REASON_FLOOR);
		judgement.floor = row;
		return judgement;
	}
	return judge_rules(policy, caller, facts, operation, data);
}
