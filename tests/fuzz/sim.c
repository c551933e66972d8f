/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands between the broker and the simulated bus of tests/daemon/fake-bus.c: faults, chips
 * that move, and the look at each transfer before it goes out.
 */
#include "broker/bus.h"

#include <errno.h>

#include "tests/fuzz/floor.h"
#include "tests/fuzz/world.h"

struct sim sim;

int __real_bus_run(struct bus *bus, const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, uint8_t *read_data);
int __wrap_bus_run(struct bus *bus, const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, uint8_t *read_data);
int __real_bus_owner(struct bus *bus, uint8_t address, bool *ret_owned);
int __wrap_bus_owner(struct bus *bus, uint8_t address, bool *ret_owned);

/* --- what is on it --- */

static bool module_is_driven(enum module module)
{
	return module >= MODULE_DRIVEN_DDR4;
}

static void put_module(unsigned slot, enum module module, uint16_t maker)
{
	/* The first four bytes, from JEDEC 21-C annex L and JESD400-5. */
	static const uint8_t heads[MODULES][4] = {
		[MODULE_DDR4] = {0x23, 0x11, 0x0c, 0x02},
		[MODULE_DDR4_REGISTERED] = {0x23, 0x11, 0x0c, 0x01},
		[MODULE_DDR5] = {0x51, 0x18},
		[MODULE_DDR5_REGISTERED] = {0x51, 0x08},
		[MODULE_DDR3] = {0x92, 0x13, 0x0b, 0x02},
		[MODULE_OTHER_PAGE] = {0x04, 0xcd, 0x01, 0x20},
		[MODULE_DDR5_OTHER_PAGE] = {0x51, 0x18},
		[MODULE_DRIVEN_DDR4] = {0x23, 0x11, 0x0c, 0x03},
		[MODULE_DRIVEN_DDR4_REGISTERED] = {0x23, 0x11, 0x0c, 0x01},
		[MODULE_DRIVEN_DDR5] = {0x30, 0x10, 0x12, 0x02},
		[MODULE_DRIVEN_SHORT] = {0x30, 0x10, 0x12, 0x02},
	};
	struct fake_chip *chip = &sim.bus->chips[SLOT_ADDRESS + slot];
	uint8_t *spd = sim.bus->kernel_spd[slot];

	sim.modules[slot] = module;
	sim.makers[slot] = 0;
	if (module == MODULE_NONE)
		return;
	chip->present = 1;
	chip->owned = module_is_driven(module);
	memcpy(chip->registers, heads[module], 4);
	if (module == MODULE_DDR5 || module == MODULE_DDR5_REGISTERED) {
		chip->registers[0x82] = 0x12;
		chip->registers[0x83] = module == MODULE_DDR5 ? 0x02 : 0x01;
	} else if (module == MODULE_DDR5_OTHER_PAGE) {
		chip->registers[0x0b] = 0x04;
		chip->registers[0x82] = 0x12;
		chip->registers[0x83] = 0x02;
	}
	if (!module_is_driven(module) || module == MODULE_SILENT)
		return;
	memcpy(spd, heads[module], 4);
	sim.bus->kernel_spd_size[slot] = module == MODULE_DRIVEN_SHORT ? 128 : 1024;
	if (module == MODULE_DRIVEN_SHORT)
		return;
	sim.makers[slot] = maker;
	spd[320] = spd[512] = (uint8_t)(maker >> 8);
	spd[321] = spd[513] = (uint8_t)maker;
}

static bool answers_as(const struct fake_chip *chip, const struct expectation *expectation)
{
	const uint8_t *registers = chip->registers;
	unsigned at = expectation->command, value = registers[at];

	if (expectation->kind == RGBROKER_WORD_DATA)
		value |= (unsigned)registers[(at + 1) % 256] << 8;
	for (unsigned i = 0; i < expectation->n_values; i++)
		if ((value & expectation->mask) >= expectation->values[i].first &&
			(value & expectation->mask) <= expectation->values[i].last)
			return true;
	for (unsigned i = 0; i < expectation->n_data; i++)
		if (registers[(at + i) % 256] < expectation->data[i].first ||
			registers[(at + i) % 256] > expectation->data[i].last)
			return false;
	return expectation->n_values == 0;
}

