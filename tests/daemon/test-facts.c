/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the broker finds out by itself before it lets anybody write: memory modules, displays, the
 * answers of families. It reads no more than it needs, and writes nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ene.h"

#define SLOT 3 /* whose module is told apart; all other slots are empty */
#define SPD(slot) (0x50 + (slot))
#define NEED_DDR4 (0x28 + SLOT) /* one address of each family, of that slot */
#define NEED_DDR5 (0x38 + SLOT)
#define NEED_MAKER (0x10 + SLOT)
#define ANY_SLOT 0x68
#define UNBUFFERED (0x58 + SLOT)
#define NOT_DDR5 (0x48 + SLOT)
#define FOUND_BY_WRITE 0x5d

static struct answer write_to(int fd, uint8_t address)
{
	struct batch batch = batch_write(1, address, 0x10, 0x55);

	return peer_ask(fd, &batch);
}

static void passes(int fd, uint8_t address)
{
	struct answer answer = write_to(fd, address);

	assert_done(answer);
}

static void is_refused(int fd, uint8_t address, enum rgbroker_reason reason)
{
	struct answer answer = write_to(fd, address);

	assert_refused(answer, reason);
}

static unsigned writes_on_wire(const struct ring *ring, uint8_t first, uint8_t last)
{
	unsigned count = 0;

	for (unsigned i = 0; i < wire_count(ring); i++) {
		const struct fake_entry *entry = wire_at(ring, i);

		if (entry->address >= first && entry->address <= last)
			count += !entry->read || entry->kind == RGBROKER_QUICK;
	}
	return count;
}

static unsigned reads_on_wire(const struct ring *ring, uint8_t address)
{
	unsigned count = 0;

	for (unsigned i = 0; i < wire_count(ring); i++)
		count += wire_at(ring, i)->read && wire_at(ring, i)->address == address;
	return count;
}

static void is_first_written_after(const struct ring *ring, uint8_t address, unsigned reads)
{
	for (unsigned i = 0; i < wire_count(ring); i++) {
		const struct fake_entry *entry = wire_at(ring, i);

		if (entry->address != address)
			continue;
		if (!entry->read) {
			assert_int_equal(reads, 0);
			return;
		}
		reads -= reads > 0;
	}
	fail_msg("0x%02x was never written to", address);
}

/* --- memory modules --- */

static void put_chips(struct ring *ring)
{
	static const uint8_t plain[] = {NEED_DDR4, NEED_DDR5, ANY_SLOT};
	static const uint8_t first[][2] = {
		{NEED_MAKER, 0x4d}, {UNBUFFERED, 0x5f}, {NOT_DDR5, 0x4f}, {FOUND_BY_WRITE, 0x99}};

	for (unsigned i = 0; i < sizeof(plain); i++)
		ring->bus->chips[plain[i]].present = 1;
	for (unsigned i = 0; i < 4; i++) {
		ring->bus->chips[first[i][0]].present = 1;
		ring->bus->chips[first[i][0]].registers[0] = first[i][1];
	}
}

static int set_up(void **state)
{
	struct ring *ring;

	ring_set_up(state);
	ring = *state;
	assert_int_equal(ring_logged(ring, "left out"), 0);
	put_chips(ring);
	return 0;
}

static void put_spd(struct ring *ring, unsigned slot, const uint8_t head[4])
{
	struct fake_chip *chip = &ring->bus->chips[SPD(slot)];

	*chip = (struct fake_chip){.present = 1};
	memcpy(chip->registers, head, 4);
}

/* Page: of its register 11. */
static void put_hub(struct ring *ring, unsigned slot, uint8_t low, uint8_t page, uint8_t module)
{
	struct fake_chip *chip = &ring->bus->chips[SPD(slot)];

	*chip = (struct fake_chip){.present = 1};
	chip->registers[0x00] = 0x51;
	chip->registers[0x01] = low;
	chip->registers[0x0b] = page;
	chip->registers[0x80] = 0x30;
	chip->registers[0x81] = 0x10;
	chip->registers[0x82] = 0x12;
	chip->registers[0x83] = module;
}

static void put_kernel_spd(
	struct ring *ring, unsigned slot, const uint8_t head[4], unsigned maker_at, uint16_t maker)
{
	uint8_t *spd = ring->bus->kernel_spd[slot];

	ring->bus->chips[SPD(slot)] = (struct fake_chip){.present = 1, .owned = 1};
	memset(spd, 0, sizeof(ring->bus->kernel_spd[slot]));
	memcpy(spd, head, 4);
	spd[maker_at] = (uint8_t)(maker >> 8);
	spd[maker_at + 1] = (uint8_t)maker;
	ring->bus->kernel_spd_size[slot] = head[2] == 0x12 ? 1024 : 512;
}

