/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must be proven beyond a rule: each gate with each state of its fact, and that facts are
 * asked for once, in an order that puts nothing on the wire in vain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"

enum { LAMP = 1 }; /* on smbus, in the order of their names */
static const char *const files[][2] = {
	{"devices/any.conf",
		"[Device]\nDescription=any slot\nBusClass=smbus\nAddress=0x67\nMemory=ddr4 ddr5\n"
		"Slot=any\n[Detect]\nRead=byte_data 0x50\nWrite=byte_data 0x51\n"
		"[Recognise]\nExpect=byte_data 0 1\n"
		"[Control]\nRead=byte_data 0x52\nWrite=byte_data 0x53\n"},
	{"devices/lamp.conf",
		"[Device]\nDescription=lamp\nBusClass=smbus gpu\nAddress=0x20-0x23 0x11 0x1a 0x49\n"
		"[Detect]\nRead=byte\nWrite=byte_data 0x07\n[Recognise]\nExpect=byte_data 0xa0 1\n"
		"[Control]\nRead=byte_data 0xa0\nWrite=byte_data 0x08\n"
		"[Pointer]\nSet=word_data 0x00\nRead=byte_data 0x81\nRead=word_data 0x82\n"
		"Read=i2c_block 0x83\nWrite=byte_data 0x01\nWrite=block_data 0x03 length 0-4\n"
		"Advance=writes\n"
		"[Registers]\nRead=0x1000-0x100f\nRead=0xfffe-0xffff\nRead=0x8000\n"
		"Write=0x8000-0x8003 value 1-3 0x10\nWrite=0x8004\nMove=0x8005\nWrite=0x8006\n"
		"Write=0xfffe-0xffff\n"},
	{"devices/none.conf",
		"[Device]\nDescription=none\nBusClass=smbus gpu\nAddress=0x11 0x18 0x20 0x28 0x49\n"
		"Address=0x58\n[Recognise]\nExpect=none\n"
		"[Control]\nRead=byte_data 0x30\nWrite=byte_data 0x30\n"},
	{"devices/sender.conf",
		"[Device]\nDescription=sender\nBusClass=gpu\nAddress=0x29 0x30 0x37 0x3a "
		"0x50-0x57\n"
		"[Detect]\nWrite=i2c length 1 data 0xab\nRead=i2c length 4\n"
		"[Recognise]\nExpect=i2c send 0xab length 4 data 0xab\n"
		"[Control]\nWrite=i2c length 2 data 0x40\nRead=byte_data 0x10\nRead=quick\n"},
	{"devices/slot.conf",
		"[Device]\nDescription=slot\nBusClass=smbus\nAddress=0x58-0x5f 0x60-0x67\n"
		"Memory=ddr4\nMaker=0x1234 0x5678\n"
		"[Detect]\nRead=byte_data 0x60\nWrite=byte_data 0x61 data 1\n"
		"[Recognise]\nExpect=byte_data 0 1\n"
		"[Control]\nRead=byte_data 0x62\nWrite=byte_data 0x63\n"},
	{"devices/thin.conf", /* any module's kind proves nothing */
		"[Device]\nDescription=thin\nBusClass=smbus\nAddress=0x5c\nMemory=ddr4\n"
		"[Detect]\nWrite=byte_data 0x71\n[Recognise]\nExpect=byte_data 0 1\n"},
	{"devices/wide.conf", /* nor does a maker somewhere on the bus */
		"[Device]\nDescription=wide\nBusClass=smbus\nAddress=0x5d\nMemory=ddr4\n"
		"Maker=0x1234\nSlot=any\n"
		"[Detect]\nWrite=byte_data 0x71\n[Recognise]\nExpect=byte_data 0 1\n"},
	{"doors/all.conf", "[Door]\nTransfer=read-write\nDevices=*\n"},
};

static struct policy smbus, gpu;
static struct facts facts;
static struct caller caller;

static void load_class(struct policy *policy, enum bus_class class)
{
	const struct adapter adapter = {.class = class};
	struct config_folder folder;
	const char *const folders[] = {folder.path, NULL};
	struct problems problems = {0};

	folder_make(&folder);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		folder_write(&folder, files[i][0], files[i][1]);
	assert_int_equal(policy_load(policy, &adapter, folders, problems_add, &problems), 0);
	folder_remove(&folder);
	for (size_t i = 0; i < problems.count; i++)
		print_error("%s:%d: %s\n", problems.items[i].file, problems.items[i].line,
			problems.items[i].why);
	assert_int_equal(problems.count, 0);
}

static int load(void **state)
{
	load_class(&smbus, BUS_SMBUS);
	load_class(&gpu, BUS_GPU);
	assert_int_equal(smbus.n_devices, 6);
	assert_int_equal(gpu.n_devices, 3);
	return 0;
}

static int unload(void **state)
{
	policy_free(&smbus);
	policy_free(&gpu);
	return 0;
}

