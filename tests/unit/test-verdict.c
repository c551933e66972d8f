/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict: doors, rules, gates, their order, and that it is a function of what it is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"

/* alpha is bit 0, beta 1, plain 2; 0x20 is open to the floor, 0x58 wants a recognised chip. */
static const char *const files[][2] = {
	{"devices/alpha.conf",
		"[Device]\nDescription=alpha\nBusClass=smbus\nAddress=0x20 0x58\n"
		"[Detect]\nRead=byte\nWrite=byte_data 0x01\n[Recognise]\nExpect=byte_data 0xa0 1\n"
		"[Control]\nRead=byte_data 0x81\nWrite=byte_data 0x10-0x12\n"
		"Write=block_data 0x03 length 2-4 data 0x80 0x20-0x23\nWrite=byte 0x40\n"
		"Read=block_data 0x05\nRead=i2c_block 0x06 length 3\nWrite=i2c length 1-2\n"
		"Write=word_data 0x00 data 0x10\n"},
	{"devices/beta.conf",
		"[Device]\nDescription=beta\nBusClass=smbus\nAddress=0x20\n"
		"[Recognise]\nExpect=byte_data 0xa1 1\n[Control]\nWrite=byte_data 0x10 0x20\n"},
	{"devices/plain.conf",
		"[Device]\nDescription=plain\nBusClass=smbus\nAddress=0x20 0x58\n"
		"[Recognise]\nExpect=none\n[Control]\nWrite=byte_data 0x30\nRead=quick\n"},
	{"doors/all.conf", "[Door]\nTransfer=read-write\nDevices=*\n"},
	{"doors/look.conf", "[Door]\nTransfer=read-only\nDevices=*\n"},
	{"doors/none.conf", "[Door]\nTransfer=nothing\nInspect=yes\nDevices=*\n"},
	{"doors/alpha.conf", "[Door]\nTransfer=read-write\nDevices=alpha\n"},
};

static struct policy policy;
static struct facts facts;

static int load(void **state)
{
	const struct adapter adapter = {.class = BUS_SMBUS};
	struct config_folder folder;
	const char *const folders[] = {folder.path, NULL};
	struct problems problems = {0};

	folder_make(&folder);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		folder_write(&folder, files[i][0], files[i][1]);
	assert_int_equal(policy_load(&policy, &adapter, folders, problems_add, &problems), 0);
	folder_remove(&folder);
	assert_int_equal(problems.count, 0);
	assert_int_equal(policy.n_devices, 3);
	return 0;
}

static int unload(void **state)
{
	policy_free(&policy);
	return 0;
}

/* Nothing is bound, there are no memory modules; nothing is known of the chips. */
static int fresh_facts(void **state)
{
	memset(&facts, 0, sizeof(facts));
	memset(facts.owner, OWNER_NONE, sizeof(facts.owner));
	for (unsigned slot = 0; slot < SLOTS; slot++)
		facts.memory[slot].kind = MEMORY_EMPTY;
	return 0;
}

static struct judgement judge_at(const char *door, uint8_t address, uint8_t kind, bool read,
	uint8_t command, uint16_t length, const void *data)
{
	const struct rgbroker_operation operation = {.kind = kind,
		.read = read,
		.address = address,
		.command = command,
		.length = length};

	const struct caller caller = {.door = policy_find_door(&policy, door)};

	return policy_judge(&policy, &caller, &facts, &operation, data);
}

static struct judgement write_byte(const char *door, uint8_t address, uint8_t command)
{
	return judge_at(door, address, RGBROKER_BYTE_DATA, false, command, 1, "\xff");
}

static void is_refused(struct judgement judgement, enum rgbroker_reason reason)
{
	assert_int_equal(judgement.verdict, VERDICT_REFUSED);
	assert_int_equal(judgement.reason, reason);
}

static void is_allowed(struct judgement judgement, unsigned device, int line)
{
	assert_int_equal(judgement.verdict, VERDICT_ALLOWED);
	assert_int_equal(judgement.reason, RGBROKER_REASON_NONE);
	assert_ptr_equal(judgement.device, policy.devices[device]);
	assert_int_equal(judgement.rule->line, line);
}

static void wants(struct judgement judgement, enum fact fact, unsigned device)
{
	assert_int_equal(judgement.verdict, VERDICT_NEEDS_FACT);
	assert_int_equal(judgement.fact, fact);
	if (fact == FACT_RECOGNISED)
		assert_int_equal(judgement.device_index, device);
}

