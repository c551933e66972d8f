/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check: the verdict on one operation, by the code that decides in the broker. */
#include "ctl/ctl.h"
#include "policy/parse.h"

#include <stdio.h>
#include <string.h>

static bool parse_one(const char *text, unsigned max, uint16_t *ret_value)
{
	struct word_range range;

	if (parse_range(text, max, &range) || range.first != range.last)
		return false;
	*ret_value = range.first;
	return true;
}

/* "write_byte_data". 0, or -1: not an operation that can be asked for. */
static int parse_name(const char *name, struct rgbroker_operation *operation)
{
	int kind;

	operation->read = strncmp(name, "read_", 5) == 0;
	if (!operation->read && strncmp(name, "write_", 6) != 0)
		return -1;
	kind = operation_kind_from_name(name + (operation->read ? 5 : 6));
	operation->kind = (uint8_t)kind;
	return kind < 0 ? -1 : 0;
}

/* Reads: how many bytes are wanted, where that is for the caller to say. */
static bool read_length(struct rgbroker_operation *operation, int argc, char **argv)
{
	uint16_t wanted = 0;

	switch (operation->kind) {
	case RGBROKER_I2C_BLOCK:
		if (argc > 1 || (argc == 1 && !parse_one(argv[0], RGBROKER_BLOCK_MAX, &wanted)))
			return false;
		operation->length = (uint16_t)(1 + (argc ? wanted : RGBROKER_BLOCK_MAX));
		return true;
	case RGBROKER_I2C:
		operation->length = 1;
		return argc == 0 ||
		       (argc == 1 && parse_one(argv[0], RGBROKER_TRANSFER_MAX, &operation->length));
	case RGBROKER_BLOCK_DATA:
		operation->length = RGBROKER_BLOCK_MAX + 1;
		return argc == 0;
	default:
		operation->length = operation->kind == RGBROKER_WORD_DATA ? 2
				    : operation->kind == RGBROKER_QUICK   ? 0
									  : 1;
		return argc == 0;
	}
}

static bool write_data(struct example *example, int argc, char **argv)
{
	struct rgbroker_operation *operation = &example->operation;
	int fixed = operation->kind == RGBROKER_BYTE_DATA   ? 1
		    : operation->kind == RGBROKER_WORD_DATA ? 2
							    : -1;
	int most = operation->kind == RGBROKER_I2C ? RGBROKER_TRANSFER_MAX : RGBROKER_BLOCK_MAX;

	if (operation->kind == RGBROKER_QUICK || operation->kind == RGBROKER_BYTE)
		most = 0;
	/* Without data the question is about the command: any data, zeros stand for it. */
	if (argc > most || (fixed >= 0 && argc != fixed && argc != 0))
		return false;
	for (int i = 0; i < argc; i++) {
		uint16_t value;

		if (!parse_one(argv[i], 0xff, &value))
			return false;
		example->data[i] = (uint8_t)value;
	}
	operation->length = (uint16_t)(fixed >= 0 ? fixed : argc);
	return true;
}

static bool parse_example(struct example *example, int argc, char **argv)
{
	struct rgbroker_operation *operation = &example->operation;
	uint16_t value;

	if (operation_kind_has_command(operation->kind, operation->read)) {
		if (argc < 1 || !parse_one(argv[0], 0xff, &value))
			return false;
		operation->command = (uint8_t)value;
		argc--;
		argv++;
	}
	return operation->read ? read_length(operation, argc, argv)
			       : write_data(example, argc, argv);
}

static void add_text(json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static json_object *to_json(const struct judgement *judgement, const char *what, const char *why)
{
	json_object *object = json_object_new_object();

	add_text(object, "operation", what);
	add_text(object, "verdict", verdict_name(judgement));
	add_text(object, "why", why);
	if (judgement->device) {
		add_text(object, "device", judgement->device->name);
		add_text(object, "file",
			judgement->rule ? judgement->rule->file : judgement->device->file);
	}
	if (judgement->rule) {
		add_text(object, "rule", judgement->rule->text);
		json_object_object_add(object, "line", json_object_new_int(judgement->rule->line));
	}
	if (judgement->floor)
		add_text(object, "floor", judgement->floor->why);
	return object;
}

static int tell(const struct options *options, const struct judgement *judgement, const char *what,
	const char *why)
{
	static const int codes[] = {[VERDICT_ALLOWED] = CTL_OK,
		[VERDICT_REFUSED] = CTL_REFUSED,
		[VERDICT_NEEDS_FACT] = CTL_DEPENDS};

	if (options->json)
		print_json(to_json(judgement, what, why));
	else
		printf("%s: %s\n  %s\n", verdict_name(judgement), what, why);
	return codes[judgement->verdict];
}

static int judge(
	const struct options *options, const struct adapter *adapter, const struct example *example)
{
	struct facts facts = {0};
	struct judgement judgement;
	struct policy policy;
	char operation[64], what[96], why[512];
	int code = load_policy(options, adapter, &policy);

	if (code == CTL_OK) {
		find_owners(adapter, &facts);
		judgement = policy_judge(&policy,
			&(struct caller){.door = policy_find_door(&policy, options->door)}, &facts,
			&example->operation, example->data);
		snprintf(what, sizeof(what), "%s on i2c-%u",
			operation_text(&example->operation, operation, sizeof(operation)),
			adapter->number);
		code = tell(
			options, &judgement, what, policy_explain(&judgement, why, sizeof(why)));
	}
	policy_free(&policy);
	return code;
}

int verb_check(const struct options *options, int argc, char **argv)
{
	static const struct judgement unsayable = {.verdict = VERDICT_REFUSED};
	static struct example example;
	struct adapter adapter;
	uint16_t address;
	int code = argc < 3 ? CTL_USAGE : find_bus(argv[0], &adapter);

	if (code != CTL_OK)
		return code;
	if (!parse_one(argv[1], ADDRESSES - 1, &address))
		return CTL_USAGE;
	example.operation.address = (uint8_t)address;
	if (strcmp(argv[2], "process_call") == 0 || strcmp(argv[2], "block_process_call") == 0)
		return tell(options, &unsayable, argv[2],
			"the protocol has no such operation: nobody can ask a broker for it");
	if (parse_name(argv[2], &example.operation) < 0 ||
		!parse_example(&example, argc - 3, argv + 3))
		return CTL_USAGE;
	return judge(options, &adapter, &example);
}