/* All is proven: every test takes away what it is about. */
static int fresh_facts(void **state)
{
	memset(&facts, 0, sizeof(facts));
	memset(facts.recognised, 0xff, sizeof(facts.recognised));
	memset(facts.owner, OWNER_NONE, sizeof(facts.owner));
	memset(facts.edid, PRESENCE_NO, sizeof(facts.edid));
	memset(facts.answers, PRESENCE_NO, sizeof(facts.answers));
	for (unsigned slot = 0; slot < SLOTS; slot++)
		facts.memory[slot] = (struct memory){MEMORY_DDR4, true, 0x1234};
	caller = (struct caller){.door = policy_find_door(&smbus, "all")};
	return 0;
}

static struct judgement judge(const struct policy *policy, uint8_t address, uint8_t kind, bool read,
	uint8_t command, uint16_t length, const void *data)
{
	const struct rgbroker_operation operation = {.kind = kind,
		.read = read,
		.address = address,
		.command = command,
		.length = length};
	struct caller here = caller;

	here.door = policy_find_door(policy, "all");
	return policy_judge(policy, &here, &facts, &operation, data);
}

static struct judgement write_byte(uint8_t address, uint8_t command)
{
	return judge(&smbus, address, RGBROKER_BYTE_DATA, false, command, 1, "\1");
}

static struct judgement read_byte(uint8_t address, uint8_t command)
{
	return judge(&smbus, address, RGBROKER_BYTE_DATA, true, command, 1, NULL);
}

static void is_allowed(struct judgement judgement)
{
	assert_int_equal(judgement.verdict, VERDICT_ALLOWED);
	assert_int_equal(judgement.reason, RGBROKER_REASON_NONE);
	assert_non_null(judgement.rule);
}

static void is_refused(struct judgement judgement, enum rgbroker_reason reason, enum gate gate)
{
	assert_int_equal(judgement.verdict, VERDICT_REFUSED);
	assert_int_equal(judgement.reason, reason);
	assert_int_equal(judgement.gate, gate);
}

static void wants(struct judgement judgement, enum fact fact, uint8_t address)
{
	assert_int_equal(judgement.verdict, VERDICT_NEEDS_FACT);
	assert_int_equal(judgement.fact, fact);
	assert_int_equal(judgement.fact_address, address);
}

/* --- owner and claim --- */

static void test_owner(void **state)
{
	for (unsigned recognised = 0; recognised < 2; recognised++) {
		facts.recognised[0x20] = recognised ? UINT64_MAX : 0;
		facts.owner[0x20] = OWNER_UNKNOWN;
		wants(write_byte(0x20, 0x08), FACT_OWNER, 0x20);
		wants(read_byte(0x20, 0xa0), FACT_OWNER, 0x20);
		wants(judge(&smbus, 0x20, RGBROKER_WORD_DATA, false, 0, 2, "\x80\x04"), FACT_OWNER,
			0x20);
		facts.owner[0x20] = OWNER_KERNEL;
		is_refused(write_byte(0x20, 0x08), RGBROKER_REASON_OWNED, GATE_NONE);
		is_refused(read_byte(0x20, 0xa0), RGBROKER_REASON_OWNED, GATE_NONE);
		is_refused(judge(&smbus, 0x20, RGBROKER_WORD_DATA, false, 0, 2, "\x80\x04"),
			RGBROKER_REASON_OWNED, GATE_NONE);
		is_refused(judge(&smbus, 0x20, RGBROKER_BYTE, true, 0, 1, NULL),
			RGBROKER_REASON_OWNED, GATE_NONE);
	}
	facts.owner[0x20] = OWNER_NONE;
	is_allowed(write_byte(0x20, 0x08));
}

/* No writes to another's chip, of no kind and not even the pointer; reads go on. */
static void test_claim(void **state)
{
	for (unsigned recognised = 0; recognised < 2; recognised++) {
		facts.recognised[0x20] = recognised ? UINT64_MAX : 0;
		caller.claimed = true;
		caller.pointer = (struct pointer){true, 0x8004};
		is_refused(write_byte(0x20, 0x07), RGBROKER_REASON_CLAIMED, GATE_NONE);
		is_refused(write_byte(0x20, 0x08), RGBROKER_REASON_CLAIMED, GATE_NONE);
		is_refused(write_byte(0x20, 0x30), RGBROKER_REASON_CLAIMED, GATE_NONE);
		is_refused(write_byte(0x20, 0x01), RGBROKER_REASON_CLAIMED, GATE_NONE);
		is_refused(judge(&smbus, 0x20, RGBROKER_BLOCK_DATA, false, 3, 1, "\1"),
			RGBROKER_REASON_CLAIMED, GATE_NONE);
		is_refused(judge(&smbus, 0x20, RGBROKER_WORD_DATA, false, 0, 2, "\x80\x04"),
			RGBROKER_REASON_CLAIMED, GATE_NONE);
		/* what no line allows is no matter of claims */
		is_refused(write_byte(0x20, 0x99), RGBROKER_REASON_RULE, GATE_NONE);
		is_allowed(judge(&smbus, 0x20, RGBROKER_BYTE, true, 0, 1, NULL));
		caller.claimed = false;
		is_allowed(write_byte(0x20, 0x07));
	}
	facts.recognised[0x20] = UINT64_MAX;
	caller.claimed = true;
	is_allowed(read_byte(0x20, 0xa0));
	caller.pointer.value = 0x1000;
	/* behind the pointer, which it would move */
	is_refused(read_byte(0x20, 0x81), RGBROKER_REASON_CLAIMED, GATE_NONE);
	facts.owner[0x20] = OWNER_KERNEL; /* the driver comes first */
	is_refused(write_byte(0x20, 0x08), RGBROKER_REASON_OWNED, GATE_NONE);
}