/* What passes with one module in the slot. */
struct passing {
	bool ddr4, ddr5, unbuffered, not_ddr5;
};

static void check_passing(struct ring *ring, const char *what, struct passing passing)
{
	const struct {
		uint8_t address;
		bool passes;
		enum rgbroker_reason reason;
	} each[] = {{NEED_DDR4, passing.ddr4, RGBROKER_REASON_UNPROVEN},
		{NEED_DDR5, passing.ddr5, RGBROKER_REASON_UNPROVEN},
		{ANY_SLOT, passing.ddr4 || passing.ddr5, RGBROKER_REASON_UNPROVEN},
		{UNBUFFERED, passing.unbuffered, RGBROKER_REASON_FLOOR},
		{NOT_DDR5, passing.not_ddr5, RGBROKER_REASON_FLOOR},
		{NEED_MAKER, false, RGBROKER_REASON_UNPROVEN}};
	int fd = peer_connect(ring, "rgb");

	for (unsigned i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct answer answer = write_to(fd, each[i].address);
		enum rgbroker_reason reason =
			each[i].passes ? RGBROKER_REASON_NONE : each[i].reason;

		if (answer.head.reason != reason)
			fail_msg("%s: 0x%02x: reason %u instead of %u", what, each[i].address,
				answer.head.reason, reason);
		assert_int_equal(
			writes_on_wire(ring, each[i].address, each[i].address), each[i].passes);
	}
	assert_int_equal(writes_on_wire(ring, 0x30, 0x37), 0);
	assert_int_equal(writes_on_wire(ring, 0x50, 0x57), 0);
	close(fd);
}

/* A broker that knows nothing yet, on a bus with that slot empty. */
static void begin_again(struct ring *ring)
{
	assert_int_equal(ring_stop(ring), 0);
	atomic_store(&ring->bus->count, 0);
	ring->bus->chips[SPD(SLOT)] = (struct fake_chip){0};
	ring->bus->kernel_spd_size[SLOT] = 0;
	ring_start(ring);
}

static void test_modules_read_from_the_bus(void **state)
{
	static const struct {
		const char *what;
		uint8_t head[4];
		struct passing passing;
	} cases[] = {
		{"DDR4 UDIMM", {0x23, 0x11, 0x0c, 0x02}, {true, false, true, true}},
		{"DDR4 SO-DIMM", {0x23, 0x12, 0x0c, 0x03}, {true, false, true, true}},
		{"DDR4 mini UDIMM", {0x23, 0x10, 0x0c, 0x06}, {true, false, true, true}},
		{"DDR4 72b SO-UDIMM", {0x23, 0x11, 0x0c, 0x09}, {true, false, true, true}},
		{"DDR4 hybrid UDIMM", {0x23, 0x11, 0x0c, 0x92}, {true, false, true, true}},
		{"DDR4 RDIMM", {0x23, 0x11, 0x0c, 0x01}, {false, false, false, true}},
		{"DDR4 LRDIMM", {0x23, 0x11, 0x0c, 0x04}, {false, false, false, true}},
		{"DDR4 mini RDIMM", {0x23, 0x11, 0x0c, 0x05}, {false, false, false, true}},
		{"DDR4 72b SO-RDIMM", {0x23, 0x11, 0x0c, 0x08}, {false, false, false, true}},
		{"DDR4, type unknown", {0x23, 0x11, 0x0c, 0x00}, {false, false, false, true}},
		{"DDR3", {0x92, 0x11, 0x0b, 0x02}, {false, false, false, true}},
		/* not to be told apart: maybe a second page, maybe no SPD */
		{"nothing written", {0xff, 0xff, 0xff, 0xff}, {0}},
		{"all zero", {0x00, 0x00, 0x00, 0x00}, {0}},
		{"a second page", {0x23, 0x00, 0x0c, 0x02}, {0}},
		{"almost DDR4", {0x24, 0x11, 0x0c, 0x02}, {0}},
		{"DDR5 SPD without a hub", {0x30, 0x10, 0x12, 0x02}, {0}},
		{"half a hub", {0x51, 0x19, 0x0c, 0x02}, {0}},
	};
	struct ring *ring = *state;

	check_passing(ring, "empty", (struct passing){false, false, true, true});
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin_again(ring);
		put_spd(ring, SLOT, cases[i].head);
		check_passing(ring, cases[i].what, cases[i].passing);
	}
}

