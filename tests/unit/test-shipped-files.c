/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files that are shipped, judged over everything that can be asked. A change to devices/
 * changes what may be written to somebody's mainboard or card: it has to be said here too.
 *
 * What may be written to a chip that nobody knows stands in the table below, line by line. On chips
 * that were recognised the files are the table: they are read once more, in another way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"
#include "tests/unit/reread.h"

/* --- what may be written before anything was recognised --- */

enum { DDR4 = 1, DDR5 = 2 };

static const struct member {
	const char *file, *line; /* of [Detect], as it stands there */
	uint8_t first, last, more_first, more_last;
	uint8_t kind;
	uint8_t command;
	uint16_t length;
	uint8_t data[8];    /* how it begins */
	uint16_t subvendor; /* smbus: of the chipset; 0: any */
	unsigned memory;    /* of an unbuffered module of these kinds, or 0 */
	uint16_t makers[5]; /* and makers */
	bool any_slot;
	unsigned cards; /* gpu: so many Pci= ids; 0: smbus */
} members[] = {
	{"asrock-polychrome", "Write=quick", 0x6a, 0x6a, 1, 0, RGBROKER_QUICK, 0, 0, {0}, 0x1849},
	{"corsair-vengeance", "Write=quick", 0x58, 0x5f, 0x18, 0x1f, RGBROKER_QUICK, 0, 0, {0}, 0,
		DDR4},
	{"gigabyte-fusion1-motherboard", "Write=quick", 0x28, 0x28, 1, 0, RGBROKER_QUICK, 0, 0, {0},
		0x1458},
	{"gigabyte-fusion2-dram-search", "Write=quick", 0x67, 0x67, 1, 0, RGBROKER_QUICK},
	{"gigabyte-fusion2-dram", "Write=byte_data 0xe1 data 0x01", 0x67, 0x67, 1, 0,
		RGBROKER_BYTE_DATA, 0xe1, 1, {0x01}, 0, DDR4, {0x89f2}, true},
	{"kingston-fury-ddr4", "Write=byte_data 0x08 data 0x53", 0x58, 0x5f, 1, 0,
		RGBROKER_BYTE_DATA, 0x08, 1, {0x53}, 0, DDR4, {0x0198, 0x3010, 0x3090}},
	{"kingston-fury-ddr4", "Write=byte_data 0x08 data 0x44", 0x58, 0x5f, 1, 0,
		RGBROKER_BYTE_DATA, 0x08, 1, {0x44}, 0, DDR4, {0x0198, 0x3010, 0x3090}},
	{"kingston-fury-ddr5", "Write=byte_data 0x08 data 0x53", 0x60, 0x67, 1, 0,
		RGBROKER_BYTE_DATA, 0x08, 1, {0x53}, 0, DDR5,
		{0x0198, 0x3010, 0x3090, 0x3012, 0x3092}},
	{"kingston-fury-ddr5", "Write=byte_data 0x08 data 0x44", 0x60, 0x67, 1, 0,
		RGBROKER_BYTE_DATA, 0x08, 1, {0x44}, 0, DDR5,
		{0x0198, 0x3010, 0x3090, 0x3012, 0x3092}},
	{"tforce-xtreem", "Write=quick", 0x70, 0x77, 0x39, 0x3d, RGBROKER_QUICK, 0, 0, {0}, 0, DDR4,
		{0x04ef}, true},

#define FUSION2(at, cards)                                                                         \
	{                                                                                          \
		"gigabyte-fusion2-gpu-" #at,                                                       \
			"Write=i2c length 8 data 0xab 0x00 0x00 0x00 0x00 0x00 0x00 0x00", 0x##at, \
			0x##at, 1, 0, RGBROKER_I2C, 0, 8, {0xab}, 0, 0, {0}, false, cards          \
	}
	FUSION2(08, 2),
	FUSION2(32, 1),
	FUSION2(55, 3),
	FUSION2(62, 13),
	FUSION2(63, 3),
	FUSION2(64, 5),
	FUSION2(65, 3),
	FUSION2(66, 2),
	FUSION2(70, 8),
	FUSION2(71, 29),
	FUSION2(72, 2),
	FUSION2(73, 4),
	{"colorful-gpu", "Write=i2c length 6 data 0xaa 0xef 0x81 0x02 0x1c 0x02", 0x61, 0x61, 1, 0,
		RGBROKER_I2C, 0, 6, {0xaa, 0xef, 0x81, 0x02, 0x1c, 0x02}, 0, 0, {0}, false, 37},
	{"manli-gpu", "Write=i2c length 8 data 0xa0 0xf1 0x00 0x00 0x00 0x00 0x00 0x00", 0x49, 0x49,
		1, 0, RGBROKER_I2C, 0, 8, {0xa0, 0xf1}, 0, 0, {0}, false, 1},
	{"zotac-v2-gpu", "Write=i2c length 8 data 0xa0 0xf1 0x00 0x00 0x00 0x00 0x00 0x00", 0x49,
		0x49, 1, 0, RGBROKER_I2C, 0, 8, {0xa0, 0xf1}, 0, 0, {0}, false, 16},
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

/* --- the files, read twice --- */

static struct family *families; /* those of devices/, then those of devices/optional/ */
static size_t n_families, n_default;
static struct device *devices[128]; /* the same by the reader under test */

static struct device *load_device(const struct family *family)
{
	struct problems problems = {0};
	char file[256];
	char *const files[] = {file, NULL};
	struct device *device;

	strcpy(file, family->file);
	device = device_load(family->name, files, problems_add, &problems);
	for (size_t i = 0; i < problems.count; i++)
		print_error("%s:%d: %s\n", problems.items[i].file, problems.items[i].line,
			problems.items[i].why);
	assert_int_equal(problems.count, 0);
	assert_non_null(device);
	return device;
}

static int load(void **state)
{
	size_t n_optional;
	struct family *optional = reread(SOURCE_ROOT "/devices/optional", true, &n_optional);
	struct family *all;

	families = reread(SOURCE_ROOT "/devices", false, &n_default);
	n_families = n_default + n_optional;
	all = realloc(families, n_families * sizeof(*families));
	assert_non_null(all);
	families = all;
	memcpy(families + n_default, optional, n_optional * sizeof(*families));
	free(optional);
	assert_in_range(n_families, 1, sizeof(devices) / sizeof(devices[0]));
	for (size_t i = 0; i < n_families; i++)
		devices[i] = load_device(&families[i]);
	return 0;
}

static int unload(void **state)
{
	for (size_t i = 0; i < n_families; i++)
		device_free(devices[i]);
	free(families);
	return 0;
}

/* --- a bus: its adapter, the families there, what is known --- */

struct bus {
	struct policy policy;
	const struct family *families[POLICY_DEVICES_MAX];
	struct door door;
	struct caller caller;
	struct facts facts;
	bool thorough; /* all values of bytes; else some */
	unsigned long asked, reads, writes;
	unsigned long hits[MEMBERS];
};

/* Nobody knows the chips, nothing else speaks against writing to them. */
static void make_bus(struct bus *bus, const struct adapter *adapter)
{
	memset(bus, 0, sizeof(*bus));
	bus->policy.adapter = *adapter;
	bus->door = (struct door){.transfer = DOOR_READ_WRITE, .devices = UINT64_MAX};
	bus->caller = (struct caller){.door = &bus->door, .pointer = {true, 0x8100}};
	memset(bus->facts.stranger, 0xff, sizeof(bus->facts.stranger));
	memset(bus->facts.owner, OWNER_NONE, sizeof(bus->facts.owner));
	memset(bus->facts.edid, PRESENCE_NO, sizeof(bus->facts.edid));
	memset(bus->facts.answers, PRESENCE_NO, sizeof(bus->facts.answers));
	for (unsigned slot = 0; slot < SLOTS; slot++)
		bus->facts.memory[slot].kind = MEMORY_EMPTY;
}

static void add_family(struct bus *bus, size_t i)
{
	bus->families[bus->policy.n_devices] = &families[i];
	bus->policy.devices[bus->policy.n_devices++] = devices[i];
}

/* Those of the files that fit the adapter, by both readers. */
static void add_matching(struct bus *bus, bool with_optional)
{
	for (size_t i = 0; i < (with_optional ? n_families : n_default); i++) {
		bool matches = device_matches(devices[i], &bus->policy.adapter);

		if (matches != family_matches(&families[i], &bus->policy.adapter))
			fail_msg("%s: on %04x:%04x:%04x:%04x?", families[i].name,
				bus->policy.adapter.pci_ids[0], bus->policy.adapter.pci_ids[1],
				bus->policy.adapter.pci_ids[2], bus->policy.adapter.pci_ids[3]);
		if (matches)
			add_family(bus, i);
	}
}

static void fill_memory(struct bus *bus, enum memory_kind kind, bool unbuffered, uint16_t maker)
{
	for (unsigned slot = 0; slot < SLOTS; slot++)
		bus->facts.memory[slot] = (struct memory){kind, unbuffered, maker};
}

static bool passes(struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data)
{
	struct judgement judgement = policy_judge(
		&bus->policy, &bus->caller, &bus->facts, operation, operation->read ? NULL : data);

	bus->asked++;
	return judgement.verdict == VERDICT_ALLOWED;
}

/* --- everything that can be asked --- */

typedef void (*check)(
	struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data);

static bool somebody_is_at(const struct bus *bus, unsigned address)
{
	for (size_t i = 0; i < bus->policy.n_devices; i++)
		if (bus->families[i]->address[address])
			return true;
	return false;
}

/* How some line wants the data of such an operation to begin, and one byte beside it. */
static void check_patterns(
	struct bus *bus, struct rgbroker_operation operation, check one, bool beside)
{
	static uint8_t data[RGBROKER_TRANSFER_MAX];

	for (size_t i = 0; i < n_families; i++)
		for (unsigned k = 0; k < families[i].n_said; k++) {
			const struct said *said = &families[i].said[k];

			if (said->kind != operation.kind || said->read || !said->n_data ||
				said->n_data > operation.length ||
				!said->commands[operation.command])
				continue;
			memset(data, 0, sizeof(data));
			for (unsigned b = 0; b < said->n_data; b++)
				data[b] = (uint8_t)said->low[b];
			one(bus, &operation, data);
			for (unsigned b = 0; beside && b < said->n_data; b++) {
				data[b] = (uint8_t)(said->low[b] - 1);
				one(bus, &operation, data);
				data[b] = (uint8_t)said->high[b];
				one(bus, &operation, data);
				data[b] = (uint8_t)(said->high[b] + 1);
				one(bus, &operation, data);
				data[b] = (uint8_t)said->low[b];
			}
		}
}

static void check_data(struct bus *bus, struct rgbroker_operation operation, check one)
{
	static const uint8_t some[] = {0x00, 0x01, 0x44, 0x53, 0xaa, 0xff};
	static uint8_t data[RGBROKER_TRANSFER_MAX];
	bool here = somebody_is_at(bus, operation.address);
	unsigned count = 1;

	if (here && operation.length && !operation.read)
		count = bus->thorough && operation.kind <= RGBROKER_WORD_DATA ? 256 : sizeof(some);
	if (operation.length > 2 && count > 1)
		count = 2;
	for (unsigned i = 0; i < count; i++) {
		memset(data, count == 256 ? (int)i : count == 2 ? -(int)i : some[i], sizeof(data));
		if (operation.length == 2)
			data[1] = (uint8_t)(255 - i);
		one(bus, &operation, data);
	}
	if (here && operation.length && !operation.read)
		check_patterns(bus, operation, one, bus->thorough);
}

static void check_commands(struct bus *bus, struct rgbroker_operation operation, check one)
{
	unsigned commands = operation_kind_has_command(operation.kind, operation.read) ? 256 : 1;

	for (unsigned address = 0; address < ADDRESSES; address++) {
		/* Where no file has anything, some of the lengths are enough. */
		if (!(bus->thorough && somebody_is_at(bus, address)) && operation.length > 3 &&
			operation.length != 6 && operation.length != 8 &&
			operation.length % 32 != 0)
			continue;
		for (unsigned command = 0; command < commands; command++) {
			operation.address = (uint8_t)address;
			operation.command = (uint8_t)command;
			check_data(bus, operation, one);
		}
	}
}

/* All addresses, operations, lengths and commands. */
static void check_everything(struct bus *bus, check one)
{
	static const struct rgbroker_operation fixed[] = {
		{.kind = RGBROKER_QUICK},
		{.kind = RGBROKER_QUICK, .read = 1},
		{.kind = RGBROKER_BYTE},
		{.kind = RGBROKER_BYTE, .read = 1, .length = 1},
		{.kind = RGBROKER_BYTE_DATA, .length = 1},
		{.kind = RGBROKER_BYTE_DATA, .read = 1, .length = 1},
		{.kind = RGBROKER_WORD_DATA, .length = 2},
		{.kind = RGBROKER_WORD_DATA, .read = 1, .length = 2},
		{.kind = RGBROKER_BLOCK_DATA, .read = 1, .length = 33},
	};
	static const uint16_t plain[] = {63, 64, 65, 121, 122, 123, 1023, 1024};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		check_commands(bus, fixed[i], one);
	for (uint16_t length = 0; length <= RGBROKER_BLOCK_MAX; length++) {
		check_commands(bus,
			(struct rgbroker_operation){.kind = RGBROKER_BLOCK_DATA, .length = length},
			one);
		check_commands(bus,
			(struct rgbroker_operation){.kind = RGBROKER_I2C_BLOCK, .length = length},
			one);
		check_commands(bus,
			(struct rgbroker_operation){
				.kind = RGBROKER_I2C_BLOCK, .read = 1, .length = length + 1},
			one);
	}
	for (unsigned i = 0; i < 34 + sizeof(plain) / sizeof(plain[0]); i++)
		for (uint8_t read = 0; read < 2; read++)
			check_commands(bus,
				(struct rgbroker_operation){.kind = RGBROKER_I2C,
					.read = read,
					.length = i < 34 ? (uint16_t)i : plain[i - 34]},
				one);
}

static void complain(const struct rgbroker_operation *operation, const uint8_t *data,
	const struct bus *bus, bool passed)
{
	const uint16_t *ids = bus->policy.adapter.pci_ids;
	char text[64];

	fail_msg("on %04x:%04x:%04x:%04x with memory %d %d 0x%04x: %s, length %u, data 0x%02x "
		 "0x%02x 0x%02x %s",
		ids[0], ids[1], ids[2], ids[3], bus->facts.memory[0].kind,
		bus->facts.memory[0].unbuffered, bus->facts.memory[0].maker,
		operation_text(operation, text, sizeof(text)), operation->length, data[0], data[1],
		data[2], passed ? "passes" : "does not pass");
}

/* --- nothing recognised --- */

static bool module_fits(const struct member *member, const struct memory *memory)
{
	unsigned kind = memory->kind == MEMORY_DDR4 ? DDR4 : memory->kind == MEMORY_DDR5 ? DDR5 : 0;

	if (!(member->memory & kind) || !memory->unbuffered)
		return false;
	for (unsigned i = 0; i < 5; i++)
		if (memory->maker == member->makers[i] && memory->maker)
			return true;
	return !member->makers[0];
}

static bool member_holds(const struct bus *bus, const struct member *member,
	const struct rgbroker_operation *operation, const uint8_t *data)
{
	unsigned at = operation->address;
	bool module = !member->memory;

	if (operation->kind != member->kind || operation->read ||
		operation->command != member->command || operation->length != member->length ||
		!((at >= member->first && at <= member->last) ||
			(at >= member->more_first && at <= member->more_last)) ||
		memcmp(data, member->data, operation->length))
		return false;
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (member->any_slot || slot == (at & 7))
			module |= module_fits(member, &bus->facts.memory[slot]);
	return module && (!member->subvendor ||
				 member->subvendor == bus->policy.adapter.pci_ids[PCI_SUBVENDOR]);
}

/* Cards are compared by both readers before: here it is whether the family is on the bus. */
static bool member_here(const struct bus *bus, const struct member *member)
{
	for (size_t i = 0; i < bus->policy.n_devices; i++)
		if (strcmp(bus->families[i]->name, member->file) == 0)
			return true;
	return false;
}

static void check_unrecognised(
	struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data)
{
	bool passed = passes(bus, operation, data), expected = false;

	if (operation->read && !operation_is_quick(operation)) {
		bus->reads += passed; /* whether they may be, is a matter of the other test */
		return;
	}
	for (size_t i = 0; i < MEMBERS; i++) {
		bool here = bus->policy.adapter.class == BUS_SMBUS ? members[i].cards == 0
								   : member_here(bus, &members[i]);
		bool holds = here && member_holds(bus, &members[i], operation, data);

		bus->hits[i] += holds;
		expected |= holds;
	}
	if (passed != expected)
		complain(operation, data, bus, passed);
	bus->writes += passed;
}

static unsigned long hits[MEMBERS];

static void sweep(struct bus *bus, unsigned long *total)
{
	check_everything(bus, check_unrecognised);
	for (size_t i = 0; i < MEMBERS; i++)
		hits[i] += bus->hits[i];
	*total += bus->asked;
}

static const struct {
	enum memory_kind kind;
	bool unbuffered;
	uint16_t maker;
} memories[] = {
	{MEMORY_EMPTY, false, 0},
	{MEMORY_DDR4, true, 0},
	{MEMORY_DDR4, true, 0x0198},
	{MEMORY_DDR4, true, 0x3090},
	{MEMORY_DDR4, true, 0x04ef},
	{MEMORY_DDR4, true, 0x89f2},
	{MEMORY_DDR4, false, 0x0198},
	{MEMORY_DDR5, true, 0x3012},
	{MEMORY_DDR5, false, 0x3012},
	{MEMORY_OTHER, true, 0x0198},
	{MEMORY_OBSCURE, false, 0x0198},
	{MEMORY_UNSEEN, false, 0},
};

static void test_chipsets_unrecognised(void **state)
{
	static const uint16_t chipsets[][4] = {{0x1022, 0x790b, 0x1849, 0xffff},
		{0x8086, 0x7aa3, 0x1043, 0x8694}, {0x8086, 0x7aa3, 0x1458, 0x5001},
		{0x8086, 0x7aa3, 0x1462, 0x7d25}, {0x8086, 0x7aa3, 0x1849, 0x7aa3},
		{0x8086, 0x7aa3, 0x3842, 0x0001}};
	unsigned long total = 0;

	for (size_t i = 0; i < sizeof(chipsets) / sizeof(chipsets[0]); i++) {
		struct adapter adapter = {.class = BUS_SMBUS, .name = "SMBus", .pci = true};

		memcpy(adapter.pci_ids, chipsets[i], sizeof(adapter.pci_ids));
		for (size_t m = 0; m < sizeof(memories) / sizeof(memories[0]); m++) {
			struct bus bus;

			if (i >= 3 && m % 4) /* the rest is told apart by nothing but the board */
				continue;
			make_bus(&bus, &adapter);
			add_matching(&bus, false);
			fill_memory(
				&bus, memories[m].kind, memories[m].unbuffered, memories[m].maker);
			bus.thorough = memories[m].maker == 0x0198 && memories[m].unbuffered &&
				       memories[m].kind == MEMORY_DDR4 && i < 3;
			sweep(&bus, &total);
		}
	}
	print_message("# smbus: %lu operations judged\n", total);
}

/* One module alone lets only its own slot be written to. */
static void test_one_module(void **state)
{
	struct adapter adapter = {.class = BUS_SMBUS, .name = "SMBus", .pci = true};
	unsigned long total = 0;

	for (unsigned slot = 0; slot < SLOTS; slot++) {
		struct bus bus;

		make_bus(&bus, &adapter);
		add_matching(&bus, false);
		bus.facts.memory[slot] =
			(struct memory){slot & 1 ? MEMORY_DDR4 : MEMORY_DDR5, true, 0x0198};
		sweep(&bus, &total);
	}
}

/* Whether the same families have been there before: it is the same bus then. */
static bool seen_before(const struct bus *bus)
{
	static uint64_t seen[256][2];
	static size_t count;
	uint64_t set[2] = {0};

	for (size_t i = 0; i < bus->policy.n_devices; i++) {
		size_t number = (size_t)(bus->families[i] - families);

		set[number / 64] |= UINT64_C(1) << number % 64;
	}
	for (size_t i = 0; i < count; i++)
		if (memcmp(seen[i], set, sizeof(set)) == 0)
			return true;
	assert_in_range(count, 0, 255);
	memcpy(seen[count++], set, sizeof(set));
	return false;
}

static void nothing_passes(
	struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data)
{
	if (passes(bus, operation, data))
		complain(operation, data, bus, true);
}

static void test_cards_unrecognised(void **state)
{
	struct adapter nobody = {.class = BUS_GPU,
		.name = "NVIDIA i2c adapter 1 at 1:00.0",
		.pci = true,
		.pci_ids = {0x10de, 0xffff, 0xffff, 0xffff}};
	static const char *const amd[] = {"AMDGPU DM i2c OEM bus", "AMDGPU DM i2c hw bus 0"};
	unsigned long total = 0, cards = 0, kinds = 0;
	struct bus bus;

	for (size_t i = 0; i < n_families; i++)
		for (unsigned card = 0; families[i].gpu && card < families[i].n_cards; card++) {
			struct adapter adapter = family_adapter(&families[i], card);

			cards++;
			for (unsigned way = 0; way < 2; way++) {
				if (adapter.pci_ids[0] == 0x1002)
					strcpy(adapter.name, amd[way]);
				else if (way)
					strcpy(adapter.name, "NVIDIA i2c adapter 4 at 1:00.0");
				make_bus(&bus, &adapter);
				add_matching(&bus, false);
				if (bus.policy.n_devices == 0 || seen_before(&bus))
					continue;
				kinds++;
				bus.thorough = true;
				sweep(&bus, &total);
				/* and where a display is, nothing at its addresses */
				memset(bus.facts.edid, PRESENCE_YES, sizeof(bus.facts.edid));
				bus.thorough = false;
				for (unsigned at = 0x50; at < 0x58; at++) {
					struct rgbroker_operation operation = {.kind = RGBROKER_I2C,
						.address = (uint8_t)at,
						.length = 8};

					nothing_passes(&bus, &operation,
						(const uint8_t *)"\xab\0\0\0\0\0\0");
				}
			}
		}
	make_bus(&bus, &nobody);
	add_matching(&bus, true);
	assert_int_equal(bus.policy.n_devices, 0);
	check_everything(&bus, nothing_passes);
	nobody.pci = false;
	make_bus(&bus, &nobody);
	add_matching(&bus, true);
	assert_int_equal(bus.policy.n_devices, 0);
	print_message("# gpu: %lu cards of %lu kinds, %lu operations judged; on a card that no "
		      "file names nothing passes\n",
		cards, kinds, total);
}

static const struct said *find_line(const struct family *family, const char *line)
{
	for (unsigned i = 0; i < family->n_said; i++)
		if (strcmp(family->said[i].section, "Detect") == 0 &&
			strcmp(family->said[i].text, line) == 0)
			return &family->said[i];
	return NULL;
}

/* Above the line, above its group, or in the file's first lines where they say "unseen". */
static bool explained(const struct family *family, const struct said *said)
{
	FILE *file = fopen(family->file, "re");
	char text[256];
	bool unseen = false;

	assert_non_null(file);
	while (fgets(text, sizeof(text), file) && *text != '[')
		unseen |= strstr(text, "unseen") != NULL;
	fclose(file);
	return said->explained || unseen;
}

/* Each member was met above, stands in its file, and is explained there; and each such line is one.
 */
static void test_the_table(void **state)
{
	size_t lines = 0;

	for (size_t i = 0; i < MEMBERS; i++) {
		const struct member *member = &members[i];
		const struct family *family = families;

		while (family < families + n_default && strcmp(family->name, member->file) != 0)
			family++;
		assert_true(family < families + n_default);
		print_message("# %s: %s, at 0x%02x-0x%02x", member->file, member->line,
			member->first, member->last);
		if (member->more_last)
			print_message(" 0x%02x-0x%02x", member->more_first, member->more_last);
		if (member->subvendor)
			print_message(", subsystem vendor %04x", member->subvendor);
		if (member->memory)
			print_message(", %s", member->memory == DDR4 ? "DDR4" : "DDR5");
		for (unsigned k = 0; k < 5 && member->makers[k]; k++)
			print_message(" of 0x%04x", member->makers[k]);
		if (member->memory)
			print_message(" %s", member->any_slot ? "in any slot" : "in its slot");
		if (family->gpu)
			print_message(", %u cards", family->n_cards);
		print_message("\n");
		assert_int_equal(member->cards, family->gpu ? family->n_cards : 0);
		assert_non_null(find_line(family, member->line));
		assert_true(hits[i] > 0);
	}
	for (size_t i = 0; i < n_families; i++)
		for (unsigned k = 0; k < families[i].n_said; k++) {
			const struct said *said = &families[i].said[k];

			if (said->read || strcmp(said->section, "Detect") != 0)
				continue;
			lines += i < n_default;
			if (!explained(&families[i], said))
				fail_msg("%s:%d: not explained: %s", families[i].file, said->line,
					said->text);
		}
	assert_int_equal(lines, MEMBERS);
}

/* --- what the optional files would add --- */

static unsigned long added;

static void check_optional(
	struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data)
{
	bool writes = !operation->read || operation_is_quick(operation);
	const struct family *family = bus->families[0];
	bool passed, expected;

	if (!writes)
		return;
	passed = passes(bus, operation, data);
	expected = family_says(family, family->no_fingerprint, 0x8100, operation, data);
	if (passed != expected)
		complain(operation, data, bus, passed);
	added += passed;
}

static void test_optional_files(void **state)
{
	unsigned lines = 0;

	for (size_t i = n_default; i < n_families; i++) {
		const struct family *family = &families[i];
		struct adapter adapter = family_adapter(family, 0);
		struct bus bus;

		make_bus(&bus, &adapter);
		add_family(&bus, i);
		assert_true(family_matches(family, &adapter));
		assert_true(device_matches(devices[i], &adapter));
		fill_memory(&bus, family->ddr5 ? MEMORY_DDR5 : MEMORY_DDR4, true,
			(uint16_t)family->makers[0]);
		check_everything(&bus, check_optional);
		print_message("# optional/%s adds, at", family->name);
		for (unsigned at = 0; at < ADDRESSES; at++)
			if (family->address[at])
				print_message(" 0x%02x", at);
		print_message(" of %u cards or boards:\n",
			family->n_cards ? family->n_cards : family->n_boards);
		for (unsigned k = 0; k < family->n_said; k++) {
			if (family->said[k].read ||
				(!family->no_fingerprint &&
					strcmp(family->said[k].section, "Detect") != 0))
				continue;
			print_message("#    %s\n", family->said[k].text);
			lines++;
		}
	}
	assert_true(added > 0);
	print_message("# %u lines of optional files are open to chips that nobody knows\n", lines);
}

/* --- on recognised chips only their registers --- */

static unsigned pointer;

static void check_recognised(
	struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data)
{
	bool passed = passes(bus, operation, data);

	if (passed != family_says(bus->families[0], true, pointer, operation, data))
		complain(operation, data, bus, passed);
	if (operation->read)
		bus->reads += passed;
	else
		bus->writes += passed;
}

static void make_recognised(struct bus *bus, size_t i)
{
	struct adapter adapter = family_adapter(&families[i], 0);

	make_bus(bus, &adapter);
	add_family(bus, i);
	memset(bus->facts.stranger, 0, sizeof(bus->facts.stranger));
	memset(bus->facts.recognised, families[i].no_fingerprint ? 0 : 0xff,
		sizeof(bus->facts.recognised));
	if (families[i].ddr4 || families[i].ddr5)
		fill_memory(bus, families[i].ddr5 ? MEMORY_DDR5 : MEMORY_DDR4, true,
			(uint16_t)families[i].makers[0]);
	pointer = 0x8100;
}

static void test_only_its_own_lines(void **state)
{
	for (size_t i = 0; i < n_families; i++) {
		struct bus bus;

		make_recognised(&bus, i);
		bus.thorough = true;
		check_everything(&bus, check_recognised);
		assert_true(bus.reads + bus.writes > 0);
	}
}

/* So much passes behind pointers, one byte or a block at a time: what changes it has to be said. */
static const struct {
	const char *name;
	unsigned long writes, reads;
} behind[] = {
	{"asus-aura-motherboard", 60470, 324},
	{"asus-ene-gpu", 60470, 324},
	{"crucial-ballistix", 6233, 43},
	{"ene-dram", 81006, 433},
	{"tforce-xtreem", 24192, 90},
};

/* All registers behind pointers, all values. */
static void test_only_its_own_registers(void **state)
{
	size_t family = 0;

	for (size_t i = 0; i < n_families; i++) {
		struct rgbroker_operation set = {.kind = RGBROKER_WORD_DATA, .length = 2};
		struct rgbroker_operation byte = {
			.kind = RGBROKER_BYTE_DATA, .command = 1, .length = 1};
		struct rgbroker_operation block = {.kind = RGBROKER_BLOCK_DATA, .command = 3};
		struct rgbroker_operation read = {
			.kind = RGBROKER_BYTE_DATA, .read = 1, .command = 0x81, .length = 1};
		struct bus bus;
		uint8_t data[32], at = 0;

		if (!families[i].n_registers)
			continue;
		make_recognised(&bus, i);
		while (!families[i].address[at])
			at++;
		set.address = byte.address = block.address = read.address = at;
		for (unsigned number = 0; number <= 0xffff; number++) {
			data[0] = (uint8_t)(number >> 8);
			data[1] = (uint8_t)number;
			check_recognised(&bus, &set, data);
			pointer = number;
			bus.caller.pointer.value = (uint16_t)number;
			check_recognised(&bus, &read, data);
			for (unsigned value = 0; value < 256; value++) {
				data[0] = (uint8_t)value;
				check_recognised(&bus, &byte, data);
			}
			for (block.length = 1; block.length <= 9; block.length++)
				for (unsigned value = 0; value < 3; value++) {
					memset(data, (int)value, sizeof(data));
					check_recognised(&bus, &block, data);
				}
		}
		print_message("# %s: %lu writes and %lu reads behind its pointer pass of %lu\n",
			families[i].name, bus.writes, bus.reads, bus.asked);
		assert_in_range(family, 0, sizeof(behind) / sizeof(behind[0]) - 1);
		assert_string_equal(families[i].name, behind[family].name);
		assert_int_equal(bus.writes, behind[family].writes);
		assert_int_equal(bus.reads, behind[family++].reads);
	}
}

/* Everything recognised as everything: what passes is a line of one of the files. */
static void check_union(
	struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data)
{
	bool passed = passes(bus, operation, data), says = false;

	for (size_t i = 0; i < bus->policy.n_devices; i++)
		says |= family_says(bus->families[i], true, pointer, operation, data);
	if (passed && !says)
		complain(operation, data, bus, passed);
}

static void test_all_at_once(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		struct adapter adapter = {.class = BUS_SMBUS,
			.name = "SMBus",
			.pci = true,
			.pci_ids = {0x8086, 0x7aa3,
				i == 0   ? 0x1043
				: i == 1 ? 0x1458
					 : 0x1849}};
		struct bus bus;

		pointer = 0x8100;
		make_bus(&bus, &adapter);
		add_matching(&bus, true);
		memset(bus.facts.stranger, 0, sizeof(bus.facts.stranger));
		memset(bus.facts.recognised, 0xff, sizeof(bus.facts.recognised));
		fill_memory(&bus, MEMORY_DDR4, true, 0x0198);
		check_everything(&bus, check_union);
	}
}