/* A quick "read" carries nothing back, it is a bit sent to the chip. */
static void test_claim_takes_no_quick_bit(void **state)
{
	is_allowed(judge(&gpu, 0x29, RGBROKER_QUICK, true, 0, 0, NULL));
	caller.claimed = true;
	is_refused(judge(&gpu, 0x29, RGBROKER_QUICK, true, 0, 0, NULL), RGBROKER_REASON_CLAIMED,
		GATE_NONE);
}

static void test_who_claims(void **state)
{
	struct judgement judgement;

	judgement = write_byte(0x20, 0x08);
	assert_true(policy_claims(&judgement));
	judgement = write_byte(0x28, 0x30); /* Expect=none */
	assert_true(policy_claims(&judgement));
	judgement = write_byte(0x20, 0x07); /* [Detect] */
	assert_false(policy_claims(&judgement));
	judgement = read_byte(0x20, 0xa0);
	assert_false(policy_claims(&judgement));
	judgement = judge(&smbus, 0x20, RGBROKER_WORD_DATA, false, 0, 2, "\x80\x04");
	is_allowed(judgement);
	assert_false(policy_claims(&judgement));
	caller.pointer = (struct pointer){true, 0x8004};
	judgement = write_byte(0x20, 0x01);
	is_allowed(judgement);
	assert_true(policy_claims(&judgement));
}

/* --- memory --- */

/* The four operations of a family with Memory=: only reading in [Detect] needs no proof. */
static void memory_case(uint8_t at, uint8_t base, enum verdict verdict, uint8_t asked)
{
	is_allowed(read_byte(at, base));
	for (uint8_t command = base + 1; command < base + 4; command++) {
		struct judgement judgement =
			command == base + 2 ? read_byte(at, command) : write_byte(at, command);

		assert_int_equal(judgement.verdict, verdict);
		if (verdict == VERDICT_NEEDS_FACT)
			wants(judgement, FACT_MEMORY, asked);
		if (verdict == VERDICT_REFUSED)
			is_refused(judgement, RGBROKER_REASON_UNPROVEN, GATE_MEMORY);
	}
}

static const uint16_t makers[] = {0, 0x1234, 0x5678, 0x3412, 0x1235};

static void test_memory_of_the_slot(void **state)
{
	for (unsigned slot = 0; slot < SLOTS; slot++)
		for (enum memory_kind kind = MEMORY_UNSEEN; kind <= MEMORY_OBSCURE; kind++)
			for (unsigned unbuffered = 0; unbuffered < 2; unbuffered++)
				for (unsigned i = 0; i < 5; i++) {
					bool fits = kind == MEMORY_DDR4 && unbuffered &&
						    (i == 1 || i == 2);

					fresh_facts(NULL);
					facts.memory[slot] =
						(struct memory){kind, unbuffered, makers[i]};
					for (uint8_t at = 0x58; at < 0x68; at++)
						memory_case(at, 0x60,
							(at & 7) != slot || fits ? VERDICT_ALLOWED
							: kind == MEMORY_UNSEEN ? VERDICT_NEEDS_FACT
										: VERDICT_REFUSED,
							(uint8_t)(0x50 + slot));
				}
}

static void test_memory_of_any_slot(void **state)
{
	for (unsigned slot = 0; slot < SLOTS; slot++)
		for (enum memory_kind kind = MEMORY_UNSEEN; kind <= MEMORY_OBSCURE; kind++)
			for (unsigned unbuffered = 0; unbuffered < 2; unbuffered++) {
				bool fits =
					(kind == MEMORY_DDR4 || kind == MEMORY_DDR5) && unbuffered;

				for (unsigned i = 0; i < SLOTS; i++) /* these do not fit */
					facts.memory[i] = (struct memory){
						i & 1 ? MEMORY_EMPTY : MEMORY_DDR4, false, 0};
				facts.memory[slot] = (struct memory){kind, unbuffered, 0};
				memory_case(0x67, 0x50,
					fits                    ? VERDICT_ALLOWED
					: kind == MEMORY_UNSEEN ? VERDICT_NEEDS_FACT
								: VERDICT_REFUSED,
					(uint8_t)(0x50 + slot));
			}
}

/*
 * The floor at 0x18-0x1f and 0x58-0x5f lets a chip be found by a write only where kind and maker of
 * the very module are proven.
 */
