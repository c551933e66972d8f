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

static const char *explain_refusal(const struct judgement *judgement, char *buffer, size_t size)
{
	const struct device *device = judgement->device;

	switch (judgement->reason) {
	case RGBROKER_REASON_DOOR:
		snprintf(buffer, size, "this door gives no right to it");
		break;
	case RGBROKER_REASON_FLOOR:
		snprintf(buffer, size, "closed by the built-in floor, 0x%02x-0x%02x: %s",
			judgement->floor->first, judgement->floor->last, judgement->floor->why);
		break;
	case RGBROKER_REASON_UNPROVEN:
		snprintf(buffer, size,
			"%s:%d would allow it, but no such chip was recognised there: %s",
			judgement->rule->file, judgement->rule->line, device->description);
		break;
	case RGBROKER_REASON_OWNED:
		snprintf(buffer, size, "a kernel driver is bound to the address");
		break;
	default:
		snprintf(buffer, size, "no device file allows it");
		break;
	}
	return buffer;
}

const char *policy_explain(const struct judgement *judgement, char *buffer, size_t size)
{
	const struct device *device = judgement->device;

	switch (judgement->verdict) {
	case VERDICT_ALLOWED:
		snprintf(buffer, size, "%s:%d allows it: %s", judgement->rule->file,
			judgement->rule->line, judgement->rule->text);
		return buffer;
	case VERDICT_NEEDS_FACT:
		if (judgement->fact == FACT_OWNER)
			snprintf(
				buffer, size, "depends on whether a kernel driver has the address");
		else
			snprintf(buffer, size,
				"%s:%d allows it once the broker itself has recognised the chip: "
				"%s",
				judgement->rule->file, judgement->rule->line, device->description);
		return buffer;
	case VERDICT_REFUSED:
		break;
	}
	return explain_refusal(judgement, buffer, size);
}
