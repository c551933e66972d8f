/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of the verdict: door, floor, then each rule of each file at that address. */
#include "ctl/explain.h"

#include <stdio.h>
#include <string.h>

/* --- what comes before the rules --- */

/* Whether the door leaves it to the others. */
static bool explain_door(
	const struct options *options, const struct question *question, json_object *steps)
{
	static const char *const transfers[] = {"nothing", "read-only", "read-write"};
	const struct door *door = question->caller.door;
	struct judgement judgement = policy_judge(question->policy, &question->caller,
		&question->facts, &question->example->operation, question->example->data);
	bool gives = judgement.reason != RGBROKER_REASON_DOOR;
	char text[160];

	if (!question->policy->adapter.class)
		snprintf(
			text, sizeof(text), "the bus is not brokered: no door gives a right to it");
	else if (!door)
		snprintf(text, sizeof(text), "%.64s has no file in doors/, and gives no rights",
			options->door);
	else
		snprintf(text, sizeof(text), "%.64s has Transfer=%s, which gives %s to it",
			options->door, transfers[door->transfer], gives ? "a right" : "no right");
	add_step(steps, "door", text, false, NULL);
	return gives;
}

static bool explain_floor(const struct question *question, json_object *steps)
{
	static const char *const lifts[] = {
		[FLOOR_OPEN] = "leaves this open",
		[FLOOR_CHIP] = "opens this for a recognised chip alone",
		[FLOOR_CHIP_UNBUFFERED] =
			"opens this for a recognised chip alone, by an unbuffered module",
		[FLOOR_CHIP_NOT_DDR5] =
			"opens this for a recognised chip alone, on a bus without DDR5",
		[FLOOR_NOT_DISPLAY] = "opens this where no display answers",
		[FLOOR_NEVER] = "closes this for good",
	};
	const struct rgbroker_operation *operation = &question->example->operation;
	const struct floor_row *row =
		floor_find(question->policy->adapter.class, operation->address);
	enum floor_lift lift = floor_lift(row, operation);
	char text[320];

	if (row)
		snprintf(text, sizeof(text), "0x%02x-0x%02x %s: %s", row->first, row->last,
			lifts[lift], row->why);
	else
		snprintf(text, sizeof(text), "has no row for 0x%02x", operation->address);
	add_step(steps, "floor", text, false, NULL);
	return lift != FLOOR_NEVER;
}

/* --- rules --- */

/* In words; that it does not hold the verdict itself has told. */
static const char *why_not(const struct rule *rule, const struct example *example)
{
	static const char *const misfits[] = {
		[FITS] = "not through this door",
		[MISFIT_OPERATION] = "another operation",
		[MISFIT_COMMAND] = "not with this command",
		[MISFIT_LENGTH] = "not with this length",
		[MISFIT_DATA] = "not with these data",
	};

	return misfits[rule_misfit(rule, &example->operation, example->data)];
}

static json_object *explain_rule(const struct question *question, unsigned index, struct rule *rule)
{
	json_object *object = json_object_new_object(), *steps;
	static struct alone alone;
	struct judgement judgement;
	char why[512];

	alone_make(&alone, question, index, rule);
	judgement = alone_judge(&alone);
	add_text(object, "file", rule->file);
	add_number(object, "line", (uint64_t)rule->line);
	add_text(object, "rule", rule->text);
	json_object_object_add(object, "holds", json_object_new_boolean(judgement.rule != NULL));
	if (!judgement.rule) {
		add_text(object, "why_not", why_not(rule, question->example));
		return object;
	}
	steps = json_object_new_array();
	judgement = gate_steps(&alone, steps);
	json_object_object_add(object, "steps", steps);
	add_text(object, "verdict", verdict_name(&judgement));
	add_text(object, "why", policy_explain(&judgement, why, sizeof(why)));
	return object;
}

static json_object *explain_device(const struct question *question, unsigned index)
{
	const struct device *device = question->policy->devices[index];
	json_object *object = json_object_new_object(), *rules = json_object_new_array();

	add_text(object, "name", device->name);
	add_text(object, "file", device->file);
	add_text(object, "description", device->description);
	for (size_t k = 0; k < device->n_rules; k++)
		json_object_array_add(rules, explain_rule(question, index, &device->rules[k]));
	json_object_object_add(object, "rules", rules);
	return object;
}

json_object *explain(const struct options *options, const struct question *question)
{
	json_object *object = json_object_new_object();
	json_object *steps = json_object_new_array(), *devices = json_object_new_array();
	uint8_t address = question->example->operation.address;

	json_object_object_add(object, "steps", steps);
	json_object_object_add(object, "devices", devices);
	if (!explain_door(options, question, steps) || !explain_floor(question, steps))
		return object;
	for (unsigned i = 0; i < question->policy->n_devices; i++)
		if (bitmap_has(question->policy->devices[i]->addresses, address))
			json_object_array_add(devices, explain_device(question, i));
	return object;
}

/* --- the same for a person --- */

static void print_steps(json_object *steps, const char *indent)
{
	for (size_t i = 0; steps && i < json_object_array_length(steps); i++) {
		json_object *step = json_object_array_get_idx(steps, i);
		bool supposed = json_object_get_boolean(json_object_object_get(step, "supposed"));

		printf("%s%s: %s%s", indent, get_text(step, "step"), get_text(step, "is"),
			supposed ? " (supposed" : "");
		if (supposed && get_text(step, "otherwise")[0])
			printf("; otherwise %s%s%s", get_text(step, "otherwise"),
				get_text(step, "reason")[0] ? ", " : "", get_text(step, "reason"));
		printf("%s\n", supposed ? ")" : "");
	}
}

static void print_rule(json_object *rule)
{
	bool holds = json_object_get_boolean(json_object_object_get(rule, "holds"));

	printf("    %s:%s %s: %s\n", get_text(rule, "file"), get_text(rule, "line"),
		get_text(rule, "rule"), holds ? "holds" : get_text(rule, "why_not"));
	if (!holds)
		return;
	print_steps(json_object_object_get(rule, "steps"), "        ");
	printf("        so %s: %s\n", get_text(rule, "verdict"), get_text(rule, "why"));
}

void explain_print(json_object *explanation)
{
	json_object *devices = json_object_object_get(explanation, "devices");

	print_steps(json_object_object_get(explanation, "steps"), "");
	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		json_object *device = json_object_array_get_idx(devices, i);
		json_object *rules = json_object_object_get(device, "rules");

		printf("file %s: %s\n", get_text(device, "name"), get_text(device, "description"));
		for (size_t k = 0; k < json_object_array_length(rules); k++)
			print_rule(json_object_array_get_idx(rules, k));
	}
}