bool chip_is(uint8_t address, unsigned device)
{
	return sim.matches[address] & (UINT64_C(1) << device);
}

/* As a real chip it goes on answering so, whatever is written to it. */
static void find_matches(uint8_t address)
{
	const struct policy *policy = &sim.scene->policy;
	const struct fake_chip *chip = &sim.bus->chips[address];

	sim.matches[address] = 0;
	for (size_t i = 0; i < policy->n_devices && chip->present; i++) {
		const struct device *device = policy->devices[i];
		bool all = device->n_expectations > 0 && bitmap_has(device->addresses, address);

		for (size_t k = 0; all && k < device->n_expectations; k++)
			all = answers_as(chip, &device->expectations[k]);
		if (all)
			sim.matches[address] |= UINT64_C(1) << i;
	}
}

/* Registers that the family expects. */
static void put_fingerprint(struct fake_chip *chip, const struct device *device)
{
	for (size_t i = 0; i < device->n_expectations; i++) {
		const struct expectation *expectation = &device->expectations[i];
		uint8_t *at = &chip->registers[expectation->command];

		if (expectation->n_values) {
			at[0] = (uint8_t)expectation->values[0].first;
			if (expectation->kind == RGBROKER_WORD_DATA && expectation->command < 0xff)
				at[1] = (uint8_t)(expectation->values[0].first >> 8);
		}
		for (unsigned k = 0; k < expectation->n_data && expectation->command + k < 256; k++)
			at[k] = expectation->data[k].first;
		if (expectation->kind == RGBROKER_BLOCK_DATA)
			chip->block_length = (uint8_t)expectation->length;
	}
}

static uint8_t nth_address(const struct device *device, unsigned index)
{
	unsigned count = 0;

	for (unsigned at = 0; at < ADDRESSES; at++)
		count += bitmap_has(device->addresses, at);
	index %= count;
	for (unsigned at = 0;; at++)
		if (bitmap_has(device->addresses, at) && index-- == 0)
			return (uint8_t)at;
}

/* By name, so that inputs mean the same when there are more files; then all others. */
static const struct device *pick_device(unsigned number)
{
	static const char *const names[] = {"ene-dram", "asus-aura-motherboard", "asus-ene-gpu",
		"corsair-dram", "corsair-vengeance", "kingston-fury-ddr5", "kingston-fury-ddr4",
		"tforce-xtreem", "gigabyte-fusion2-dram", "crucial-ballistix",
		"gigabyte-fusion1-motherboard", "powercolor-v1-gpu", "pointed", "lamp",
		"expect-plain", "expect-block", "floor-unbuffered", "floor-not-ddr5", "need-maker",
		"found-by-write", "expect-pause", "expect-mask", "plain", "need-ddr4", "need-ddr5",
		"need-any-slot", "card", "zotac-v2-gpu"};
	const struct policy *policy = &sim.scene->policy;

	for (size_t i = 0; i < policy->n_devices && number < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(policy->devices[i]->name, names[number]) == 0)
			return policy->devices[i];
	return policy->devices[number % policy->n_devices];
}

static void put_chip(unsigned number, unsigned place)
{
	const struct device *device = pick_device(number);
	uint8_t address = place < ADDRESSES && bitmap_has(device->addresses, place)
				  ? (uint8_t)place
				  : nth_address(device, place);
	struct fake_chip *chip = &sim.bus->chips[address];

	if (chip->present || (device->n_registers && sim.n_ene == FAKE_ENE_MAX))
		return;
	chip->present = 1;
	put_fingerprint(chip, device);
	if (device->n_registers)
		chip->ene = (uint8_t)++sim.n_ene;
	find_matches(address);
}

static void put_display(unsigned index)
{
	static const uint8_t head[8] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
	struct fake_chip *chip = &sim.bus->chips[SLOT_ADDRESS + index];

	chip->present = 1;
	memcpy(chip->registers, head, sizeof(head));
	sim.display[index] = true;
}

