/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gates of one rule, one after the other. */
#include "ctl/explain.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS_MAX 64 /* more facts than one rule can ask for */
#define NO_FACT (-1)

void alone_make(
	struct alone *ret_alone, const struct question *question, unsigned index, struct rule *rule)
{
	*ret_alone = (struct alone){.policy = *question->policy,
		.device = *question->policy->devices[index],
		.door = *question->caller.door,
		.caller = question->caller,
		.facts = question->facts,
		.example = question->example};
	ret_alone->device.rules = rule;
	ret_alone->device.n_rules = 1;
	ret_alone->policy.devices[0] = &ret_alone->device;
	ret_alone->policy.n_devices = 1;
	ret_alone->door.devices &= UINT64_C(1) << index;
	ret_alone->door.devices >>= index;
	ret_alone->caller.door = &ret_alone->door;
}

struct judgement alone_judge(const struct alone *alone)
{
	return policy_judge(&alone->policy, &alone->caller, &alone->facts,
		&alone->example->operation, alone->example->data);
}

/* --- facts --- */

/* Whether it is this slot's module that the family asks for; else the floor asks. */
static bool is_its_slot(const struct alone *alone, uint8_t spd)
{
	return alone->device.memory &&
	       (alone->device.any_slot ||
		       alone->example->operation.address % SLOTS == spd - SLOT_ADDRESS);
}

static enum memory_kind wanted_kind(const struct device *device)
{
	enum memory_kind kind = MEMORY_EMPTY;

	while (kind < MEMORY_OBSCURE && !(device->memory & (1U << kind)))
		kind++;
	return kind;
}

static struct memory good_memory(const struct alone *alone, uint8_t spd)
{
	if (!is_its_slot(alone, spd))
		return (struct memory){.kind = MEMORY_EMPTY};
	return (struct memory){.kind = wanted_kind(&alone->device),
		.unbuffered = true,
		.maker = alone->device.makers[0]};
}

/* helps: what lets it pass, else the contrary. */
static void suppose(struct alone *alone, const struct judgement *judgement, bool helps)
{
	static const struct memory obscure = {.kind = MEMORY_OBSCURE};
	struct facts *facts = &alone->facts;
	uint8_t at = judgement->fact_address;

	switch (judgement->fact) {
	case FACT_OWNER:
		facts->owner[at] = helps ? OWNER_NONE : OWNER_KERNEL;
		break;
	case FACT_RECOGNISED:
		*(helps ? &facts->recognised[at] : &facts->stranger[at]) |= 1;
		break;
	case FACT_MEMORY:
		facts->memory[at - SLOT_ADDRESS] = helps ? good_memory(alone, at) : obscure;
		break;
	case FACT_EDID:
		facts->edid[at] = helps ? PRESENCE_NO : PRESENCE_YES;
		break;
	case FACT_ANSWERS:
		facts->answers[at] = helps ? PRESENCE_NO : PRESENCE_YES;
		break;
	}
}

static const char *kinds_text(const struct device *device)
{
	bool ddr4 = device->memory & (1U << MEMORY_DDR4),
	     ddr5 = device->memory & (1U << MEMORY_DDR5);

	return ddr4 && ddr5 ? " ddr4 or ddr5" : ddr4 ? " ddr4" : " ddr5";
}

static const char *fact_text(
	const struct alone *alone, const struct judgement *judgement, char *buffer, size_t size)
{
	uint8_t at = judgement->fact_address;

	switch (judgement->fact) {
	case FACT_OWNER:
		snprintf(buffer, size, "no kernel driver has 0x%02x", at);
		break;
	case FACT_RECOGNISED:
		snprintf(buffer, size, "the chip at 0x%02x answers as [Recognise] has it", at);
		break;
	case FACT_MEMORY:
		if (is_its_slot(alone, at))
			snprintf(buffer, size,
				"the module with its SPD at 0x%02x is an unbuffered%s one%s", at,
				kinds_text(&alone->device),
				alone->device.makers[0] ? " of a maker that is named" : "");
		else
			snprintf(buffer, size, "no module has its SPD at 0x%02x", at);
		break;
	case FACT_EDID:
		snprintf(buffer, size, "no display answers at 0x%02x", at);
		break;
	case FACT_ANSWERS:
		snprintf(buffer, size, "nobody answers at 0x%02x", at);
		break;
	}
	return buffer;
}

/* The verdict when facts of one kind are against it, and all others for it. */
static struct judgement settle(struct alone alone, int contrary)
{
	struct judgement judgement;