static void test_module_instead_of_fingerprint(void **state)
{
	memset(facts.recognised, 0, sizeof(facts.recognised));
	is_allowed(write_byte(0x5a, 0x61));
	wants(write_byte(0x5a, 0x63), FACT_RECOGNISED, 0x5a);
	wants(read_byte(0x5a, 0x62), FACT_RECOGNISED, 0x5a);
	wants(write_byte(0x5c, 0x71), FACT_RECOGNISED, 0x5c);
	wants(write_byte(0x5d, 0x71), FACT_RECOGNISED, 0x5d);
	facts.memory[2].maker = 0x1111;
	is_refused(write_byte(0x5a, 0x61), RGBROKER_REASON_UNPROVEN, GATE_MEMORY);
	wants(write_byte(0x1a, 0x07), FACT_RECOGNISED, 0x1a); /* the lamp names no module */
	facts.memory[2].unbuffered = false;
	is_refused(write_byte(0x1a, 0x07), RGBROKER_REASON_FLOOR, GATE_MEMORY);
	facts.memory[2].kind = MEMORY_UNSEEN;
	wants(write_byte(0x1a, 0x07), FACT_MEMORY, 0x52);
}

/* --- Expect=none beside the floor --- */

static void test_expect_none(void **state)
{
	memset(facts.recognised, 0, sizeof(facts.recognised));
	is_allowed(write_byte(0x20, 0x30));
	is_allowed(write_byte(0x28, 0x30));
	is_refused(write_byte(0x11, 0x30), RGBROKER_REASON_UNPROVEN, GATE_FINGERPRINT);
	is_refused(write_byte(0x18, 0x30), RGBROKER_REASON_UNPROVEN, GATE_FINGERPRINT);
	is_refused(write_byte(0x49, 0x30), RGBROKER_REASON_UNPROVEN, GATE_FINGERPRINT);
	is_refused(write_byte(0x58, 0x30), RGBROKER_REASON_UNPROVEN, GATE_FINGERPRINT);
	is_allowed(read_byte(0x58, 0x30));
	is_allowed(judge(&gpu, 0x49, RGBROKER_BYTE_DATA, false, 0x30, 1, "\1"));
}

/* --- displays --- */

static struct judgement send_two(uint8_t address)
{
	return judge(&gpu, address, RGBROKER_I2C, false, 0, 2, "\x40\1");
}

static void test_displays(void **state)
{
	static const uint8_t of_a_display[] = {
		0x30, 0x37, 0x3a, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57};

	for (size_t i = 0; i < sizeof(of_a_display); i++) {
		uint8_t at = of_a_display[i];

		fresh_facts(NULL);
		is_allowed(send_two(at));
		facts.recognised[at] = 0; /* the display first: recognising would write there */
		facts.edid[0x50] = PRESENCE_UNKNOWN;
		wants(send_two(at), FACT_EDID, 0x50);
		wants(judge(&gpu, at, RGBROKER_I2C, false, 0, 1, "\xab"), FACT_EDID, 0x50);
		wants(judge(&gpu, at, RGBROKER_QUICK, true, 0, 0, NULL), FACT_EDID, 0x50);
		facts.edid[0x50] = PRESENCE_YES;
		is_refused(send_two(at), RGBROKER_REASON_FLOOR, GATE_NONE);
		is_refused(judge(&gpu, at, RGBROKER_I2C, false, 0, 1, "\xab"),
			RGBROKER_REASON_FLOOR, GATE_NONE);
		is_allowed(judge(&gpu, at, RGBROKER_I2C, true, 0, 4, NULL));
		facts.edid[0x50] = PRESENCE_NO;
		if (at < 0x51)
			continue;
		facts.edid[at] = PRESENCE_UNKNOWN;
		wants(send_two(at), FACT_EDID, at);
		facts.edid[at] = PRESENCE_YES;
		is_refused(send_two(at), RGBROKER_REASON_FLOOR, GATE_NONE);
	}
	fresh_facts(NULL);
	memset(facts.edid, PRESENCE_YES, sizeof(facts.edid));
	is_allowed(send_two(0x29));
}

/*
 * To recognise a chip that has to be asked, the broker writes: where the floor wants proof for a
 * write it has to be there even if what is asked for is a read.
 */
static void test_displays_are_not_asked_who_they_are(void **state)
{
	facts.recognised[0x55] = 0;
	facts.edid[0x50] = PRESENCE_YES;
	is_refused(judge(&gpu, 0x55, RGBROKER_BYTE_DATA, true, 0x10, 1, NULL),
		RGBROKER_REASON_FLOOR, GATE_NONE);
	facts.edid[0x50] = PRESENCE_UNKNOWN;
	wants(judge(&gpu, 0x55, RGBROKER_BYTE_DATA, true, 0x10, 1, NULL), FACT_EDID, 0x50);
}

/* --- registers behind a pointer --- */

static bool readable(unsigned number)
{
	return (number >= 0x1000 && number <= 0x100f) || number == 0x8000 || number == 0xfffe ||
	       number == 0xffff;
}

static bool writable(unsigned number, unsigned value)
{
	if (number >= 0x8000 && number <= 0x8003)
		return (value >= 1 && value <= 3) || value == 0x10;
	return number == 0x8004 || number == 0x8006 || number == 0xfffe || number == 0xffff;
}

