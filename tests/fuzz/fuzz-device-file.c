/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any text as a device file, its drop-ins and a door file: what is taken keeps what the reader
 * promises, what is not is told with file, line and reason. Lines "%%drop-in" and "%%door" begin
 * the next file.
 */
#include "policy/config.h"
#include "policy/parse.h"

#include "tests/fuzz/floor.h"
#include "tests/fuzz/must.h"

#define PARTS_MAX 6
#define PREFIX "fuzz/"

static struct part {
	char name[32];
	const uint8_t *text;
	size_t size;
	int lines;
	bool door;
} parts[PARTS_MAX];
static unsigned n_parts;

/* --- files that are none --- */

FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);

static struct part *find_part(const char *name)
{
	for (unsigned i = 0; i < n_parts; i++)
		if (strcmp(parts[i].name, name) == 0)
			return &parts[i];
	return NULL;
}

FILE *__wrap_fopen64(const char *path, const char *mode)
{
	struct part *part = find_part(path);

	if (!part)
		return __real_fopen64(path, mode);
	return fmemopen((void *)(uintptr_t)part->text, part->size, "r");
}

static void add_part(const uint8_t *text, size_t size, bool door)
{
	struct part *part = &parts[n_parts];

	snprintf(part->name, sizeof(part->name), PREFIX "%u.conf", n_parts++);
	part->text = text;
	part->size = size;
	part->door = door;
	part->lines = 1;
	for (size_t i = 0; i < size; i++)
		part->lines += text[i] == '\n';
}

static void split(const uint8_t *text, size_t size)
{
	static const char door_line[] = "%%door\n";
	const uint8_t *end = text + size;
	bool is_door = false;

	n_parts = 0;
	while (n_parts < PARTS_MAX) {
		const uint8_t *next = text;

		while (next < end &&
			memcmp(next, "%%d", (size_t)(end - next) < 3 ? (size_t)(end - next) : 3) !=
				0)
			next++;
		add_part(text, (size_t)(next - text), is_door);
		if (next == end)
			return;
		is_door = (size_t)(end - next) >= sizeof(door_line) - 1 &&
			  memcmp(next, door_line, sizeof(door_line) - 1) == 0;
		text = memchr(next, '\n', (size_t)(end - next));
		if (!text)
			return;
		text++;
	}
}

/* --- what is told --- */

struct told {
	unsigned count, whole; /* those about the file as a whole */
};

static void on_problem(void *userdata, const char *file, int line, const char *why)
{
	struct told *told = userdata;
	const struct part *part = find_part(file);

	must(part, "told of %s, which nobody gave", file);
	must(line >= 0 && line <= part->lines, "told of line %d of %d", line, part->lines);
	must(why && strlen(why) > 5 && strlen(why) < 160, "no reason");
	for (const char *at = why; *at; at++)
		must(*at >= ' ' && *at < 0x7f, "byte %#x in the reason", *at);
	told->count++;
	told->whole += line == 0;
}

/* --- what was taken --- */

static void check_text(const char *text, const char *file, int line)
{
	const struct part *part = find_part(file);

	must(part && line > 0 && line <= part->lines, "a line of %s:%d", file, line);
	must(text && strchr(text, '='), "no text of %s:%d", file, line);
}

static void check_ranges(const struct word_range *ranges, unsigned count, unsigned max)
{
	must(count <= VALUES_MAX, "%u values", count);
	for (unsigned i = 0; i < count; i++)
		must(ranges[i].first <= ranges[i].last && ranges[i].last <= max, "value %u", i);
}

static void check_rule(const struct device *device, const struct rule *rule)
{
	static const unsigned longest[] = {0, 1, 1, 2, 0, 32, 0, 0, 32};
	unsigned max = rule->kind == RGBROKER_I2C ? 1024 : longest[rule->kind];
	const char *value = strchr(rule->text, '=') + 1;
	struct rule again;
	bool any = false;

	check_text(rule->text, rule->file, rule->line);
	must(operation_kind_from_name(operation_kind_name(rule->kind)) == rule->kind, "kind %u",
		rule->kind);
	must(rule->length.first <= rule->length.last && rule->length.last <= max, "length %u-%u",
		rule->length.first, rule->length.last);
	must(rule->n_data <= RULE_DATA_MAX && rule->n_data <= rule->length.last, "%u data",
		rule->n_data);
	must(!rule->read || rule->n_data == 0, "data of a read");
	for (unsigned i = 0; i < rule->n_data; i++)
		must(rule->data[i].first <= rule->data[i].last, "data %u", i);
	for (unsigned i = 0; i < sizeof(rule->commands); i++)
		any |= rule->commands[i];
	must(any, "no command");
	must(rule->role == RULE_PLAIN || rule->after_recognition, "a pointer before recognition");
	must(!rule->after_recognition || device->no_fingerprint || device->n_expectations,
		"after which recognition?");
	/* The text is what explanations show: it means the same. */
	must(parse_rule(value, rule->read, &again) == NULL, "its text is no rule: %s", rule->text);
	must(again.kind == rule->kind && again.n_data == rule->n_data &&
			again.length.first == rule->length.first &&
			again.length.last == rule->length.last &&
			memcmp(again.commands, rule->commands, sizeof(again.commands)) == 0 &&
			memcmp(again.data, rule->data, sizeof(again.data)) == 0,
		"its text is another rule: %s", rule->text);
}

