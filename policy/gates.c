/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must be proven beyond the rule: memory modules, displays, registers behind a pointer. */
#include "policy/policy.h"

void judgement_refuse(struct judgement *judgement, enum rgbroker_reason reason, enum gate gate)
{
	judgement->verdict = VERDICT_REFUSED;
	judgement->reason = reason;
	judgement->gate = gate;
}

void judgement_ask(struct judgement *judgement, enum fact fact, uint8_t address)
{
	if (judgement->verdict != VERDICT_ALLOWED)
		return; /* one after the other */
	judgement->verdict = VERDICT_NEEDS_FACT;
	judgement->fact = fact;
	judgement->fact_address = address;
}

/* --- memory modules --- */

static bool maker_fits(const struct device *device, uint16_t maker)
{
	if (!device->makers[0])
		return true;
	for (unsigned i = 0; i < MAKERS_MAX && device->makers[i]; i++)
		if (device->makers[i] == maker)
			return true;
	return false;
}

/* A family's word for its module; registered ones have other chips where LEDs might be. */
static bool module_fits(const struct device *device, const struct memory *memory)
{
	return device->memory & (1U << memory->kind) && memory->unbuffered &&
	       maker_fits(device, memory->maker);
}

static void need_module(struct judgement *judgement, const struct facts *facts, uint8_t address)
{
	const struct device *device = judgement->device;
	unsigned first = device->any_slot ? 0 : address % SLOTS;
	unsigned last = device->any_slot ? SLOTS - 1 : first;

	for (unsigned slot = first; slot <= last; slot++) {
		if (facts->memory[slot].kind == MEMORY_UNSEEN) {
			judgement_ask(judgement, FACT_MEMORY, (uint8_t)(SLOT_ADDRESS + slot));
			return;
		}
		if (module_fits(device, &facts->memory[slot]))
			return;
	}
	judgement_refuse(judgement, RGBROKER_REASON_UNPROVEN, GATE_MEMORY);
}

/* A slot that nobody answers for holds nothing, so no clock driver either. */
static void need_unbuffered(struct judgement *judgement, const struct facts *facts, uint8_t address)
{
	const struct memory *memory = &facts->memory[address % SLOTS];

	if (memory->kind == MEMORY_UNSEEN)
		judgement_ask(judgement, FACT_MEMORY, SLOT_ADDRESS + address % SLOTS);
	else if (memory->kind != MEMORY_EMPTY && !memory->unbuffered)
		judgement_refuse(judgement, RGBROKER_REASON_FLOOR, GATE_MEMORY);
}

static void need_no_ddr5(struct judgement *judgement, const struct facts *facts)
{
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		enum memory_kind kind = facts->memory[slot].kind;

		if (kind == MEMORY_UNSEEN)
			judgement_ask(judgement, FACT_MEMORY, (uint8_t)(SLOT_ADDRESS + slot));
		else if (kind == MEMORY_DDR5 || kind == MEMORY_OBSCURE)
			judgement_refuse(judgement, RGBROKER_REASON_FLOOR, GATE_MEMORY);
	}
}

void gate_memory(struct judgement *judgement, const struct facts *facts, uint8_t address,
	enum floor_lift lift)
{
	bool detecting = judgement->rule->read && !judgement->rule->after_recognition;

	if (judgement->device->memory && !detecting)
		need_module(judgement, facts, address);
	if (judgement->verdict != VERDICT_REFUSED && lift == FLOOR_CHIP_UNBUFFERED)
		need_unbuffered(judgement, facts, address);
	if (judgement->verdict != VERDICT_REFUSED && lift == FLOOR_CHIP_NOT_DDR5)
		need_no_ddr5(judgement, facts);
}

/* --- displays --- */

static void need_no_edid(struct judgement *judgement, const struct facts *facts, uint8_t address)
{
	if (facts->edid[address] == PRESENCE_UNKNOWN)
		judgement_ask(judgement, FACT_EDID, address);
	else if (facts->edid[address] == PRESENCE_YES)
		judgement_refuse(judgement, RGBROKER_REASON_FLOOR, GATE_NONE);
}

/* VESA E-DDC has the EDID at 0x50; other EEPROMs of that kind may hold one too. */
void gate_display(struct judgement *judgement, const struct facts *facts, uint8_t address)
{
	need_no_edid(judgement, facts, SLOT_ADDRESS);
	if (judgement->verdict != VERDICT_REFUSED && address > SLOT_ADDRESS &&
		address < SLOT_ADDRESS + SLOTS)
		need_no_edid(judgement, facts, address);
}

/* --- registers behind a pointer --- */

static bool value_fits(const struct register_rule *rule, uint8_t value)
{
	return rule->n_values == 0 || ranges_have(rule->values, rule->n_values, value);
}

static const struct register_rule *find_register(
	const struct device *device, unsigned number, bool read, const uint8_t *value)
{
	for (size_t i = 0; i < device->n_registers; i++) {
		const struct register_rule *rule = &device->registers[i];

		if (rule->read == read && ranges_have(&rule->registers, 1, number) &&
			(read || !value || value_fits(rule, *value)))
			return rule;
	}
	return NULL;
}

/* The pointer may be set to whatever may then be read or written. */
static void judge_pointer(struct judgement *judgement, const uint8_t *data)
{
	unsigned number = (unsigned)data[0] << 8 | data[1];

	judgement->pointer = (struct pointer){true, (uint16_t)number};
	judgement->register_rule = find_register(judgement->device, number, true, NULL);
	if (!judgement->register_rule)
		judgement->register_rule = find_register(judgement->device, number, false, NULL);
	if (!judgement->register_rule)
		judgement_refuse(judgement, RGBROKER_REASON_RULE, GATE_REGISTER);
}