static void test_doors(void **state)
{
	is_allowed(write_byte("all", 0x20, 0x01), 0, 7);
	is_allowed(write_byte("alpha", 0x20, 0x01), 0, 7);
	is_refused(write_byte("look", 0x20, 0x01), RGBROKER_REASON_DOOR); /* a rule allows it */
	is_refused(write_byte("none", 0x20, 0x01), RGBROKER_REASON_DOOR);
	is_refused(write_byte("unknown", 0x20, 0x01), RGBROKER_REASON_DOOR);
	is_allowed(judge_at("look", 0x20, RGBROKER_BYTE, true, 0, 1, NULL), 0, 6);
	is_refused(judge_at("none", 0x20, RGBROKER_BYTE, true, 0, 1, NULL), RGBROKER_REASON_DOOR);
	is_refused(
		judge_at("unknown", 0x20, RGBROKER_BYTE, true, 0, 1, NULL), RGBROKER_REASON_DOOR);
	/* A quick "read" is a bit sent to the chip. */
	is_allowed(judge_at("all", 0x20, RGBROKER_QUICK, true, 0, 0, NULL), 2, 9);
	is_refused(judge_at("look", 0x20, RGBROKER_QUICK, true, 0, 0, NULL), RGBROKER_REASON_DOOR);
	/* Families the door does not name. */
	is_allowed(write_byte("all", 0x20, 0x30), 2, 8);
	is_refused(write_byte("alpha", 0x20, 0x30), RGBROKER_REASON_RULE);
}

static void test_read_only_door_never_writes(void **state)
{
	static const uint8_t data[RGBROKER_TRANSFER_MAX];
	const uint8_t kinds[] = {0, 1, 2, 3, 5, 8, 16};

	memset(facts.recognised, 0xff, sizeof(facts.recognised));
	for (unsigned address = 0; address < ADDRESSES; address++)
		for (size_t i = 0; i < sizeof(kinds); i++)
			for (unsigned command = 0; command < 256; command++)
				is_refused(judge_at("look", (uint8_t)address, kinds[i], false,
						   (uint8_t)command, 2, data),
					RGBROKER_REASON_DOOR);
}

static void test_recognition(void **state)
{
	wants(write_byte("all", 0x20, 0x11), FACT_RECOGNISED, 0);
	facts.recognised[0x20] = 1 << 1; /* another family's chip proves nothing */
	wants(write_byte("all", 0x20, 0x11), FACT_RECOGNISED, 0);
	facts.recognised[0x21] = facts.recognised[0x58] = 1; /* nor one at another address */
	wants(write_byte("all", 0x20, 0x11), FACT_RECOGNISED, 0);
	facts.stranger[0x20] = 1;
	is_refused(write_byte("all", 0x20, 0x11), RGBROKER_REASON_UNPROVEN);
	facts.stranger[0x20] = 0;
	facts.recognised[0x20] = 1;
	is_allowed(write_byte("all", 0x20, 0x11), 0, 12);
	is_refused(write_byte("all", 0x20, 0x13), RGBROKER_REASON_RULE);
	is_refused(write_byte("all", 0x21, 0x11), RGBROKER_REASON_RULE); /* in no file */
}

/* Two families at one address allow the same: what may not be proven by one may be by the other. */
static void test_two_families(void **state)
{
	wants(write_byte("all", 0x20, 0x10), FACT_RECOGNISED, 0);
	facts.stranger[0x20] = 1 << 0;
	wants(write_byte("all", 0x20, 0x10), FACT_RECOGNISED, 1);
	facts.recognised[0x20] = 1 << 1;
	is_allowed(write_byte("all", 0x20, 0x10), 1, 8);
	facts.recognised[0x20] = 0;
	facts.stranger[0x20] = 3;
	is_refused(write_byte("all", 0x20, 0x10), RGBROKER_REASON_UNPROVEN);
	is_refused(write_byte("alpha", 0x20, 0x20), RGBROKER_REASON_RULE);
	facts.recognised[0x20] = 2; /* beta's chip, which this door does not name */
	is_refused(write_byte("alpha", 0x20, 0x10), RGBROKER_REASON_UNPROVEN);
}

