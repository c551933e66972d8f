/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What OpenRGB sent, judged by the shipped files: all of it passes but the paging of SPDs. Then
 * every write with one field changed: what passes still lies within the lines of a file, as a
 * second reader of the files says. See tests/traces/README.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"
#include "tests/unit/reread.h"

/* One of the two adapters; see the traces' README. */
struct bus {
	struct policy policy;
	struct caller caller;
	struct facts facts;
	const struct family *families[POLICY_DEVICES_MAX];
	struct pointer pointers[ADDRESSES]; /* of the only context there is, as policy/ says */
	struct pointer behind[ADDRESSES];   /* the same, as this test follows it */
	bool recognised[ADDRESSES];
};

struct transfer {
	char adapter;
	struct rgbroker_operation operation;
	uint8_t data[RGBROKER_BLOCK_MAX];
	int result;
};

static struct family *families;
static size_t n_families;
static struct bus chipset, card;

static const struct family *family_of(const char *name)
{
	for (size_t i = 0; i < n_families; i++)
		if (strcmp(families[i].name, name) == 0)
			return &families[i];
	fail_msg("no file %s", name);
	return NULL;
}

static void make_bus(struct bus *bus, const struct adapter *adapter)
{
	static const char *const folders[] = {SOURCE_ROOT, NULL};
	struct problems problems = {0};

	assert_int_equal(policy_load(&bus->policy, adapter, folders, problems_add, &problems), 0);
	assert_int_equal(problems.count, 0);
	for (size_t i = 0; i < bus->policy.n_devices; i++)
		bus->families[i] = family_of(bus->policy.devices[i]->name);
	bus->caller.door = policy_find_door(&bus->policy, "rgb");
	assert_non_null(bus->caller.door);
}

static int load(void **state)
{
	static const struct adapter a = {.class = BUS_SMBUS,
		.name = "SMBus PIIX4 adapter port 0 at 0b00",
		.pci = true,
		.pci_ids = {0x1022, 0x790b, 0x1849, 0xffff}};
	static const struct adapter b = {.class = BUS_GPU,
		.name = "NVIDIA i2c adapter 1 at 1:00.0",
		.pci = true,
		.pci_ids = {0x10de, 0x2206, 0x1043, 0x87b2}};

	families = reread(SOURCE_ROOT "/devices", false, &n_families);
	make_bus(&chipset, &a);
	make_bus(&card, &b);
	return 0;
}

static int unload(void **state)
{
	policy_free(&chipset.policy);
	policy_free(&card.policy);
	free(families);
	return 0;
}

static void recognise(struct bus *bus, uint8_t address, const char *name)
{
	for (size_t i = 0; i < bus->policy.n_devices; i++)
		if (strcmp(bus->families[i]->name, name) == 0) {
			bus->facts.recognised[address] = UINT64_C(1) << i;
			bus->facts.stranger[address] = ~bus->facts.recognised[address];
			bus->recognised[address] = true;
			return;
		}
	fail_msg("%s is not there", name);
}

static void fresh(struct bus *bus)
{
	memset(&bus->facts, 0, sizeof(bus->facts));
	memset(bus->facts.stranger, 0xff, sizeof(bus->facts.stranger));
	memset(bus->facts.owner, OWNER_NONE, sizeof(bus->facts.owner));
	memset(bus->facts.edid, PRESENCE_NO, sizeof(bus->facts.edid));
	memset(bus->facts.answers, PRESENCE_NO, sizeof(bus->facts.answers));
	memset(bus->pointers, 0, sizeof(bus->pointers));
	memset(bus->behind, 0, sizeof(bus->behind));
	memset(bus->recognised, 0, sizeof(bus->recognised));
	for (unsigned slot = 0; slot < SLOTS; slot++)
		bus->facts.memory[slot].kind = MEMORY_EMPTY;
}

/* Two DDR4 modules with ENE controllers; a card with one, and a display. */
static int fresh_buses(void **state)
{
	fresh(&chipset);
	fresh(&card);
	chipset.facts.memory[0] = chipset.facts.memory[1] = (struct memory){MEMORY_DDR4, true, 0};
	recognise(&chipset, 0x70, "ene-dram");
	recognise(&chipset, 0x72, "ene-dram");
	card.facts.edid[0x50] = PRESENCE_YES;
	recognise(&card, 0x67, "asus-ene-gpu");
	return 0;
}

/* --- reading traces --- */