/* A rule that could never hold is a mistake, and is told. */
static void check_closed(const struct device *device, uint8_t kind, bool read, uint16_t length)
{
	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++)
		for (unsigned at = 0; at < ADDRESSES; at++) {
			const struct rgbroker_operation operation = {.kind = kind,
				.read = read,
				.address = (uint8_t)at,
				.length = length};

			must(!(device->classes & (1U << class)) ||
					!bitmap_has(device->addresses, at) ||
					!is_closed(class, &operation),
				"a rule for 0x%02x, which is closed for good", at);
		}
}

static void check_expectation(const struct expectation *expectation)
{
	must(expectation->kind > RGBROKER_BYTE, "a fingerprint by kind %u", expectation->kind);
	must(expectation->length >= 1 && expectation->length <= RGBROKER_BLOCK_MAX, "length %u",
		expectation->length);
	must(expectation->n_data <= RULE_DATA_MAX && expectation->n_data <= expectation->length,
		"%u data", expectation->n_data);
	must(expectation->n_send <= RULE_DATA_MAX, "sends %u", expectation->n_send);
	must(expectation->n_values || expectation->n_data, "any answer is as expected");
	must(expectation->kind == RGBROKER_I2C || expectation->n_send == 0, "sends, and is none");
	check_ranges(expectation->values, expectation->n_values,
		expectation->kind == RGBROKER_BYTE_DATA ? 0xff : 0xffff);
}

static void check_device(const struct device *device)
{
	bool set = false, data = false;
	unsigned addresses = 0;

	must(device->name && device->file && device->description && *device->description,
		"no name");
	must(device->classes &&
			!(device->classes & ~(1U << BUS_SMBUS | 1U << BUS_GPU | 1U << BUS_CUSTOM)),
		"classes %#x", device->classes);
	for (unsigned at = 0; at < ADDRESSES; at++)
		addresses += bitmap_has(device->addresses, at);
	must(addresses > 0 && device->n_rules > 0, "no address, or no rule");
	must(device->pause_ms <= 20, "a pause of %u ms", device->pause_ms);
	must(!device->no_fingerprint || !device->n_expectations, "none, and some");
	must(device->memory || (!device->makers[0] && !device->any_slot), "a maker of nothing");
	check_closed(device, RGBROKER_BYTE_DATA, true, 1);
	for (size_t i = 0; i < device->n_rules; i++)
		check_closed(device, device->rules[i].kind, device->rules[i].read,
			device->rules[i].length.first);
	for (size_t i = 0; i < device->n_expectations; i++)
		check_expectation(&device->expectations[i]);
	for (size_t i = 0; i < device->n_rules; i++) {
		check_rule(device, &device->rules[i]);
		set |= device->rules[i].role == RULE_POINTER;
		data |= device->rules[i].role == RULE_DATA;
	}
	must(set == data && set == (device->n_registers > 0), "half a pointer");
	for (size_t i = 0; i < device->n_registers; i++) {
		const struct register_rule *rule = &device->registers[i];

		check_text(rule->text, rule->file, rule->line);
		must(rule->registers.first <= rule->registers.last, "registers");
		check_ranges(rule->values, rule->n_values, 0xff);
		must(!(rule->read || rule->moves) || rule->n_values == 0, "values of none");
	}
}

/* --- what it opens --- */

static struct policy policy;
static struct facts facts;
static struct door door;
static struct caller caller;

/* All is proven that can be. */
static void prove_all(const struct device *device)
{
	enum memory_kind kind = device->memory & (1U << MEMORY_DDR5) ? MEMORY_DDR5 : MEMORY_DDR4;

	memset(&facts, 0, sizeof(facts));
	memset(facts.owner, OWNER_NONE, sizeof(facts.owner));
	memset(facts.edid, PRESENCE_NO, sizeof(facts.edid));
	memset(facts.answers, PRESENCE_NO, sizeof(facts.answers));
	memset(facts.recognised, 0xff, sizeof(facts.recognised));
	for (unsigned slot = 0; slot < SLOTS; slot++)
		facts.memory[slot] = (struct memory){kind, true, device->makers[0]};
	door = (struct door){
		.name = policy.devices[0]->name, .transfer = DOOR_READ_WRITE, .devices = 1};
	caller = (struct caller){.door = &door};
}

