/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verdicts and operations in words, for the journal and for rgbrokerctl. */
#include "policy/policy.h"

#include <stdio.h>
#include <string.h>

static const struct {
	uint8_t kind;
	const char *name;
} kinds[] = {
	{RGBROKER_QUICK, "quick"},
	{RGBROKER_BYTE, "byte"},
	{RGBROKER_BYTE_DATA, "byte_data"},
	{RGBROKER_WORD_DATA, "word_data"},
	{RGBROKER_BLOCK_DATA, "block_data"},
	{RGBROKER_I2C_BLOCK, "i2c_block"},
	{RGBROKER_I2C, "i2c"},
};

int operation_kind_from_name(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].kind;
	return -1;
}

const char *operation_kind_name(uint8_t kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "unknown";
}

bool operation_kind_has_command(uint8_t kind, bool read)
{
	if (kind == RGBROKER_BYTE)
		return !read; /* the byte sent */
	return kind != RGBROKER_QUICK && kind != RGBROKER_I2C;
}

const char *operation_text(const struct rgbroker_operation *operation, char *buffer, size_t size)
{
	const char *direction = operation->read ? "read" : "write";
	const char *kind = operation_kind_name(operation->kind);

	if (operation_kind_has_command(operation->kind, operation->read))
		snprintf(buffer, size, "%s %s 0x%02x at 0x%02x", direction, kind,
			operation->command, operation->address);
	else
		snprintf(buffer, size, "%s %s at 0x%02x", direction, kind, operation->address);
	return buffer;
}

const char *reason_name(uint16_t reason)
{
	static const char *const names[] = {
		[RGBROKER_REASON_NONE] = "none",
		[RGBROKER_REASON_BUS] = "bus",
		[RGBROKER_REASON_VERSION] = "version",
		[RGBROKER_REASON_DOOR] = "door",
		[RGBROKER_REASON_FLOOR] = "floor",
		[RGBROKER_REASON_RULE] = "no-rule",
		[RGBROKER_REASON_UNPROVEN] = "not-recognised",
		[RGBROKER_REASON_OWNED] = "kernel-owned",
		[RGBROKER_REASON_CLAIMED] = "claimed",
		[RGBROKER_REASON_POINTER] = "pointer-unknown",
		[RGBROKER_REASON_STOPPING] = "stopping",
		[RGBROKER_REASON_PROTOCOL] = "malformed",
	};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown";
}

static void explain_unproven(const struct judgement *judgement, char *buffer, size_t size)
{
	const struct rule *rule = judgement->rule;

	if (judgement->gate == GATE_MEMORY)
		snprintf(buffer, size,
			"%s:%d would allow it, but no unbuffered memory module of the kind and "
			"maker it names is proven to be %s (bind ee1004 or spd5118: makers are "
			"known from them alone)",
			rule->file, rule->line,
			judgement->device->any_slot ? "on the bus" : "in that slot");
	else
		snprintf(buffer, size,
			"%s:%d would allow it, but no such chip was recognised there: %s",
			rule->file, rule->line, judgement->device->description);
}

static void explain_floor(const struct judgement *judgement, char *buffer, size_t size)
{
	const struct floor_row *row = judgement->floor;

	snprintf(buffer, size, "closed by the built-in floor, 0x%02x-0x%02x: %s%s", row->first,
		row->last, row->why,
		judgement->gate == GATE_MEMORY
			? ", and the memory modules are not proven to be without them"
			: "");
}

/* A register that no line has, or not with that value; or none at all. */
static void explain_rule(const struct judgement *judgement, char *buffer, size_t size)
{
	if (judgement->gate == GATE_REGISTER)
		snprintf(buffer, size,
			"%s:%d would allow it, but [Registers] has no line for all of it (from "
			"register 0x%04x on)",
			judgement->rule->file, judgement->rule->line, judgement->pointer.value);
	else if (judgement->gate == GATE_MOVE)
		snprintf(buffer, size,
			"it would move the chip to an address that is not its family's, or is in "
			"use");
	else
		snprintf(buffer, size, "no device file allows it");
}

static const char *explain_refusal(const struct judgement *judgement, char *buffer, size_t size)
{
	switch (judgement->reason) {
	case RGBROKER_REASON_DOOR:
		snprintf(buffer, size, "this door gives no right to it");
		break;
	case RGBROKER_REASON_FLOOR:
		explain_floor(judgement, buffer, size);
		break;
	case RGBROKER_REASON_UNPROVEN:
		explain_unproven(judgement, buffer, size);
		break;
	case RGBROKER_REASON_OWNED:
		snprintf(buffer, size, "a kernel driver is bound to the address");
		break;
	case RGBROKER_REASON_CLAIMED:
		snprintf(buffer, size, "another process has claimed the chip");
		break;
	case RGBROKER_REASON_POINTER:
		snprintf(buffer, size,
			"where it would go is unknown: this caller has not set the chip's "
			"register pointer");
		break;
	default:
		explain_rule(judgement, buffer, size);
		break;
	}
	return buffer;
}

static const char *explain_need(const struct judgement *judgement, char *buffer, size_t size)
{
	const struct rule *rule = judgement->rule;

	switch (judgement->fact) {
	case FACT_OWNER:
		snprintf(buffer, size, "depends on whether a kernel driver has 0x%02x",
			judgement->fact_address);
		break;
	case FACT_RECOGNISED:
		snprintf(buffer, size,
			"%s:%d allows it once the broker itself has recognised the chip: %s",
			rule->file, rule->line, judgement->device->description);
		break;
	case FACT_MEMORY:
		snprintf(buffer, size, "%s:%d: depends on the memory module with its SPD at 0x%02x",
			rule->file, rule->line, judgement->fact_address);
		break;
	case FACT_EDID:
		snprintf(buffer, size, "%s:%d: depends on whether a display answers at 0x%02x",
			rule->file, rule->line, judgement->fact_address);
		break;
	case FACT_ANSWERS:
		snprintf(buffer, size, "%s:%d: depends on whether somebody answers at 0x%02x",
			rule->file, rule->line, judgement->fact_address);
		break;
	}
	return buffer;
}

const char *policy_explain(const struct judgement *judgement, char *buffer, size_t size)
{
	const struct rule *rule = judgement->rule;

	if (judgement->verdict == VERDICT_NEEDS_FACT)
		return explain_need(judgement, buffer, size);
	if (judgement->verdict == VERDICT_REFUSED)
		return explain_refusal(judgement, buffer, size);
	if (judgement->register_rule)
		snprintf(buffer, size, "%s:%d allows it: %s, register 0x%04x by line %d: %s",
			rule->file, rule->line, rule->text, judgement->pointer.value,
			judgement->register_rule->line, judgement->register_rule->text);
	else
		snprintf(buffer, size, "%s:%d allows it: %s", rule->file, rule->line, rule->text);
	return buffer;
}