static void test_hubs_read_from_the_bus(void **state)
{
	static const struct {
		const char *what;
		uint8_t low, page, module;
		bool passes;
	} cases[] = {
		{"DDR5 UDIMM", 0x18, 0x00, 0x02, true},
		{"DDR5 SO-DIMM", 0x18, 0x00, 0x03, true},
		{"without a thermometer", 0x08, 0x00, 0x02, true},
		{"wide bits elsewhere", 0x18, 0xf0, 0x02, true},
		{"DDR5 RDIMM", 0x18, 0x00, 0x01, false},
		{"DDR5 LRDIMM", 0x18, 0x00, 0x04, false},
		{"DDR5 CUDIMM", 0x18, 0x00, 0x05, false}, /* has a clock driver */
		{"of DDR4 a UDIMM of its own kind", 0x18, 0x00, 0x06, false},
		{"another page", 0x18, 0x01, 0x02, false},
		{"the last page", 0x18, 0x07, 0x02, false},
		{"wide addresses", 0x18, 0x08, 0x02, false},
	};
	struct ring *ring = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin_again(ring);
		put_hub(ring, SLOT, cases[i].low, cases[i].page, cases[i].module);
		check_passing(ring, cases[i].what,
			(struct passing){false, cases[i].passes, cases[i].passes, false});
		/* Its own registers: which page, and what is on it; nothing else. */
		assert_in_range(reads_on_wire(ring, SPD(SLOT)), 3, 5);
	}
}

/* A hub that begins to answer and stops is one, and no empty slot. */
static void test_a_hub_that_stops(void **state)
{
	static const uint8_t deaf_from[] = {0x02, 0x0b, 0x0c, 0x82, 0x83};
	struct ring *ring = *state;

	for (unsigned i = 0; i < sizeof(deaf_from); i++) {
		char what[32];

		begin_again(ring);
		put_hub(ring, SLOT, 0x18, 0, 0x02);
		ring->bus->chips[SPD(SLOT)].deaf_from = deaf_from[i];
		snprintf(what, sizeof(what), "deaf from 0x%02x", deaf_from[i]);
		check_passing(ring, what, (struct passing){0});
	}
}

static void test_a_module_that_stops(void **state)
{
	struct ring *ring = *state;

	for (uint8_t deaf_from = 1; deaf_from < 4; deaf_from++) {
		begin_again(ring);
		put_spd(ring, SLOT, (const uint8_t[]){0x23, 0x11, 0x0c, 0x02});
		ring->bus->chips[SPD(SLOT)].deaf_from = deaf_from;
		check_passing(ring, "stops", (struct passing){0});
	}
}

static void test_modules_that_the_kernel_knows(void **state)
{
	static const struct {
		const char *what;
		uint8_t head[4];
		struct passing passing;
	} cases[] = {
		{"DDR4 UDIMM", {0x23, 0x11, 0x0c, 0x02}, {true, false, true, true}},
		{"DDR4 RDIMM", {0x23, 0x11, 0x0c, 0x01}, {false, false, false, true}},
		{"DDR5 UDIMM", {0x30, 0x10, 0x12, 0x02}, {false, true, true, false}},
		{"DDR5 RDIMM", {0x30, 0x10, 0x12, 0x01}, {false, false, false, false}},
		{"DDR5 CUDIMM", {0x30, 0x10, 0x12, 0x05}, {false, false, false, false}},
		{"DDR3", {0x92, 0x11, 0x0b, 0x02}, {false, false, false, true}},
	};
	struct ring *ring = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin_again(ring);
		put_kernel_spd(ring, SLOT, cases[i].head, 100, 0);
		check_passing(ring, cases[i].what, cases[i].passing);
		assert_int_equal(reads_on_wire(ring, SPD(SLOT)), 0);
	}
	/* A driver that shows no SPD. */
	begin_again(ring);
	ring->bus->chips[SPD(SLOT)] = (struct fake_chip){.present = 1, .owned = 1};
	check_passing(ring, "another driver", (struct passing){0});
	/* One that shows too little of it. */
	begin_again(ring);
	put_kernel_spd(ring, SLOT, cases[0].head, 100, 0);
	ring->bus->kernel_spd_size[SLOT] = 3;
	check_passing(ring, "three bytes", (struct passing){0});
}

static void test_makers(void **state)
{
	static const uint8_t ddr4[] = {0x23, 0x11, 0x0c, 0x02}, ddr5[] = {0x30, 0x10, 0x12, 0x02};
	static const uint8_t rdimm[] = {0x23, 0x11, 0x0c, 0x01};
	static const struct {
		const uint8_t *head;
		unsigned at;
		uint16_t maker;
		bool passes;
	} cases[] = {{ddr4, 320, 0x0198, true}, {ddr4, 320, 0x04cd, true},
		{ddr4, 320, 0x9801, false}, {ddr4, 320, 0x0199, false}, {ddr4, 320, 0, false},
		{ddr4, 350, 0x0198, false}, {ddr5, 512, 0x04cd, true}, {ddr5, 320, 0x0198, false},
		{rdimm, 320, 0x0198, false}};
	struct ring *ring = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd;

		begin_again(ring);
		put_kernel_spd(ring, SLOT, cases[i].head, cases[i].at, cases[i].maker);
		fd = peer_connect(ring, "rgb");
		if (cases[i].passes) {
			passes(fd, NEED_MAKER);
			is_first_written_after(ring, NEED_MAKER, 1);
		} else {
			is_refused(fd, NEED_MAKER, RGBROKER_REASON_UNPROVEN);
			assert_int_equal(wire_count(ring), 0); /* its chip is not looked at */
		}
		close(fd);
	}
}