static void test_pointer_unknown(void **state)
{
	caller.pointer = (struct pointer){false, 0x8004};
	is_refused(write_byte(0x20, 0x01), RGBROKER_REASON_POINTER, GATE_REGISTER);
	is_refused(read_byte(0x20, 0x81), RGBROKER_REASON_POINTER, GATE_REGISTER);
	is_refused(judge(&smbus, 0x20, RGBROKER_BLOCK_DATA, false, 3, 1, "\1"),
		RGBROKER_REASON_POINTER, GATE_REGISTER);
	is_refused(judge(&smbus, 0x20, RGBROKER_BLOCK_DATA, false, 3, 0, ""),
		RGBROKER_REASON_POINTER, GATE_REGISTER);
}

static void test_set(void **state)
{
	for (unsigned number = 0; number <= 0xffff; number++) {
		const uint8_t data[2] = {(uint8_t)(number >> 8), (uint8_t)number};
		struct judgement judgement =
			judge(&smbus, 0x20, RGBROKER_WORD_DATA, false, 0, 2, data);

		if (readable(number) || number == 0x8005 || writable(number, 1)) {
			is_allowed(judgement);
			assert_true(judgement.pointer.known);
			assert_int_equal(judgement.pointer.value, number);
		} else {
			is_refused(judgement, RGBROKER_REASON_RULE, GATE_REGISTER);
		}
	}
}

static void test_each_register_and_value(void **state)
{
	for (unsigned number = 0; number <= 0xffff; number++) {
		struct judgement judgement;

		caller.pointer = (struct pointer){true, (uint16_t)number};
		for (unsigned value = 0; value < 256; value++) {
			const uint8_t data = (uint8_t)value;

			if (number == 0x8005)
				continue; /* moves */
			judgement = judge(&smbus, 0x20, RGBROKER_BYTE_DATA, false, 1, 1, &data);
			if (judgement.verdict !=
				(writable(number, value) ? VERDICT_ALLOWED : VERDICT_REFUSED))
				fail_msg("write 0x%04x: 0x%02x", number, value);
		}
		judgement = read_byte(0x20, 0x81);
		assert_int_equal(
			judgement.verdict, readable(number) ? VERDICT_ALLOWED : VERDICT_REFUSED);
		judgement = judge(&smbus, 0x20, RGBROKER_WORD_DATA, true, 0x82, 2, NULL);
		assert_int_equal(judgement.verdict, readable(number) && readable(number + 1)
							    ? VERDICT_ALLOWED
							    : VERDICT_REFUSED);
	}
}

/* Every byte goes to its own register; none goes around the end of the 16 bits. */
static void test_blocks(void **state)
{
	static const struct {
		uint16_t pointer;
		uint16_t length;
		const char *data;
		bool allowed;
	} cases[] = {
		{0x8000, 4, "\1\2\3\x10", true}, {0x8000, 4, "\1\2\3\4", false},
		{0x8000, 4, "\0\2\3\3", false}, {0x7fff, 2, "\1\1", false},
		{0x8003, 2, "\1\xff", true},
		{0x8003, 3, "\1\xff\x20", false}, /* the last would move the chip */
		{0x8004, 2, "\1\x44", false}, {0x8005, 1, "\x44", true},
		{0x8005, 2, "\x44\1", false}, /* alone */
		{0x8006, 1, "\1", true}, {0x8006, 2, "\1\1", false}, {0xfffe, 2, "\1\1", true},
		{0xfffe, 3, "\1\1\1", false}, {0xffff, 1, "\1", true}, {0xffff, 2, "\1\1", false},
		{0x9000, 0, "", true}, /* writes nothing */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct judgement judgement;

		caller.pointer = (struct pointer){true, cases[i].pointer};
		judgement = judge(&smbus, 0x20, RGBROKER_BLOCK_DATA, false, 3, cases[i].length,
			cases[i].data);
		if ((judgement.verdict == VERDICT_ALLOWED) != cases[i].allowed)
			fail_msg("case %zu: %d", i, judgement.verdict);
	}
	caller.pointer.value = 0xfff0;
	for (uint16_t length = 1; length < 34; length++)
		assert_int_equal(
			judge(&smbus, 0x20, RGBROKER_I2C_BLOCK, true, 0x83, length, NULL).verdict,
			length == 1 ? VERDICT_ALLOWED : VERDICT_REFUSED);
	caller.pointer.value = 0xfffe;
	for (uint16_t length = 1; length < 34; length++) /* the count does not count */
		assert_int_equal(
			judge(&smbus, 0x20, RGBROKER_I2C_BLOCK, true, 0x83, length, NULL).verdict,
			length <= 3 ? VERDICT_ALLOWED : VERDICT_REFUSED);
	caller.pointer.value = 0x1000;
	for (uint16_t length = 1; length < 34; length++)
		assert_int_equal(
			judge(&smbus, 0x20, RGBROKER_I2C_BLOCK, true, 0x83, length, NULL).verdict,
			length <= 17 ? VERDICT_ALLOWED : VERDICT_REFUSED);
}

static struct pointer after(struct judgement judgement, uint8_t kind, bool read, uint16_t length)
{
	const struct rgbroker_operation operation = {.kind = kind, .read = read, .length = length};

	is_allowed(judgement);
	return policy_pointer_after(&judgement, &operation);
}