static void test_no_fingerprint(void **state)
{
	is_allowed(write_byte("all", 0x20, 0x30), 2, 8);
	/* Where the floor wants proof, Expect=none proves nothing, whatever the facts say. */
	is_refused(write_byte("all", 0x58, 0x30), RGBROKER_REASON_UNPROVEN);
	facts.recognised[0x58] = 1; /* alpha's */
	is_refused(write_byte("all", 0x58, 0x30), RGBROKER_REASON_UNPROVEN);
}

/* [Detect] is open at once, but not where the floor wants a recognised chip. */
static void test_detect_under_the_floor(void **state)
{
	is_allowed(write_byte("all", 0x20, 0x01), 0, 7);
	wants(write_byte("all", 0x58, 0x01), FACT_RECOGNISED, 0);
	facts.stranger[0x58] = 1;
	is_refused(write_byte("all", 0x58, 0x01), RGBROKER_REASON_UNPROVEN);
	facts.recognised[0x58] = 1;
	facts.stranger[0x58] = 0;
	is_allowed(write_byte("all", 0x58, 0x01), 0, 7);
}

/* The owner is asked for before anything is read from the chip, and never for nothing. */
static void test_owner(void **state)
{
	facts.owner[0x20] = OWNER_UNKNOWN;
	wants(write_byte("all", 0x20, 0x11), FACT_OWNER, 0);
	wants(write_byte("all", 0x20, 0x01), FACT_OWNER, 0);
	is_refused(write_byte("all", 0x20, 0x99), RGBROKER_REASON_RULE);
	is_refused(write_byte("look", 0x20, 0x01), RGBROKER_REASON_DOOR);
	facts.owner[0x20] = OWNER_KERNEL;
	is_refused(write_byte("all", 0x20, 0x11), RGBROKER_REASON_OWNED);
	facts.recognised[0x20] = 1;
	is_refused(write_byte("all", 0x20, 0x11), RGBROKER_REASON_OWNED);
	is_refused(write_byte("all", 0x20, 0x30), RGBROKER_REASON_OWNED);
	is_refused(judge_at("all", 0x20, RGBROKER_BYTE, true, 0, 1, NULL), RGBROKER_REASON_OWNED);
}

static enum verdict block(const char *data, uint16_t length)
{
	return judge_at("all", 0x20, RGBROKER_BLOCK_DATA, false, 3, length, data).verdict;
}

static void test_length_and_data(void **state)
{
	facts.recognised[0x20] = 1;
	assert_int_equal(block("", 0), VERDICT_REFUSED);
	assert_int_equal(block("\x80", 1), VERDICT_REFUSED);
	assert_int_equal(block("\x80\x20", 2), VERDICT_ALLOWED);
	assert_int_equal(block("\x80\x23\xff\xff", 4), VERDICT_ALLOWED);
	assert_int_equal(block("\x80\x23\xff\xff\xff", 5), VERDICT_REFUSED);
	assert_int_equal(block("\x7f\x20", 2), VERDICT_REFUSED);
	assert_int_equal(block("\x81\x20", 2), VERDICT_REFUSED);
	assert_int_equal(block("\x80\x1f", 2), VERDICT_REFUSED);
	assert_int_equal(block("\x80\x24", 2), VERDICT_REFUSED);
	/* Low byte first, as on the wire. */
	is_allowed(judge_at("all", 0x20, RGBROKER_WORD_DATA, false, 0, 2, "\x10\xff"), 0, 18);
	is_refused(judge_at("all", 0x20, RGBROKER_WORD_DATA, false, 0, 2, "\xff\x10"),
		RGBROKER_REASON_RULE);
	for (unsigned length = 0; length <= 4; length++)
		assert_int_equal(
			judge_at("all", 0x20, RGBROKER_I2C, false, 0, (uint16_t)length, "\1\2\3\4")
				.verdict,
			length == 1 || length == 2 ? VERDICT_ALLOWED : VERDICT_REFUSED);
}