/* A write before recognition, where the floor wants a chip: the maker's module stands in for it. */
static void test_found_by_a_write(void **state)
{
	static const uint8_t udimm[] = {0x23, 0x11, 0x0c, 0x02}, rdimm[] = {0x23, 0x11, 0x0c, 0x01};
	struct ring *ring = *state;
	unsigned slot = FOUND_BY_WRITE % 8;
	struct batch look = batch_write(1, FOUND_BY_WRITE, 0x0e, 1);
	struct answer answer;

	for (unsigned i = 0; i < 4; i++) {
		int fd;

		begin_again(ring);
		if (i == 0)
			put_spd(ring, slot, udimm); /* of unknown make */
		else
			put_kernel_spd(
				ring, slot, i == 1 ? rdimm : udimm, 320, i == 2 ? 0x0199 : 0x0198);
		fd = peer_connect(ring, "rgb");
		answer = peer_ask(fd, &look);
		if (i == 3) {
			assert_done(answer);
			passes(fd, FOUND_BY_WRITE);
		} else {
			/* The floor speaks of the registered one, in another family's name. */
			assert_refused(
				answer, i == 1 ? RGBROKER_REASON_FLOOR : RGBROKER_REASON_UNPROVEN);
			assert_int_equal(writes_on_wire(ring, 0, 127), 0);
		}
		close(fd);
	}
	ring->bus->chips[SPD(slot)] = (struct fake_chip){0};
	ring->bus->kernel_spd_size[slot] = 0;
}

/* Once known, not read again, until it has to be. */
static void test_nothing_is_read_twice(void **state)
{
	static const uint8_t ddr4[] = {0x23, 0x11, 0x0c, 0x02}, strange[] = {0, 1, 2, 3};
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_new(1);
	struct answer answer;

	put_spd(ring, SLOT, ddr4);
	for (unsigned i = 0; i < 10; i++)
		passes(fd, NEED_DDR4);
	passes(fd, UNBUFFERED);
	assert_int_equal(reads_on_wire(ring, SPD(SLOT)), 4);
	assert_int_equal(wire_count(ring), 4 + 10 + 2);
	passes(fd, NOT_DDR5); /* for that, all slots: nobody is there */
	passes(fd, NOT_DDR5);
	for (unsigned slot = 0; slot < 8; slot++)
		assert_int_equal(reads_on_wire(ring, (uint8_t)SPD(slot)), slot == SLOT ? 4 : 1);
	assert_int_equal(peer_status(ring).own_reads, 4 + 1 + 7 + 1);
	/* What cannot be told is looked at again with the next request, once. */
	begin_again(ring);
	put_spd(ring, SLOT, strange);
	for (unsigned i = 0; i < 64; i++)
		batch_add(&batch, RGBROKER_BYTE_DATA, false, i < 63 ? 0x40 : NEED_DDR4, 0, 1, "x");
	for (unsigned i = 1; i <= 3; i++) {
		close(fd);
		fd = peer_connect(ring, "rgb");
		answer = peer_ask(fd, &batch);
		assert_refused(answer, RGBROKER_REASON_UNPROVEN);
		assert_int_equal(answer.head.done, 63);
		assert_int_equal(reads_on_wire(ring, SPD(SLOT)), 4 * i);
	}
	put_spd(ring, SLOT, ddr4);
	passes(fd, NEED_DDR4);
	passes(fd, NEED_DDR4);
	assert_int_equal(reads_on_wire(ring, SPD(SLOT)), 16);
	close(fd);
}

/* Another page shows: it is DDR5 all the same, and not proven to be anything else. */
static void test_another_page(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	put_hub(ring, SLOT, 0x18, 2, 0x02);
	is_refused(fd, NEED_DDR5, RGBROKER_REASON_UNPROVEN);
	is_refused(fd, NOT_DDR5, RGBROKER_REASON_FLOOR);
	assert_int_equal(reads_on_wire(ring, SPD(SLOT)), 3);
	close(fd);
	begin_again(ring); /* with the first page in place */
	put_hub(ring, SLOT, 0x18, 0, 0x02);
	fd = peer_connect(ring, "rgb");
	passes(fd, NEED_DDR5);
	is_refused(fd, NOT_DDR5, RGBROKER_REASON_FLOOR);
	close(fd);
}