/*
 * A chip goes only where its own family lives, where the floor says nothing, where no driver is and
 * where nobody answers: two at one address could never be told apart again.
 */
static void judge_move(
	struct judgement *judgement, enum bus_class class, const struct facts *facts, uint8_t value)
{
	uint8_t address = value >> 1;

	if (value & 1 || !bitmap_has(judgement->device->addresses, address) ||
		floor_find(class, address) || facts->owner[address] == OWNER_KERNEL ||
		facts->answers[address] == PRESENCE_YES)
		judgement_refuse(judgement, RGBROKER_REASON_RULE, GATE_MOVE);
	else if (facts->owner[address] == OWNER_UNKNOWN)
		judgement_ask(judgement, FACT_OWNER, address);
	else if (facts->answers[address] == PRESENCE_UNKNOWN)
		judgement_ask(judgement, FACT_ANSWERS, address);
}

static void judge_data(struct judgement *judgement, enum bus_class class, const struct facts *facts,
	const struct rgbroker_operation *operation, const uint8_t *data)
{
	unsigned count = operation_payload(operation);

	for (unsigned i = 0; i < count && judgement->verdict != VERDICT_REFUSED; i++) {
		unsigned number = judgement->pointer.value + i;
		const struct register_rule *rule = find_register(judgement->device, number,
			operation->read, operation->read ? NULL : &data[i]);

		if (i == 0)
			judgement->register_rule = rule;
		if (!rule)
			judgement_refuse(judgement, RGBROKER_REASON_RULE, GATE_REGISTER);
		else if (rule->moves && count > 1)
			judgement_refuse(judgement, RGBROKER_REASON_RULE, GATE_MOVE);
		else if (rule->moves)
			judge_move(judgement, class, facts, data[i]);
	}
}

void gate_registers(struct judgement *judgement, enum bus_class class, const struct caller *caller,
	const struct facts *facts, const struct rgbroker_operation *operation, const uint8_t *data)
{
	if (judgement->rule->role == RULE_POINTER) {
		judge_pointer(judgement, data);
	} else if (judgement->rule->role == RULE_DATA) {
		judgement->pointer = caller->pointer;
		if (caller->pointer.known)
			judge_data(judgement, class, facts, operation, data);
		else if (judgement->verdict == VERDICT_ALLOWED) /* nobody there is told first */
			judgement_refuse(judgement, RGBROKER_REASON_POINTER, GATE_REGISTER);
	}
}

struct pointer policy_pointer_after(
	const struct judgement *judgement, const struct rgbroker_operation *operation)
{
	struct pointer pointer = judgement->pointer;

	if (judgement->rule->role != RULE_DATA)
		return pointer;
	if (operation->read || !judgement->device->advances ||
		pointer.value + operation_payload(operation) > UINT16_MAX)
		return (struct pointer){.known = false};
	pointer.value = (uint16_t)(pointer.value + operation_payload(operation));
	return pointer;
}

bool policy_moves(const struct judgement *judgement, const struct rgbroker_operation *operation,
	const uint8_t *data, uint8_t *ret_address)
{
	/* An empty block writes no register. */
	if (judgement->rule->role != RULE_DATA || operation->read || !judgement->register_rule ||
		!judgement->register_rule->moves)
		return false;
	*ret_address = data[0] >> 1;
	return true;
}

/* Whether a rule of these roles (1 << enum rule_role), of any device that may be there, has such
 * operations. */
static bool has_rule(
	const struct policy *policy, const struct rgbroker_operation *operation, unsigned roles)
{
	for (size_t i = 0; i < policy->n_devices; i++) {
		const struct device *device = policy->devices[i];

		if (!device->n_registers || !bitmap_has(device->addresses, operation->address))
			continue;
		for (size_t k = 0; k < device->n_rules; k++)
			if ((roles & 1U << device->rules[k].role) &&
				device->rules[k].read == (operation->read != 0) &&
				device->rules[k].kind == operation->kind &&
				bitmap_has(device->rules[k].commands, operation->command))
				return true;
	}
	return false;
}

bool policy_sets_pointer(const struct policy *policy, const struct rgbroker_operation *operation)
{
	return has_rule(policy, operation, 1U << RULE_POINTER);
}

bool policy_moves_unseen(const struct policy *policy, const struct judgement *judgement,
	const struct rgbroker_operation *operation)
{
	if (judgement->rule->role != RULE_PLAIN)
		return false;
	if (operation->read || judgement->device->n_registers)
		return has_rule(policy, operation, 1U << RULE_POINTER | 1U << RULE_DATA);
	/* The same bytes can be sent in several ways. */
	for (size_t i = 0; i < policy->n_devices; i++)
		if (policy->devices[i]->n_registers &&
			bitmap_has(policy->devices[i]->addresses, operation->address))
			return true;
	return false;
}

void policy_set_pointer(const struct device *device, uint8_t address, uint16_t value,
	struct rgbroker_operation *ret_operation, uint8_t *ret_data)
{
	const struct rule *rule = device->rules;

	while (rule->role != RULE_POINTER) /* the file's check has seen that there is one */
		rule++;
	*ret_operation =
		(struct rgbroker_operation){.kind = rule->kind, .address = address, .length = 2};
	for (unsigned command = 0; command < 256; command++)
		if (bitmap_has(rule->commands, command))
			ret_operation->command = (uint8_t)command;
	ret_data[0] = (uint8_t)(value >> 8);
	ret_data[1] = (uint8_t)value;
}