/* --- doors --- */

/* The door of administrators moves nothing, whatever is known; that of programs looks at nothing.
 */
static void test_doors(void **state)
{
	static const char *const folders[] = {SOURCE_ROOT, NULL};
	struct adapter adapter = {.class = BUS_SMBUS, .name = "SMBus", .pci = true};
	struct problems problems = {0};
	struct policy policy;
	struct bus bus;

	assert_int_equal(policy_load(&policy, &adapter, folders, problems_add, &problems), 0);
	assert_int_equal(problems.count, 0);
	make_bus(&bus, &adapter);
	add_matching(&bus, false);
	assert_int_equal(policy.n_devices, bus.policy.n_devices); /* optional ones are not read */
	bus.policy = policy;
	bus.caller.door = policy_find_door(&policy, "admin");
	assert_non_null(bus.caller.door);
	assert_true(bus.caller.door->inspect && bus.caller.door->release);
	memset(bus.facts.recognised, 0xff, sizeof(bus.facts.recognised));
	check_everything(&bus, nothing_passes);
	bus.caller.door = policy_find_door(&policy, "rgb");
	assert_non_null(bus.caller.door);
	assert_true(!bus.caller.door->inspect && !bus.caller.door->release);
	assert_int_equal(bus.caller.door->transfer, DOOR_READ_WRITE);
	policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chipsets_unrecognised),
		cmocka_unit_test(test_one_module),
		cmocka_unit_test(test_cards_unrecognised),
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_optional_files),
		cmocka_unit_test(test_only_its_own_lines),
		cmocka_unit_test(test_only_its_own_registers),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_doors),
	};

	return cmocka_run_group_tests_name("shipped-files", tests, load, unload);
}