static void test_where_the_pointer_is(void **state)
{
	struct pointer pointer =
		after(judge(&smbus, 0x20, RGBROKER_WORD_DATA, false, 0, 2, "\x80\x04"),
			RGBROKER_WORD_DATA, false, 2);

	assert_true(pointer.known);
	assert_int_equal(pointer.value, 0x8004); /* the high byte first */
	caller.pointer = (struct pointer){true, 0x8000};
	pointer = after(judge(&smbus, 0x20, RGBROKER_BLOCK_DATA, false, 3, 3, "\1\1\1"),
		RGBROKER_BLOCK_DATA, false, 3);
	assert_true(pointer.known);
	assert_int_equal(pointer.value, 0x8003);
	pointer = after(read_byte(0x20, 0x81), RGBROKER_BYTE_DATA, true, 1);
	assert_false(pointer.known); /* what a read makes of it nobody vouches for */
	smbus.devices[LAMP]->advances = false;
	pointer = after(write_byte(0x20, 0x01), RGBROKER_BYTE_DATA, false, 1);
	smbus.devices[LAMP]->advances = true;
	assert_false(pointer.known);
}

/* Nobody says that the register after 0xffff is 0. */
static void test_pointer_does_not_wrap(void **state)
{
	struct pointer pointer;

	caller.pointer = (struct pointer){true, 0xffff};
	pointer = after(write_byte(0x20, 0x01), RGBROKER_BYTE_DATA, false, 1);
	assert_false(pointer.known);
	caller.pointer.value = 0xfffe;
	pointer = after(judge(&smbus, 0x20, RGBROKER_BLOCK_DATA, false, 3, 2, "\1\1"),
		RGBROKER_BLOCK_DATA, false, 2);
	assert_false(pointer.known);
}

static void test_setting_again(void **state)
{
	struct rgbroker_operation operation;
	uint8_t data[2] = {0};

	policy_set_pointer(smbus.devices[LAMP], 0x21, 0x8004, &operation, data);
	assert_int_equal(operation.kind, RGBROKER_WORD_DATA);
	assert_int_equal(operation.read, 0);
	assert_int_equal(operation.address, 0x21);
	assert_int_equal(operation.command, 0);
	assert_int_equal(operation.length, 2);
	assert_int_equal(data[0], 0x80);
	assert_int_equal(data[1], 0x04);
	assert_true(policy_sets_pointer(&smbus, &operation));
	operation.address = 0x24;
	assert_false(policy_sets_pointer(&smbus, &operation));
	operation.address = 0x21;
	operation.command = 1;
	assert_false(policy_sets_pointer(&smbus, &operation));
	operation.command = 0;
	operation.read = 1;
	assert_false(policy_sets_pointer(&smbus, &operation));
}

/* --- moving --- */

static struct judgement move_to(uint8_t value)
{
	caller.pointer = (struct pointer){true, 0x8005};
	return judge(&smbus, 0x20, RGBROKER_BYTE_DATA, false, 1, 1, &value);
}

static void test_moves(void **state)
{
	const struct rgbroker_operation operation = {.kind = RGBROKER_BYTE_DATA, .length = 1};

	for (unsigned value = 0; value < 256; value++) {
		unsigned to = value >> 1;
		/* its own addresses, less those where the floor has a word */
		bool fits = !(value & 1) && to >= 0x20 && to <= 0x23;
		struct judgement judgement = move_to((uint8_t)value);
		const uint8_t data = (uint8_t)value;
		uint8_t address = 0xff;

		if (!fits) {
			is_refused(judgement, RGBROKER_REASON_RULE, GATE_MOVE);
			continue;
		}
		is_allowed(judgement);
		assert_true(policy_moves(&judgement, &operation, &data, &address));
		assert_int_equal(address, to);
		facts.owner[to] = to == 0x20 ? OWNER_NONE : OWNER_KERNEL;
		if (to != 0x20)
			is_refused(move_to((uint8_t)value), RGBROKER_REASON_RULE, GATE_MOVE);
		facts.owner[to] = OWNER_NONE;
		facts.answers[to] = PRESENCE_YES;
		is_refused(move_to((uint8_t)value), RGBROKER_REASON_RULE, GATE_MOVE);
		facts.answers[to] = PRESENCE_UNKNOWN;
		wants(move_to((uint8_t)value), FACT_ANSWERS, (uint8_t)to);
		if (to == 0x20)
			continue;
		facts.owner[to] = OWNER_UNKNOWN;
		wants(move_to((uint8_t)value), FACT_OWNER, (uint8_t)to);
		facts.answers[to] = PRESENCE_YES;
		is_refused(move_to((uint8_t)value), RGBROKER_REASON_RULE, GATE_MOVE);
	}
}