static bool passes(const struct rgbroker_operation *operation, const uint8_t *data)
{
	struct judgement judgement =
		policy_judge(&policy, &caller, &facts, operation, operation->read ? NULL : data);
	char text[400];

	must(strlen(operation_text(operation, text, sizeof(text))) < 64, "%s", text);
	if (judgement.verdict == VERDICT_REFUSED)
		must(strlen(policy_explain(&judgement, text, sizeof(text))) > 5, "no reason");
	return judgement.verdict == VERDICT_ALLOWED;
}

/* Lifted by a recognised chip alone, as wire and floor have it. */
static bool wants_chip(const struct rgbroker_operation *operation)
{
	unsigned at = operation->address;
	bool writes = !operation->read;

	if (policy.adapter.class != BUS_SMBUS)
		return false;
	if (is_within(at, 0x48, 0x4f))
		return writes || is_quick(operation);
	return writes && !is_quick(operation) &&
	       (is_within(at, 0x10, 0x1f) || is_within(at, 0x58, 0x5f));
}

static bool module_proves(const struct device *device, unsigned at)
{
	return device->memory && device->makers[0] && !device->any_slot &&
	       (is_within(at, 0x18, 0x1f) || is_within(at, 0x58, 0x5f));
}

/* What may be read of a recognised chip, some of it may be read before. */
static bool detects(const struct device *device, const struct rgbroker_operation *operation)
{
	for (size_t i = 0; operation->read && i < device->n_rules; i++) {
		const struct rule *rule = &device->rules[i];

		if (!rule->after_recognition && rule->read && rule->kind == operation->kind &&
			bitmap_has(rule->commands, operation->command))
			return true;
	}
	return false;
}

static void check_operation(const struct device *device, const struct rule *rule,
	const struct rgbroker_operation *operation, const uint8_t *data)
{
	unsigned at = operation->address;
	bool sends = !operation->read || is_quick(operation);

	prove_all(device);
	caller.pointer = (struct pointer){
		true, device->n_registers ? device->registers[0].registers.first : 0};
	if (!passes(operation, data))
		return;
	must(bitmap_has(device->addresses, at), "it is not at 0x%02x", at);
	must(!is_closed(policy.adapter.class, operation), "0x%02x is closed for good", at);
	caller.claimed = true;
	must(!sends || !passes(operation, data), "0x%02x is another's", at);
	caller.claimed = false;
	door.transfer = DOOR_READ_ONLY;
	must(!sends || !passes(operation, data), "a reader writes at 0x%02x", at);
	door.transfer = DOOR_NOTHING;
	must(!passes(operation, data), "a door without rights");
	door.transfer = DOOR_READ_WRITE;
	facts.owner[at] = OWNER_KERNEL;
	must(!passes(operation, data), "0x%02x is a driver's", at);
	facts.owner[at] = OWNER_NONE;
	facts.recognised[at] = 0;
	facts.stranger[at] = 1;
	must(!wants_chip(operation) || module_proves(device, at) || !passes(operation, data),
		"0x%02x is not recognised", at);
	must(!rule->after_recognition || device->no_fingerprint || detects(device, operation) ||
			!passes(operation, data),
		"[Control] before 0x%02x is recognised", at);
	prove_all(device);
	for (unsigned slot = 0; slot < SLOTS; slot++)
		facts.memory[slot] = (struct memory){.kind = MEMORY_OBSCURE};
	must(!wants_chip(operation) || is_within(at, 0x10, 0x17) || !passes(operation, data),
		"0x%02x, whatever the module is", at);
	must(!device->memory || detects(device, operation) || !passes(operation, data),
		"0x%02x without its module", at);
}

static bool register_opens(const struct device *device, unsigned number, bool read, uint8_t value)
{
	for (size_t i = 0; i < device->n_registers; i++) {
		const struct register_rule *rule = &device->registers[i];
		bool fits = rule->n_values == 0;

		for (unsigned k = 0; k < rule->n_values; k++)
			fits |= value >= rule->values[k].first && value <= rule->values[k].last;
		if (rule->read == read && number >= rule->registers.first &&
			number <= rule->registers.last && (read || fits))
			return true;
	}
	return false;
}