static void test_reads_of_blocks(void **state)
{
	facts.recognised[0x20] = 1;
	is_allowed(judge_at("all", 0x20, RGBROKER_BLOCK_DATA, true, 5, 33, NULL), 0, 15);
	is_allowed(judge_at("all", 0x20, RGBROKER_I2C_BLOCK, true, 6, 4, NULL), 0, 16);
	is_refused(
		judge_at("all", 0x20, RGBROKER_I2C_BLOCK, true, 6, 3, NULL), RGBROKER_REASON_RULE);
	is_refused(
		judge_at("all", 0x20, RGBROKER_I2C_BLOCK, true, 6, 5, NULL), RGBROKER_REASON_RULE);
	/* A rule for reading lets nobody write, one for a kind no other kind. */
	is_refused(judge_at("all", 0x20, RGBROKER_BLOCK_DATA, false, 5, 4, "abcd"),
		RGBROKER_REASON_RULE);
	is_refused(
		judge_at("all", 0x20, RGBROKER_I2C_BLOCK, true, 5, 33, NULL), RGBROKER_REASON_RULE);
	is_refused(judge_at("all", 0x20, RGBROKER_WORD_DATA, true, 0x81, 2, NULL),
		RGBROKER_REASON_RULE);
	is_allowed(judge_at("all", 0x20, RGBROKER_BYTE, false, 0x40, 0, ""), 0, 14);
	is_refused(judge_at("all", 0x20, RGBROKER_BYTE, false, 0x41, 0, ""), RGBROKER_REASON_RULE);
}

static void test_facts(void **state)
{
	facts.recognised[0x20] = 5;
	facts.recognised[0x21] = 1;
	facts.stranger[0x22] = 1;
	facts.owner[0x23] = OWNER_KERNEL;
	facts.edid[0x50] = PRESENCE_NO;
	facts.answers[0x24] = PRESENCE_YES;
	for (unsigned slot = 0; slot < SLOTS; slot++)
		facts.memory[slot] =
			(struct memory){slot % (MEMORY_OBSCURE + 1), true, (uint16_t)(slot + 1)};
	facts_refresh(&facts); /* a driver may have been bound, a chip may have appeared */
	assert_int_equal(facts.recognised[0x20], 5);
	assert_int_equal(facts.stranger[0x22], 0);
	for (unsigned i = 0; i < ADDRESSES; i++) {
		assert_int_equal(facts.owner[i], OWNER_UNKNOWN);
		assert_int_equal(facts.edid[i], PRESENCE_UNKNOWN);
		assert_int_equal(facts.answers[i], PRESENCE_UNKNOWN);
	}
	for (unsigned slot = 0; slot < SLOTS; slot++) { /* modules stay where they are */
		unsigned kind = slot % (MEMORY_OBSCURE + 1);

		assert_int_equal(
			facts.memory[slot].kind, kind == MEMORY_OBSCURE ? MEMORY_UNSEEN : kind);
	}
	facts_forget(&facts, 0x20);
	assert_int_equal(facts.recognised[0x20], 0);
	assert_int_equal(facts.recognised[0x21], 1);
}

/* Same input, same output, and what was handed in is as it was. */
static void test_purity(void **state)
{
	static struct policy policy_before;
	static struct facts facts_before;
	const uint8_t kinds[] = {0, 1, 2, 3, 5, 8, 16};

	facts.recognised[0x20] = 1;
	facts.stranger[0x58] = 2;
	facts.owner[0x22] = OWNER_KERNEL;
	memcpy(&policy_before, &policy, sizeof(policy));
	memcpy(&facts_before, &facts, sizeof(facts));
	for (unsigned address = 0; address < ADDRESSES; address++)
		for (size_t i = 0; i < sizeof(kinds); i++)
			for (unsigned command = 0; command < 256; command++) {
				struct judgement one = judge_at("all", (uint8_t)address, kinds[i],
					false, (uint8_t)command, 1, "\x10");
				struct judgement two = judge_at("all", (uint8_t)address, kinds[i],
					false, (uint8_t)command, 1, "\x10");

				assert_true(one.verdict == two.verdict && one.rule == two.rule &&
					    one.reason == two.reason && one.floor == two.floor &&
					    one.device == two.device && one.fact == two.fact);
			}
	assert_memory_equal(&policy_before, &policy, sizeof(policy));
	assert_memory_equal(&facts_before, &facts, sizeof(facts));
}

#define TEST(name) cmocka_unit_test_setup(name, fresh_facts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_doors),
		TEST(test_read_only_door_never_writes),
		TEST(test_recognition),
		TEST(test_two_families),
		TEST(test_no_fingerprint),
		TEST(test_detect_under_the_floor),
		TEST(test_owner),
		TEST(test_length_and_data),
		TEST(test_reads_of_blocks),
		TEST(test_facts),
		TEST(test_purity),
	};

	return cmocka_run_group_tests_name("verdict", tests, load, unload);
}