static bool read_transfer(FILE *file, struct transfer *transfer)
{
	unsigned address, command = 0;
	char direction, kind[16], command_text[8], data[80];
	struct rgbroker_operation *operation = &transfer->operation;

	memset(transfer, 0, sizeof(*transfer));
	if (fscanf(file, "%*u %c 0x%x %c %15s %7s %79s %d %*s", &transfer->adapter, &address,
		    &direction, kind, command_text, data, &transfer->result) != 7)
		return false;
	sscanf(command_text, "0x%x", &command);
	operation->kind = (uint8_t)operation_kind_from_name(kind);
	operation->read = direction == 'R';
	operation->address = (uint8_t)address;
	operation->command = (uint8_t)command;
	if (operation->read) {
		operation->length = operation->kind == RGBROKER_WORD_DATA    ? 2
				    : operation->kind == RGBROKER_BLOCK_DATA ? 33
				    : operation->kind == RGBROKER_QUICK      ? 0
									     : 1;
		return true;
	}
	for (const char *byte = data; *data != '-' && *byte; byte += 2) {
		unsigned value;

		assert_int_equal(sscanf(byte, "%2x", &value), 1);
		transfer->data[operation->length++] = (uint8_t)value;
	}
	return true;
}

static struct judgement judge(
	struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data)
{
	bus->caller.pointer = bus->pointers[operation->address];
	return policy_judge(
		&bus->policy, &bus->caller, &bus->facts, operation, operation->read ? NULL : data);
}

/* --- the second opinion --- */

static bool module_there(const struct bus *bus, const struct family *family, uint8_t address)
{
	if (!family->ddr4 && !family->ddr5)
		return true;
	if (family->n_makers) /* nobody's: no driver has read it */
		return false;
	return family->ddr4 && bus->facts.memory[address & 7].kind == MEMORY_DDR4;
}

static bool within_a_file(
	const struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data)
{
	const struct pointer *behind = &bus->behind[operation->address];

	for (size_t i = 0; i < bus->policy.n_devices; i++) {
		const struct family *family = bus->families[i];
		bool known = bus->recognised[operation->address] &&
			     (strcmp(family->name, "ene-dram") == 0 ||
				     strcmp(family->name, "asus-ene-gpu") == 0);

		/* An unknown pointer is none of any register. */
		if (family_says(family, known, behind->known ? behind->value : 0x10000, operation,
			    data) &&
			(operation->read || module_there(bus, family, operation->address)))
			return true;
	}
	return false;
}

/* Where an ENE controller's pointer is. */
static void follow(struct bus *bus, const struct transfer *transfer)
{
	const struct rgbroker_operation *operation = &transfer->operation;
	struct pointer *behind = &bus->behind[operation->address];

	if (operation->kind == RGBROKER_WORD_DATA && !operation->read && operation->command == 0)
		*behind = (struct pointer){
			true, (uint16_t)(transfer->data[0] << 8 | transfer->data[1])};
	else if (operation->read && operation->command == 0x81)
		behind->known = false;
	else if (!operation->read && (operation->command == 1 || operation->command == 3))
		behind->value = (uint16_t)(behind->value + operation->length);
}

/* --- one field changed --- */

struct count {
	unsigned long transfers, passed, paging, wrong, mutations, refused, inside;
};

static void try_mutation(struct bus *bus, const struct rgbroker_operation *operation,
	const uint8_t *data, struct count *count)
{
	bool passed = judge(bus, operation, data).verdict == VERDICT_ALLOWED;
	char text[64];

	count->mutations++;
	count->refused += !passed;
	count->inside += passed;
	if (passed != within_a_file(bus, operation, data))
		fail_msg("%s, length %u, data %02x %02x %02x, pointer %d 0x%04x: %s",
			operation_text(operation, text, sizeof(text)), operation->length, data[0],
			data[1], data[2], bus->behind[operation->address].known,
			bus->behind[operation->address].value, passed ? "passes" : "does not pass");
}