/* Behind a pointer: each byte lies in a register that is opened. */
static void try_pointer(const struct device *device, const struct rgbroker_operation *operation,
	const uint8_t *data, unsigned pointer)
{
	prove_all(device);
	caller.pointer = (struct pointer){pointer <= UINT16_MAX, (uint16_t)pointer};
	if (!passes(operation, data))
		return;
	must(pointer <= UINT16_MAX, "a pointer that nobody knows");
	for (unsigned i = 0; i < operation_payload(operation); i++)
		must(register_opens(
			     device, pointer + i, operation->read, operation->read ? 0 : data[i]),
			"register 0x%04x is not opened", pointer + i);
}

static void try_pointers(
	const struct device *device, struct rgbroker_operation operation, const uint8_t *data)
{
	for (unsigned at = 0; at < ADDRESSES && !bitmap_has(device->addresses, operation.address);
		at++)
		operation.address = (uint8_t)at;
	for (size_t i = 0; i < device->n_registers && i < 16; i++) {
		const struct word_range *range = &device->registers[i].registers;

		try_pointer(device, &operation, data, range->first);
		try_pointer(device, &operation, data, range->last);
		try_pointer(device, &operation, data, range->last + 1U);
		if (range->first)
			try_pointer(device, &operation, data, range->first - 1U);
	}
	try_pointer(device, &operation, data, UINT16_MAX + 1);
}

/* What it names first and last, at every address. */
static void try_rule(const struct device *device, const struct rule *rule)
{
	for (unsigned last = 0; last < 2; last++) {
		struct rgbroker_operation operation = {.kind = rule->kind,
			.read = rule->read,
			.length = last ? rule->length.last : rule->length.first};
		uint8_t data[RGBROKER_TRANSFER_MAX] = {0};

		for (unsigned i = 0; i < rule->n_data; i++)
			data[i] = last ? rule->data[i].last : rule->data[i].first;
		for (unsigned i = 0; i < 256; i++)
			if (bitmap_has(rule->commands, last ? i : 255 - i))
				operation.command = (uint8_t)(last ? i : 255 - i);
		if (!operation_kind_has_command(rule->kind, rule->read))
			operation.command = 0;
		if (rule->read &&
			(rule->kind == RGBROKER_BLOCK_DATA || rule->kind == RGBROKER_I2C_BLOCK))
			operation.length++;
		for (unsigned at = 0; at < ADDRESSES; at++) {
			operation.address = (uint8_t)at;
			check_operation(device, rule, &operation, data);
		}
		if (rule->role == RULE_DATA)
			try_pointers(device, operation, data);
	}
}

static void try_device(struct device *device)
{
	uint8_t addresses[sizeof(device->addresses)];

	for (enum bus_class class = BUS_SMBUS; class <= BUS_CUSTOM; class ++) {
		if (!(device->classes & (1U << class)))
			continue;
		policy = (struct policy){
			.adapter = {.class = class, .name = "SMBus PIIX4 adapter port 0"},
			.devices = {device},
			.n_devices = 1};
		device_matches(device, &policy.adapter);
		/* Rules beyond some are like those before. */
		for (size_t i = 0; i < device->n_rules && i < 24; i++)
			try_rule(device, &device->rules[i]);
		/* Were it everywhere, as the file cannot say, the floor would still hold. */
		memcpy(addresses, device->addresses, sizeof(addresses));
		memset(device->addresses, 0xff, sizeof(addresses));
		for (size_t i = 0; i < device->n_rules && i < 24; i++)
			try_rule(device, &device->rules[i]);
		memcpy(device->addresses, addresses, sizeof(addresses));
	}
}

static void load_door(unsigned number)
{
	char *files[] = {parts[number].name, NULL};
	struct told told = {0};
	struct door loaded = {.name = NULL};
	bool good = door_load(&loaded, "rgb", files, &policy, on_problem, &told);

	must(good == (told.count == 0), "taken: %d, told: %u", good, told.count);
	if (!good)
		return;
	must(strcmp(loaded.name, "rgb") == 0 && loaded.transfer <= DOOR_READ_WRITE, "a door");
	must(!(loaded.devices >> policy.n_devices), "devices that there are not");
	free(loaded.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *files[PARTS_MAX + 1];
	unsigned n_files = 0;
	struct told told = {0};
	struct device *device;

	split(data, size);
	for (unsigned i = 0; i < n_parts; i++)
		if (!parts[i].door)
			files[n_files++] = parts[i].name;
	files[n_files] = NULL;
	policy = (struct policy){.n_devices = 0};
	device = device_load("fuzzed", files, on_problem, &told);
	must(!device == (told.count > 0), "taken: %d, told: %u", device != NULL, told.count);
	if (device) {
		check_device(device);
		try_device(device);
	}
	for (unsigned i = 1; i < n_parts; i++)
		if (parts[i].door)
			load_door(i);
	device_free(device);
	return 0;
}
