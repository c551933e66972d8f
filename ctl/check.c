/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check: the verdict on one operation, by the code that decides in the broker. */
#include "ctl/explain.h"

#include <stdio.h>
#include <string.h>

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

/* explanation: its steps, or NULL. */
static int tell(const struct options *options, const struct judgement *judgement, const char *what,
	const char *why, json_object *explanation)
{
	static const int codes[] = {[VERDICT_ALLOWED] = CTL_OK,
		[VERDICT_REFUSED] = CTL_REFUSED,
		[VERDICT_NEEDS_FACT] = CTL_DEPENDS};
	json_object *object;

	if (options->json) {
		object = to_json(judgement, what, why);
		if (explanation)
			json_object_object_add(object, "explanation", explanation);
		print_json(object);
		return codes[judgement->verdict];
	}
	if (explanation)
		explain_print(explanation);
	json_object_put(explanation);
	printf("%s: %s\n  %s\n", verdict_name(judgement), what, why);
	return codes[judgement->verdict];
}

static int judge(const struct options *options, const struct adapter *adapter,
	const struct policy *policy, const struct example *example, struct pointer pointer)
{
	static struct question question;
	struct judgement judgement;
	char operation[64], what[96], why[512];

	question = (struct question){.policy = policy,
		.caller = {.door = policy_find_door(policy, options->door),
			.claimed = options->claimed,
			.pointer = pointer},
		.example = example};
	find_owners(adapter, &question.facts);
	judgement = policy_judge(
		policy, &question.caller, &question.facts, &example->operation, example->data);
	settle_verdict(&question, &judgement);
	snprintf(what, sizeof(what), "%s on i2c-%u",
		operation_text(&example->operation, operation, sizeof(operation)), adapter->number);
	return tell(options, &judgement, what, policy_explain(&judgement, why, sizeof(why)),
		options->explain ? explain(options, &question) : NULL);
}

static bool parse_pointer(const char *text, struct pointer *ret_pointer)
{
	*ret_pointer = (struct pointer){.known = text != NULL};
	return !text || parse_one(text, UINT16_MAX, &ret_pointer->value);
}

int verb_check(const struct options *options, int argc, char **argv)
{
	static const struct judgement unsayable = {.verdict = VERDICT_REFUSED};
	static struct example example;
	struct adapter adapter;
	struct pointer pointer;
	struct policy policy;
	uint16_t address;
	int code = argc < 3 ? CTL_USAGE : find_bus(argv[0], &adapter);

	if (code != CTL_OK)
		return code;
	if (!parse_one(argv[1], ADDRESSES - 1, &address) ||
		!parse_pointer(options->pointer, &pointer))
		return CTL_USAGE;
	example.operation.address = (uint8_t)address;
	if (strcmp(argv[2], "process_call") == 0 || strcmp(argv[2], "block_process_call") == 0)
		return tell(options, &unsayable, argv[2],
			"the protocol has no such operation: nobody can ask a broker for it", NULL);
	if (parse_name(argv[2], &example.operation) < 0 ||
		!parse_example(&example, argc - 3, argv + 3))
		return CTL_USAGE;
	code = load_policy(options, &adapter, &policy);
	if (code == CTL_OK)
		code = judge(options, &adapter, &policy, &example, pointer);
	policy_free(&policy);
	return code;
}