	alone.policy.devices[0] = &alone.device; /* the copy's own */
	alone.caller.door = &alone.door;
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		judgement = alone_judge(&alone);
		if (judgement.verdict != VERDICT_NEEDS_FACT)
			break;
		suppose(&alone, &judgement, (int)judgement.fact != contrary);
	}
	/* Explained by the family's own name, which outlives the copy. */
	judgement.device = NULL;
	return judgement;
}

/* The verdict of one rule when all facts help. */
static struct judgement settle_rule(
	const struct question *question, unsigned index, struct rule *rule)
{
	static struct alone alone;

	alone_make(&alone, question, index, rule);
	return settle(alone, NO_FACT);
}

void settle_verdict(const struct question *question, struct judgement *judgement)
{
	const struct policy *policy = question->policy;
	struct judgement nearest = *judgement;

	if (judgement->verdict != VERDICT_NEEDS_FACT)
		return;
	for (unsigned i = 0; i < policy->n_devices; i++) {
		struct device *device = policy->devices[i];

		if (!bitmap_has(device->addresses, question->example->operation.address))
			continue;
		for (size_t k = 0; k < device->n_rules; k++) {
			struct judgement settled = settle_rule(question, i, &device->rules[k]);

			if (settled.verdict == VERDICT_ALLOWED)
				return;
			if (settled.rule == judgement->rule)
				nearest = settled;
		}
	}
	nearest.device = judgement->device;
	*judgement = nearest;
}

/* --- steps --- */

void add_step(json_object *steps, const char *name, const char *is, bool supposed,
	const struct judgement *otherwise)
{
	json_object *step = json_object_new_object();

	add_text(step, "step", name);
	add_text(step, "is", is);
	json_object_object_add(step, "supposed", json_object_new_boolean(supposed));
	if (otherwise) {
		add_text(step, "otherwise", verdict_name(otherwise));
		if (otherwise->verdict == VERDICT_REFUSED)
			add_text(step, "reason", reason_name((uint16_t)otherwise->reason));
	}
	json_object_array_add(steps, step);
}

static bool writes(const struct rgbroker_operation *operation)
{
	return !operation->read || operation_is_quick(operation);
}

/* What is known before the bus is asked. */
static void known_steps(const struct alone *alone, json_object *steps)
{
	const struct rgbroker_operation *operation = &alone->example->operation;
	struct alone claimed = *alone;
	struct judgement otherwise;
	char text[96];

	if (alone->facts.owner[operation->address] == OWNER_KERNEL) {
		add_step(steps, "owner", "a kernel driver is bound to the address", false, NULL);
		return;
	}
	snprintf(text, sizeof(text), "no kernel driver is bound to 0x%02x", operation->address);
	add_step(steps, "owner", text, false, NULL);
	if (!writes(operation))
		return;
	if (alone->caller.claimed) {
		add_step(steps, "claim", "another process has claimed the chip (--claimed)", true,
			NULL);
		return;
	}
	claimed.caller.claimed = true;
	otherwise = settle(claimed, NO_FACT);
	add_step(steps, "claim", "no other process has claimed the chip", true, &otherwise);
}

static void pointer_step(const struct alone *alone, json_object *steps)
{
	char text[96] = "the caller has set no register pointer (--pointer REGISTER)";

	if (alone->device.rules->role != RULE_DATA)
		return;
	if (alone->caller.pointer.known)
		snprintf(text, sizeof(text), "the register pointer is at 0x%04x (--pointer)",
			alone->caller.pointer.value);
	add_step(steps, "pointer", text, true, NULL);
}

struct judgement gate_steps(const struct alone *alone, json_object *steps)
{
	static const char *const names[] = {[FACT_OWNER] = "owner",
		[FACT_RECOGNISED] = "chip",
		[FACT_MEMORY] = "module",
		[FACT_EDID] = "display",
		[FACT_ANSWERS] = "move"};
	struct alone now = *alone;
	struct judgement judgement;
	char text[160];

	now.policy.devices[0] = &now.device;
	now.caller.door = &now.door;
	known_steps(&now, steps);
	pointer_step(&now, steps);
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		struct judgement otherwise;

		judgement = alone_judge(&now);
		if (judgement.verdict != VERDICT_NEEDS_FACT)
			break;
		otherwise = settle(now, (int)judgement.fact);
		add_step(steps, names[judgement.fact],
			fact_text(&now, &judgement, text, sizeof(text)), true, &otherwise);
		suppose(&now, &judgement, true);
	}
	judgement.device = &alone->device;
	return judgement;
}