/* Errors that say nothing about a slot are handed on, or leave it unknown. */
static void test_errors_while_looking(void **state)
{
	static const int handed_on[] = {EAGAIN, ETIMEDOUT, EPROTO};
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	for (unsigned i = 0; i < sizeof(handed_on) / sizeof(handed_on[0]); i++) {
		struct answer answer;

		ring->bus->chips[SPD(SLOT)].error = -handed_on[i];
		answer = write_to(fd, NEED_DDR4);
		assert_answer(answer, RGBROKER_REASON_BUS, -handed_on[i]);
		answer = write_to(fd, NOT_DDR5);
		assert_answer(answer, RGBROKER_REASON_BUS, -handed_on[i]);
	}
	ring->bus->chips[SPD(SLOT)].error = -EIO; /* a collision, or nobody */
	is_refused(fd, NEED_DDR4, RGBROKER_REASON_UNPROVEN);
	is_refused(fd, NOT_DDR5, RGBROKER_REASON_FLOOR);
	is_refused(fd, UNBUFFERED, RGBROKER_REASON_FLOOR);
	assert_int_equal(writes_on_wire(ring, 0, 127), 0);
	put_spd(ring, SLOT, (const uint8_t[]){0x23, 0x11, 0x0c, 0x02});
	passes(fd, NEED_DDR4);
	passes(fd, NOT_DDR5);
	close(fd);
}

/* --- displays --- */

static const uint8_t edid_head[8] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
static const uint8_t display[] = {0x50, 0x37, 0x3a, 0x30};

static int set_up_gpu(void **state)
{
	struct ring *ring;

	ring_set_up_stopped(state);
	ring = *state;
	ring->bus->class = BUS_GPU;
	ring_start(ring);
	for (unsigned i = 0; i < sizeof(display); i++)
		ring->bus->chips[display[i]].present = 1;
	ring->bus->chips[0x60].present = 1;
	memcpy(ring->bus->chips[0x50].registers, edid_head, sizeof(edid_head));
	return 0;
}

static void test_a_display_takes_no_write(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch;
	struct answer answer;

	for (unsigned i = 0; i < sizeof(display); i++) {
		is_refused(fd, display[i], RGBROKER_REASON_FLOOR);
		batch = batch_new(1);
		batch_add(&batch, RGBROKER_QUICK, false, display[i], 0, 0, NULL);
		answer = peer_ask(fd, &batch);
		assert_refused(answer, RGBROKER_REASON_FLOOR);
	}
	is_refused(fd, 0x53, RGBROKER_REASON_FLOOR);
	assert_int_equal(writes_on_wire(ring, 0, 127), 0);
	passes(fd, 0x60); /* that is not the display's */
	/* The first of a batch of many: looked at once. */
	atomic_store(&ring->bus->count, 0);
	batch = batch_new(1);
	for (unsigned i = 0; i < 32; i++)
		batch_add(&batch, RGBROKER_BYTE_DATA, false, i == 31 ? 0x37 : 0x60, 0, 1, "x");
	answer = peer_ask(fd, &batch);
	assert_refused(answer, RGBROKER_REASON_FLOOR);
	assert_int_equal(reads_on_wire(ring, 0x50), 8);
	assert_int_equal(wire_count(ring), 8);
	close(fd);
}

static void test_a_display_comes_and_goes(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	for (unsigned round = 0; round < 3; round++) {
		unsigned before;

		is_refused(fd, display[round + 1], RGBROKER_REASON_FLOOR);
		ring->bus->chips[0x50].present = 0;
		before = wire_count(ring);
		passes(fd, display[round + 1]);
		assert_int_equal(wire_count(ring), before + 2);
		ring->bus->chips[0x50].present = 1;
		is_refused(fd, display[round + 1], RGBROKER_REASON_FLOOR);
		ring->bus->chips[0x50].registers[7] = 1; /* another EEPROM */
		passes(fd, display[round + 1]);
		passes(fd, 0x50);
		memcpy(ring->bus->chips[0x50].registers, edid_head, sizeof(edid_head));
	}
	/* One of several EEPROMs holds one. */
	ring->bus->chips[0x50].present = 0;
	ring->bus->chips[0x53].present = 1;
	passes(fd, 0x53);
	memcpy(ring->bus->chips[0x53].registers, edid_head, sizeof(edid_head));
	is_refused(fd, 0x53, RGBROKER_REASON_FLOOR);
	passes(fd, 0x37); /* which goes by 0x50 */
	close(fd);
}