static void mutate(struct bus *bus, const struct transfer *transfer, struct count *count)
{
	static const struct rgbroker_operation kinds[] = {
		{.kind = RGBROKER_QUICK},
		{.kind = RGBROKER_QUICK, .read = 1},
		{.kind = RGBROKER_BYTE},
		{.kind = RGBROKER_BYTE, .read = 1, .length = 1},
		{.kind = RGBROKER_BYTE_DATA, .length = 1},
		{.kind = RGBROKER_BYTE_DATA, .read = 1, .length = 1},
		{.kind = RGBROKER_WORD_DATA, .length = 2},
		{.kind = RGBROKER_WORD_DATA, .read = 1, .length = 2},
		{.kind = RGBROKER_BLOCK_DATA, .length = 3},
		{.kind = RGBROKER_BLOCK_DATA, .read = 1, .length = 33},
		{.kind = RGBROKER_I2C_BLOCK, .length = 3},
		{.kind = RGBROKER_I2C_BLOCK, .read = 1, .length = 4},
		{.kind = RGBROKER_I2C, .length = 3},
		{.kind = RGBROKER_I2C, .read = 1, .length = 3},
	};
	struct rgbroker_operation operation = transfer->operation;
	uint8_t data[RGBROKER_BLOCK_MAX];

	memcpy(data, transfer->data, sizeof(data));
	for (unsigned i = 1; i < ADDRESSES; i++) {
		operation.address = (transfer->operation.address + i) % ADDRESSES;
		try_mutation(bus, &operation, data, count);
	}
	operation = transfer->operation;
	for (unsigned i = 1; i < 256 && operation_kind_has_command(operation.kind, false); i++) {
		operation.command = (uint8_t)(transfer->operation.command + i);
		try_mutation(bus, &operation, data, count);
	}
	operation = transfer->operation;
	for (unsigned byte = 0; byte < operation.length; byte++) {
		for (unsigned i = 1; i < 256; i++) {
			data[byte] = (uint8_t)(transfer->data[byte] + i);
			try_mutation(bus, &operation, data, count);
		}
		data[byte] = transfer->data[byte];
	}
	for (uint16_t length = 0; operation.kind == RGBROKER_BLOCK_DATA && length <= 32; length++) {
		operation.length = length;
		if (length != transfer->operation.length)
			try_mutation(bus, &operation, data, count);
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		operation = kinds[i];
		operation.address = transfer->operation.address;
		if (operation_kind_has_command(operation.kind, operation.read))
			operation.command = transfer->operation.command;
		if (operation.kind != transfer->operation.kind || operation.read)
			try_mutation(bus, &operation, data, count);
	}
}

/* --- replays --- */

static void complain(const struct transfer *transfer, unsigned line,
	const struct judgement *judgement, const struct bus *bus)
{
	char text[64], why[300];

	print_message("# line %u: %s, data %02x%02x%02x, pointer 0x%04x: %s\n", line,
		operation_text(&transfer->operation, text, sizeof(text)), transfer->data[0],
		transfer->data[1], transfer->data[2],
		bus->behind[transfer->operation.address].value,
		policy_explain(judgement, why, sizeof(why)));
}

static struct count replay(const char *name)
{
	struct count count = {0};
	struct transfer transfer;
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/traces/%s", SOURCE_ROOT, name);
	file = fopen(path, "re");
	assert_non_null(file);
	while (read_transfer(file, &transfer)) {
		const struct rgbroker_operation *operation = &transfer.operation;
		struct bus *bus = transfer.adapter == 'A' ? &chipset : &card;
		struct judgement judgement = judge(bus, operation, transfer.data);

		count.transfers++;
		if (!operation->read)
			mutate(bus, &transfer, &count);
		if (judgement.verdict == VERDICT_ALLOWED) {
			assert_true(within_a_file(bus, operation, transfer.data));
			count.passed++;
			if (judgement.rule->role != RULE_PLAIN)
				bus->pointers[operation->address] =
					policy_pointer_after(&judgement, operation);
			if (transfer.result == 0)
				follow(bus, &transfer);
			continue;
		}
		assert_int_equal(judgement.verdict, VERDICT_REFUSED);
		if (judgement.reason == RGBROKER_REASON_FLOOR && transfer.adapter == 'A' &&
			(operation->address == 0x36 || operation->address == 0x37)) {
			count.paging++;
			continue;
		}
		complain(&transfer, (unsigned)count.transfers, &judgement, bus);
		count.wrong++;
	}
	assert_true(feof(file));
	fclose(file);
	print_message("# %s: of %lu transfers %lu pass, %lu page SPDs and are refused, %lu are "
		      "refused for another reason; of %lu changed writes %lu are refused, %lu are "
		      "within a file\n",
		name, count.transfers, count.passed, count.paging, count.wrong, count.mutations,
		count.refused, count.inside);
	assert_int_equal(count.transfers, count.passed + count.paging + count.wrong);
	return count;
}

static void is(
	struct count count, unsigned long transfers, unsigned long paging, unsigned long wrong)
{
	assert_int_equal(count.transfers, transfers);
	assert_int_equal(count.paging, paging);
	assert_int_equal(count.wrong, wrong);
	assert_true(count.refused > count.inside);
}

static void test_detect(void **state)
{
	is(replay("openrgb-detect.txt"), 902, 15, 0);
}

static void test_frame(void **state)
{
	is(replay("openrgb-frame.txt"), 16, 0, 0);
}

static void test_static(void **state)
{
	is(replay("openrgb-cli-static.txt"), 932, 15, 0);
}

/* Two threads in each other's way: as one, what hits the wrong register is refused. */
static void test_race(void **state)
{
	is(replay("openrgb-race.txt"), 922, 15, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh_buses)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_detect),
		TEST(test_frame),
		TEST(test_static),
		TEST(test_race),
	};

	return cmocka_run_group_tests_name("replay", tests, load, unload);
}