/* Two bytes of modules and one of chips tell how much more is there. */
void sim_begin(const struct scene *scene, struct input *input)
{
	static const uint16_t makers[] = {0x0198, 0x04ef, 0x89f2, 0x04cd, 0x3010};
	struct fake_bus *bus = sim.bus;
	unsigned n_chips, first = input_byte(input), second = input_byte(input);

	for (unsigned i = 0; i < sim.n_ene; i++)
		memset(bus->behind[i], 0, sizeof(bus->behind[i]));
	memset(bus->chips, 0, sizeof(bus->chips));
	memset(bus->kernel_spd_size, 0, sizeof(bus->kernel_spd_size));
	sim = (struct sim){.bus = bus, .scene = scene};
	bus->class = scene->policy.adapter.class;
	if (bus->class == BUS_SMBUS) {
		uint16_t maker = makers[first / 16 % 5];

		put_module(0, (enum module)(first % 16 % MODULES), maker);
		put_module(1, (enum module)(second % 16 % MODULES), maker);
		put_module(5, (enum module)(second / 16 % MODULES), maker);
	} else {
		if (first & 1)
			put_display(0);
		if (first & 2)
			put_display(3);
	}
	n_chips = input_byte(input) % 8;
	for (unsigned i = 0; i < n_chips; i++) {
		uint8_t family = input_byte(input);

		put_chip(family, input_byte(input));
	}
}

/* --- what changes --- */

void sim_add_fault(struct input *input)
{
	static const int errors[] = {-ENXIO, -EREMOTEIO, -EIO, -EAGAIN, -ETIMEDOUT, -EOPNOTSUPP,
		-EINVAL, -ENODEV, -EPROTO, -EBUSY};
	uint8_t kind = input_byte(input), after = input_byte(input);

	if (kind == 0xff) {
		sim.owner_error = errors[after % 10];
		return;
	}
	for (unsigned i = 0; i < FAULTS; i++) {
		if (sim.faults[i].armed)
			continue;
		sim.faults[i] = (struct fault){.armed = true,
			.after = after % 64,
			.error = errors[kind % 16 % 10],
			.reaches = kind & 0x80,
			.bytes = kind / 16 % 4};
		return;
	}
}

void sim_change(struct input *input)
{
	uint8_t address = input_byte(input) % ADDRESSES, how = input_byte(input);
	struct fake_chip *chip = &sim.bus->chips[address];
	bool slot = address >= SLOT_ADDRESS && address < SLOT_ADDRESS + SLOTS;

	switch (how % 4) {
	case 0:
		chip->error = chip->error ? 0 : -ENXIO;
		break;
	case 1:
		if (!slot || sim.scene->policy.adapter.class != BUS_SMBUS)
			chip->owned = !chip->owned;
		break;
	case 2:
		chip->deaf_from = chip->deaf_from ? 0 : how;
		break;
	case 3:
		chip->error = chip->error ? 0 : how & 4 ? -ETIMEDOUT : -EIO;
		break;
	}
	if (chip->error || chip->deaf_from) {
		if (slot)
			sim.doubtful[address - SLOT_ADDRESS] = 1;
		sim.mute[address] = true;
	}
}

/* Another board has been put in meanwhile, for all that anybody knows. */
static void exchange_chip(uint8_t address, uint8_t number)
{
	struct fake_chip *chip = &sim.bus->chips[address];

	if (!chip->present || is_within(address, SLOT_ADDRESS, SLOT_ADDRESS + SLOTS - 1))
		return;
	memset(chip->registers, number, sizeof(chip->registers));
	find_matches(address);
}

void sim_power_cycle(struct input *input)
{
	uint8_t exchanged = input_byte(input), number = input_byte(input);

	for (unsigned at = 0; at < ADDRESSES; at++) {
		struct fake_chip *chip = &sim.bus->chips[at];

		chip->error = 0;
		chip->deaf_from = 0;
		if (chip->ene)
			chip->pointer = (uint16_t)(0x80f0 + number % 16);
	}
	if (exchanged < ADDRESSES)
		exchange_chip(exchanged, number);
}