static void test_a_display_that_cannot_be_asked(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	ring->bus->chips[0x50].owned = 1; /* by a driver, which knows why */
	is_refused(fd, 0x37, RGBROKER_REASON_FLOOR);
	ring->bus->chips[0x50].owned = 0;
	ring->bus->chips[0x50].error = -ETIMEDOUT;
	answer = write_to(fd, 0x37);
	assert_answer(answer, RGBROKER_REASON_BUS, -ETIMEDOUT);
	ring->bus->chips[0x50].error = -EAGAIN;
	answer = write_to(fd, 0x50);
	assert_answer(answer, RGBROKER_REASON_BUS, -EAGAIN);
	assert_int_equal(writes_on_wire(ring, 0, 127), 0);
	close(fd);
}

/* --- the answers of families --- */

static const struct {
	uint8_t address, reads;
} families[] = {{0x60, 2}, {0x61, 1}, {0x62, 1}, {0x63, 1}, {0x64, 3}};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

static void put_families(struct ring *ring)
{
	struct fake_chip *chips = ring->bus->chips;

	for (unsigned i = 0; i < FAMILIES; i++)
		chips[families[i].address] = (struct fake_chip){.present = 1};
	chips[0x60].registers[2] = 0x34; /* low byte first */
	chips[0x60].registers[3] = 0x12;
	chips[0x60].registers[4] = 0xf5;
	chips[0x61].block_length = 4;
	memcpy(chips[0x61].registers + 0x10, "AM", 2);
	memcpy(chips[0x62].registers + 0x10, "AB", 2);
	chips[0x63].registers[2] = 0x11; /* 0 and 1 become what is sent */
	memcpy(chips[0x64].registers, "\x01\x02\x03", 3);
}

static void test_each_expectation(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	put_families(ring);
	for (unsigned i = 0; i < FAMILIES; i++) {
		passes(fd, families[i].address);
		passes(fd, families[i].address); /* recognised once */
		assert_int_equal(reads_on_wire(ring, families[i].address), families[i].reads);
		if (families[i].address != 0x63)
			is_first_written_after(ring, families[i].address, families[i].reads);
	}
	assert_int_equal(wire_at(ring, 0)->kind, RGBROKER_WORD_DATA);
	/* Of the plain one: sent, read, and only then what was asked for. */
	for (unsigned i = 0; i < wire_count(ring); i++) {
		const struct fake_entry *entry = wire_at(ring, i);

		if (entry->address != 0x63)
			continue;
		assert_int_equal(entry->kind, RGBROKER_I2C);
		assert_int_equal(entry->count, 1); /* a transfer of its own */
		assert_memory_equal(entry->data, "\xaa\x01", 2);
		assert_int_equal(wire_at(ring, i + 1)->kind, RGBROKER_I2C);
		assert_int_equal(wire_at(ring, i + 1)->read, 1);
		assert_int_equal(wire_at(ring, i + 1)->length, 4);
		assert_int_equal(wire_at(ring, i + 2)->kind, RGBROKER_BYTE_DATA);
		break;
	}
	close(fd);
}

static void test_each_disappointment(void **state)
{
	static const struct {
		uint8_t address, number, value;
	} cases[] = {{0x60, 3, 0x13}, {0x60, 3, 0x00}, {0x60, 4, 0xf4}, {0x61, 0x10, 0x42},
		{0x61, 0x11, 0x41}, {0x61, 0x11, 0x50}, {0x62, 0x10, 0x00}, {0x62, 0x11, 0x43},
		{0x63, 2, 0x12}, {0x64, 0, 0x02}, {0x64, 2, 0x04}};
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_families(ring);
		ring->bus->chips[cases[i].address].registers[cases[i].number] = cases[i].value;
		is_refused(fd, cases[i].address, RGBROKER_REASON_UNPROVEN);
	}
	for (uint8_t length = 1; length <= 32; length++) { /* it says so itself */
		put_families(ring);
		ring->bus->chips[0x61].block_length = length;
		if (length != 4)
			is_refused(fd, 0x61, RGBROKER_REASON_UNPROVEN);
	}
	for (unsigned i = 0; i < FAMILIES; i++) { /* nobody answers, or not that kind */
		put_families(ring);
		ring->bus->chips[families[i].address].present = 0;
		is_refused(fd, families[i].address, RGBROKER_REASON_UNPROVEN);
		ring->bus->chips[families[i].address].error = -EOPNOTSUPP;
		is_refused(fd, families[i].address, RGBROKER_REASON_UNPROVEN);
	}
	/* Nothing but what is sent in order to recognise one, and the file allows to everybody. */
	for (unsigned i = 0; i < wire_count(ring); i++)
		if (!wire_at(ring, i)->read) {
			assert_int_equal(wire_at(ring, i)->address, 0x63);
			assert_int_equal(wire_at(ring, i)->kind, RGBROKER_I2C);
			assert_int_equal(wire_at(ring, i)->length, 2);
		}
	close(fd);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void test_a_pause_between_reads(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	double before;

	put_families(ring);
	before = now();
	passes(fd, 0x64);
	assert_true(now() - before >= 2 * 0.005); /* between three */
	close(fd);
}