static void test_what_does_not_move(void **state)
{
	const struct rgbroker_operation byte = {.kind = RGBROKER_BYTE_DATA, .length = 1};
	const struct rgbroker_operation empty = {.kind = RGBROKER_BLOCK_DATA};
	struct judgement judgement;
	uint8_t address;

	caller.pointer = (struct pointer){true, 0x8004};
	judgement = write_byte(0x20, 0x01);
	assert_false(policy_moves(&judgement, &byte, (const uint8_t *)"\x44", &address));
	caller.pointer.value = 0x8005;
	judgement = judge(&smbus, 0x20, RGBROKER_BLOCK_DATA, false, 3, 0, "");
	is_allowed(judgement);
	assert_false(policy_moves(&judgement, &empty, (const uint8_t *)"", &address));
	judgement = judge(&smbus, 0x20, RGBROKER_WORD_DATA, false, 0, 2, "\x80\x05");
	is_allowed(judgement); /* pointing there does not */
	assert_false(policy_moves(&judgement, &byte, (const uint8_t *)"\x44", &address));
}

/* --- facts are asked for once, and not in vain --- */

/* All there is to know, at random. */
static struct facts some_world(const struct policy *policy)
{
	struct facts world = {0};
	uint64_t families = 0; /* that can be recognised */

	for (unsigned i = 0; i < policy->n_devices; i++)
		families |= (uint64_t)!policy->devices[i]->no_fingerprint << i;
	for (unsigned at = 0; at < ADDRESSES; at++) {
		world.recognised[at] = (unsigned)rand() & families;
		world.stranger[at] = ~world.recognised[at] & families;
		world.owner[at] = rand() % 5 ? OWNER_NONE : OWNER_KERNEL;
		world.edid[at] = rand() % 3 ? PRESENCE_NO : PRESENCE_YES;
		world.answers[at] = rand() % 2 ? PRESENCE_NO : PRESENCE_YES;
	}
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		world.memory[slot].kind =
			(enum memory_kind)(MEMORY_EMPTY + rand() % (MEMORY_OBSCURE));
		world.memory[slot].unbuffered = rand() % 4;
		world.memory[slot].maker = makers[rand() % 5];
	}
	return world;
}

/* Takes over one fact; fails if it was known already. */
static void learn(struct facts *known, const struct facts *world, const struct judgement *judgement)
{
	uint8_t at = judgement->fact_address;
	uint64_t bit = UINT64_C(1) << judgement->device_index;

	switch (judgement->fact) {
	case FACT_OWNER:
		assert_int_equal(known->owner[at], OWNER_UNKNOWN);
		known->owner[at] = world->owner[at];
		break;
	case FACT_RECOGNISED:
		assert_false((known->recognised[at] | known->stranger[at]) & bit);
		known->recognised[at] |= world->recognised[at] & bit;
		known->stranger[at] |= world->stranger[at] & bit;
		break;
	case FACT_MEMORY:
		assert_in_range(at, 0x50, 0x57);
		assert_int_equal(known->memory[at - 0x50].kind, MEMORY_UNSEEN);
		known->memory[at - 0x50] = world->memory[at - 0x50];
		break;
	case FACT_EDID:
		assert_int_equal(known->edid[at], PRESENCE_UNKNOWN);
		known->edid[at] = world->edid[at];
		break;
	case FACT_ANSWERS:
		assert_int_equal(known->answers[at], PRESENCE_UNKNOWN);
		known->answers[at] = world->answers[at];
		break;
	}
}

/* What is not known turns out as well as it can. */
static struct facts at_best(const struct facts *known, enum memory_kind kind)
{
	struct facts best = *known;

	for (unsigned at = 0; at < ADDRESSES; at++) {
		best.recognised[at] |= ~best.stranger[at];
		best.owner[at] = best.owner[at] ? best.owner[at] : OWNER_NONE;
		best.edid[at] = best.edid[at] ? best.edid[at] : PRESENCE_NO;
		best.answers[at] = best.answers[at] ? best.answers[at] : PRESENCE_NO;
	}
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (best.memory[slot].kind == MEMORY_UNSEEN)
			best.memory[slot] = (struct memory){kind, true, 0x1234};
	return best;
}

struct question {
	const struct policy *policy;
	struct caller caller;
	struct rgbroker_operation operation;
	uint8_t data[4];
};

static struct judgement ask(const struct question *question, const struct facts *known)
{
	return policy_judge(question->policy, &question->caller, known, &question->operation,
		question->operation.read ? NULL : question->data);
}

static void settle(const struct question *question, struct facts known, const struct facts *world)
{
	for (unsigned asked = 0;; asked++) {
		struct judgement judgement = ask(question, &known);
		struct judgement last = ask(question, world);
		struct facts ddr4 = at_best(&known, MEMORY_DDR4);
		struct facts ddr5 = at_best(&known, MEMORY_DDR5);
		char text[64];

		if (judgement.verdict != VERDICT_NEEDS_FACT) {
			/* and knowing all the rest would not have changed it, but that a display
			 * is never asked what it is */
			operation_text(&question->operation, text, sizeof(text));
			if (last.verdict != judgement.verdict &&
				!(question->policy == &gpu && question->operation.read))
				fail_msg("%s: %d by what was asked for, %d by all there is", text,
					judgement.verdict, last.verdict);
			return;
		}
		assert_in_range(asked, 0, 60);
		operation_text(&question->operation, text, sizeof(text));
		/* Owners cost nothing; of a chip that is not there that is told, not its pointer.
		 */
		if (judgement.fact != FACT_OWNER && question->caller.pointer.known &&
			ask(question, &ddr4).verdict != VERDICT_ALLOWED &&
			ask(question, &ddr5).verdict != VERDICT_ALLOWED)
			fail_msg("%s, data %02x %02x, pointer %d 0x%04x: fact %d at 0x%02x is "
				 "asked for in vain",
				text, question->data[0], question->data[1],
				question->caller.pointer.known, question->caller.pointer.value,
				judgement.fact, judgement.fact_address);
		learn(&known, world, &judgement);
	}
}