/* --- transfers --- */

static const struct fault *next_fault(void)
{
	for (unsigned i = 0; i < FAULTS; i++) {
		struct fault *fault = &sim.faults[i];

		if (!fault->armed || fault->after--)
			continue;
		fault->armed = false;
		return fault;
	}
	return NULL;
}

/* What has not acknowledged may be taken to be absent. */
static void note_fault(const struct rgbroker_operation *operation, int error)
{
	uint8_t address = operation->address;

	if (error != -ENXIO && error != -EREMOTEIO && error != -EIO)
		return;
	if (address >= SLOT_ADDRESS && address < SLOT_ADDRESS + SLOTS)
		sim.doubtful[address - SLOT_ADDRESS] = 1;
	sim.mute[address] = true;
}

/* A register that holds the chip's address. */
static void move_chip(
	const struct rgbroker_operation *operation, uint16_t pointer, const uint8_t *data)
{
	uint8_t from = operation->address, to;
	bool moves = false;

	for (size_t i = 0; i < sim.scene->policy.n_devices; i++) {
		const struct family *family = sim.scene->families[i];

		for (unsigned k = 0; chip_is(from, (unsigned)i) && k < family->n_registers; k++)
			moves |= family->registers[k].move && family->registers[k].first == pointer;
	}
	to = data[0] >> 1;
	if (!moves || to == from)
		return;
	sim.bus->chips[to] = sim.bus->chips[from];
	sim.bus->chips[from] = (struct fake_chip){0};
	sim.matches[to] = 0;
	for (size_t i = 0; i < sim.scene->policy.n_devices; i++)
		if (chip_is(from, (unsigned)i) && sim.scene->families[i]->address[to])
			sim.matches[to] |= UINT64_C(1) << i;
	sim.matches[from] = 0;
}

static int carry_out(struct bus *bus, const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, uint8_t *read_data)
{
	struct fake_chip *chip = &sim.bus->chips[operations->address];
	uint16_t pointer = chip->pointer;
	bool datum = chip->ene && operations->kind == RGBROKER_BYTE_DATA && !operations->read &&
		     operations->command == 0x01;
	int r = __real_bus_run(bus, operations, count, data, read_data);

	if (r == 0 && datum)
		move_chip(operations, pointer, data[0]);
	return r;
}

/* Some of it is done, and then it fails. */
static int fail(struct bus *bus, const struct fault *fault,
	const struct rgbroker_operation *operations, const uint8_t *const *data, uint8_t *read_data)
{
	struct rgbroker_operation first = *operations;

	note_fault(operations, fault->error);
	if (!fault->reaches || fault->error == -EOPNOTSUPP || fault->error == -EINVAL ||
		fault->error == -EBUSY)
		return fault->error;
	if (!first.read && first.kind == RGBROKER_BLOCK_DATA && first.length > fault->bytes)
		first.length = fault->bytes;
	carry_out(bus, &first, 1, data, read_data);
	return fault->error;
}

static bool is_own(const struct rgbroker_operation *operations)
{
	const struct sent *request = world.request;
	const struct rgbroker_operation *theirs;

	if (!request || !world.message)
		return true;
	theirs = (const void *)(world.message + sizeof(struct rgbroker_request));
	return operations < theirs || operations >= theirs + RGBROKER_OPERATIONS_MAX;
}

int __wrap_bus_run(struct bus *bus, const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, uint8_t *read_data)
{
	bool own = is_own(operations);
	const struct fault *fault;
	int r;

	oracle_before(operations, count, data, own);
	fault = next_fault();
	if (fault)
		r = fail(bus, fault, operations, data, read_data);
	else
		r = carry_out(bus, operations, count, data, read_data);
	oracle_after(operations, count, data, own, r, read_data);
	return r;
}

int __wrap_bus_owner(struct bus *bus, uint8_t address, bool *ret_owned)
{
	int r = sim.owner_error;

	sim.owner_error = 0;
	if (r < 0 && world.request)
		world.request->result = r;
	return r < 0 ? r : __real_bus_owner(bus, address, ret_owned);
}