/* --- somebody who wants to do harm --- */

#define ATTEMPTS 100000

static const struct {
	uint8_t kind, reads_min, writes_max;
	uint16_t reads_max;
	bool read_command, write_command;
	uint8_t writes_min;
} shapes[] = {{RGBROKER_QUICK, 0, 0, 0, false, false, 0}, {RGBROKER_BYTE, 1, 0, 1, false, true, 0},
	{RGBROKER_BYTE_DATA, 1, 1, 1, true, true, 1}, {RGBROKER_WORD_DATA, 2, 2, 2, true, true, 2},
	{RGBROKER_BLOCK_DATA, 33, 32, 33, true, true, 0},
	{RGBROKER_I2C_BLOCK, 1, 32, 33, true, true, 0}, {RGBROKER_I2C, 0, 40, 40, false, false, 0}};

static unsigned below(unsigned limit)
{
	return (unsigned)random() % limit;
}

static uint8_t hostile_address(void)
{
	switch (below(8)) {
	case 0:
		return (uint8_t)(0x30 + below(8));
	case 1:
		return (uint8_t)(0x50 + below(8));
	case 2:
	case 3:
	case 4:
		return (uint8_t)(0x70 + below(8));
	case 5:
		return (uint8_t)(0x48 + below(8));
	default:
		return (uint8_t)below(128);
	}
}

static uint8_t hostile_command(void)
{
	static const uint8_t commands[] = {
		0x00, 0x00, 0x00, 0x01, 0x01, 0x03, 0x81, 0x0b, 0x80, 0xa0, 0xaf, 0x0e, 0x0f, 0x10};

	return below(8) ? commands[below(sizeof(commands))] : (uint8_t)below(256);
}

/* Pointers first of all, and addresses of SPDs as the chip would have to be told them. */
static void hostile_data(uint8_t *data, unsigned length)
{
	static const uint8_t heads[] = {0x80, 0x80, 0x81, 0x80, 0x10};

	for (unsigned i = 0; i < length; i++)
		data[i] = below(2) ? (uint8_t)(0xa0 + 2 * below(8)) : (uint8_t)below(256);
	if (length > 1 && below(4)) {
		data[0] = heads[below(sizeof(heads))];
		data[1] = below(2) ? (uint8_t)(0xf0 + below(16)) : (uint8_t)below(256);
	} else if (length == 1 && below(4) == 0) {
		data[0] = (uint8_t)(0xe0 + below(16)); /* 0x70-0x77 */
	}
}

static void hostile_operation(struct batch *batch)
{
	unsigned shape = below(3) ? 2 + below(3) : below(7);
	bool read = below(3) == 0;
	unsigned least = read ? shapes[shape].reads_min : shapes[shape].writes_min;
	unsigned most = read ? shapes[shape].reads_max : shapes[shape].writes_max;
	unsigned length = least + below(most - least + 1);
	bool command = read ? shapes[shape].read_command : shapes[shape].write_command;
	uint8_t data[64];

	hostile_data(data, length);
	batch_add(batch, shapes[shape].kind, read, hostile_address(),
		command ? hostile_command() : 0, (uint16_t)length, data)
		->earlier = below(8) == 0;
}

/* What moves a controller, and its neighbours, with addresses of SPDs and others. */
static void hostile_pair(struct batch *batch)
{
	uint8_t address = (uint8_t)(0x70 + below(8)), data[2];

	hostile_data(data, 1);
	if (below(8))
		add_set(batch, address, (uint16_t)(0x80f0 + (below(2) ? 9 : below(16))));
	if (below(4))
		add_byte(batch, address, data[0]);
	else
		add_block(batch, address, data, 1);
}

static struct batch hostile_batch(void)
{
	struct batch batch = batch_of(below(3));
	unsigned count = below(2) ? 1 : 1 + below(5);
	uint8_t same = hostile_address();

	if (below(4) == 0) {
		hostile_pair(&batch);
		return batch;
	}
	for (unsigned i = 0; i < count; i++)
		hostile_operation(&batch);
	for (unsigned i = 0; i < count; i++) {
		bool plain = batch.operations[i].kind == RGBROKER_I2C;

		if (i + 1 < count && plain && batch.operations[i + 1].kind == RGBROKER_I2C)
			batch.operations[i].joined = (uint8_t)below(2);
		if (count > 1 && below(4))
			batch.operations[i].address = same; /* pointer and data belong together */
	}
	return batch;
}

static bool is_forbidden(uint8_t address)
{
	return (address >= 0x30 && address <= 0x37) || (address >= 0x50 && address <= 0x57) ||
	       address == 0x69 || address < 0x08 || address >= 0x78;
}