/* Some of the world is known before. */
static struct facts part_of(const struct facts *world)
{
	struct facts part = *world;

	for (unsigned at = 0; at < ADDRESSES; at++) {
		uint64_t seen = (unsigned)rand() & (unsigned)rand();

		part.recognised[at] &= seen;
		part.stranger[at] &= seen;
		part.owner[at] = rand() % 2 ? part.owner[at] : OWNER_UNKNOWN;
		part.edid[at] = rand() % 2 ? part.edid[at] : PRESENCE_UNKNOWN;
		part.answers[at] = rand() % 2 ? part.answers[at] : PRESENCE_UNKNOWN;
	}
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (rand() % 2)
			part.memory[slot] = (struct memory){MEMORY_UNSEEN, false, 0};
	return part;
}

static struct question some_question(void)
{
	static const uint8_t addresses[] = {0x11, 0x18, 0x1a, 0x20, 0x21, 0x22, 0x23, 0x28, 0x29,
		0x30, 0x37, 0x3a, 0x49, 0x50, 0x51, 0x55, 0x58, 0x5a, 0x5c, 0x5d, 0x60, 0x67};
	static const uint8_t commands[] = {0x00, 0x01, 0x03, 0x07, 0x08, 0x10, 0x30, 0x50, 0x51,
		0x52, 0x53, 0x60, 0x61, 0x62, 0x63, 0x71, 0x81, 0x82, 0x83, 0xa0};
	static const uint16_t registers[] = {
		0x8000, 0x8003, 0x8004, 0x8005, 0x8006, 0x1000, 0xffff, 0x1234};
	static const uint8_t data[][4] = {{0x80, 0x04}, {0x80, 0x05}, {0x12, 0x34}, {0x44, 0x01},
		{0x45}, {0x01, 0x01}, {0xab}, {0x40, 0x01}};
	static const struct rgbroker_operation shapes[] = {
		{.kind = RGBROKER_BYTE_DATA, .length = 1},
		{.kind = RGBROKER_BYTE_DATA, .length = 1},
		{.kind = RGBROKER_BYTE_DATA, .read = 1, .length = 1},
		{.kind = RGBROKER_WORD_DATA, .length = 2},
		{.kind = RGBROKER_WORD_DATA, .read = 1, .length = 2},
		{.kind = RGBROKER_BLOCK_DATA, .length = 2},
		{.kind = RGBROKER_BYTE, .read = 1, .length = 1},
		{.kind = RGBROKER_QUICK, .read = 1},
		{.kind = RGBROKER_I2C, .length = 1},
		{.kind = RGBROKER_I2C, .length = 2},
		{.kind = RGBROKER_I2C, .read = 1, .length = 4},
	};
	struct question question = {.policy = rand() % 3 ? &smbus : &gpu};

	question.operation = shapes[rand() % (int)(sizeof(shapes) / sizeof(shapes[0]))];
	question.operation.address = addresses[rand() % (int)sizeof(addresses)];
	if (operation_kind_has_command(question.operation.kind, question.operation.read))
		question.operation.command = commands[rand() % (int)sizeof(commands)];
	memcpy(question.data, data[rand() % 8], sizeof(question.data));
	question.caller = (struct caller){.door = policy_find_door(question.policy, "all"),
		.claimed = rand() % 8 == 0,
		.pointer = {rand() % 4, registers[rand() % 8]}};
	return question;
}

static void test_each_fact_is_asked_for_once(void **state)
{
	srand(1);
	for (unsigned i = 0; i < 200000; i++) {
		struct question question = some_question();
		struct facts world = some_world(question.policy);
		const struct facts nothing = {0};

		settle(&question, nothing, &world);
		settle(&question, part_of(&world), &world);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, fresh_facts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_owner),
		TEST(test_claim),
		TEST(test_claim_takes_no_quick_bit),
		TEST(test_who_claims),
		TEST(test_memory_of_the_slot),
		TEST(test_memory_of_any_slot),
		TEST(test_module_instead_of_fingerprint),
		TEST(test_expect_none),
		TEST(test_displays),
		TEST(test_displays_are_not_asked_who_they_are),
		TEST(test_pointer_unknown),
		TEST(test_set),
		TEST(test_each_register_and_value),
		TEST(test_blocks),
		TEST(test_where_the_pointer_is),
		TEST(test_pointer_does_not_wrap),
		TEST(test_setting_again),
		TEST(test_moves),
		TEST(test_what_does_not_move),
		TEST(test_each_fact_is_asked_for_once),
	};

	return cmocka_run_group_tests_name("gates", tests, load, unload);
}