static bool writes_something(const struct fake_entry *entry)
{
	return !entry->read || entry->kind == RGBROKER_QUICK ||
	       (entry->kind == RGBROKER_I2C && entry->length == 0);
}

/* What came on the wire since; the log is a ring. */
static void check_harmless(const struct ring *ring, unsigned *seen)
{
	for (; *seen < wire_count(ring); ++*seen) {
		const struct fake_entry *entry = wire_at(ring, *seen);

		if (writes_something(entry) && is_forbidden(entry->address))
			fail_msg("kind %u of 0x%02x wrote at 0x%02x", entry->kind, entry->command,
				entry->address);
	}
	for (unsigned i = 0; i < FAKE_ENE_MAX; i++) {
		uint8_t moved_to = ring->bus->behind[i][ENE_MOVE] >> 1;

		if (moved_to && is_forbidden(moved_to))
			fail_msg("a controller was moved to 0x%02x", moved_to);
	}
}

static void put_targets(struct ring *ring)
{
	for (unsigned address = 0; address < 128; address++)
		if (address % 3)
			ring->bus->chips[address].present = 1;
	put_chips(ring);
	put_spd(ring, 0, (const uint8_t[]){0x23, 0x11, 0x0c, 0x02});
	put_hub(ring, 2, 0x18, 0, 0x02);
	put_spd(ring, 3, (const uint8_t[]){0x23, 0x11, 0x0c, 0x02});
	for (unsigned slot = 0; slot < 8; slot++)
		for (unsigned i = 0x10; i < 0x80; i++)
			ring->bus->chips[SPD(slot)].registers[i] = (uint8_t)(i * slot + 1);
	for (unsigned address = 0x30; address <= 0x37; address++)
		ring->bus->chips[address].present = 1;
	for (unsigned i = 0; i < FAKE_ENE_MAX; i++)
		ene_put(ring, (uint8_t)(0x70 + i + i / 2), (uint8_t)i);
}

static void attack(struct ring *ring, unsigned attempts)
{
	static struct fake_chip before[128];
	int fd = peer_connect(ring, "rgb");
	unsigned seen = 0, done = 0, refused = 0;

	put_targets(ring);
	memcpy(before, ring->bus->chips, sizeof(before));
	srandom(20260812);
	for (unsigned i = 0; i < attempts; i++) {
		struct batch batch = hostile_batch();
		struct answer answer = peer_ask(fd, &batch);

		assert_true(answer.size > 0);
		assert_int_not_equal(answer.head.reason, RGBROKER_REASON_PROTOCOL);
		done += answer.head.result == 0;
		refused += answer.head.reason > RGBROKER_REASON_BUS;
		check_harmless(ring, &seen);
	}
	assert_in_range(done, attempts / 100, attempts); /* it did get at something */
	assert_in_range(refused, attempts / 2, attempts);
	for (unsigned i = 0; i < 65536; i++) /* registers that no file lists */
		if (!(i >= 0x8000 && i <= 0x802f) && !(i >= 0x8100 && i <= 0x81ff) && i != 0x80a0 &&
			i != 0x80f8 && i != ENE_MOVE)
			for (unsigned k = 0; k < FAKE_ENE_MAX; k++)
				assert_int_equal(ring->bus->behind[k][i], 0);
	for (unsigned address = 0; address < 128; address++)
		if (is_forbidden((uint8_t)address))
			assert_memory_equal(before[address].registers,
				ring->bus->chips[address].registers, sizeof(before[0].registers));
	close(fd);
}

static void test_a_hostile_client(void **state)
{
	attack(*state, ATTEMPTS / 2);
}

/* The same by the files that are installed. */
static void test_a_hostile_client_and_shipped_files(void **state)
{
	struct ring *ring = *state;

	ring_stop(ring);
	ring->config = SHIPPED;
	atomic_store(&ring->bus->count, 0);
	ring_start(ring);
	attack(ring, ATTEMPTS);
}

/* --- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, ring_tear_down)
#define GPU_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_gpu, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_modules_read_from_the_bus),
		TEST(test_hubs_read_from_the_bus),
		TEST(test_a_hub_that_stops),
		TEST(test_a_module_that_stops),
		TEST(test_modules_that_the_kernel_knows),
		TEST(test_makers),
		TEST(test_found_by_a_write),
		TEST(test_nothing_is_read_twice),
		TEST(test_another_page),
		TEST(test_errors_while_looking),
		GPU_TEST(test_a_display_takes_no_write),
		GPU_TEST(test_a_display_comes_and_goes),
		GPU_TEST(test_a_display_that_cannot_be_asked),
		TEST(test_each_expectation),
		TEST(test_each_disappointment),
		TEST(test_a_pause_between_reads),
		TEST(test_a_hostile_client),
		TEST(test_a_hostile_client_and_shipped_files),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
