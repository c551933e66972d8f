/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chips whose registers are behind a pointer: each datum goes where its own context aimed, or
 * nowhere, and the pointer is set again where another context has moved it since, and only there.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/ene.h"
#include "tests/daemon/other.h"

static uint8_t *behind(const struct ring *ring, uint16_t number)
{
	return &ring->bus->behind[0][number];
}

/* One that is recognised already, so that what follows on the wire is of requests. */
static int set_up(void **state)
{
	ring_set_up(state);
	ene_put(*state, ENE, 0);
	return 0;
}

static void recognise(const struct ring *ring, int fd, uint32_t context)
{
	struct answer answer = ene_set(fd, context, 0x8100);

	assert_done(answer);
	assert_int_equal(wire_count(ring), ENE_RECOGNITION + 1);
}

/* --- what should be, told independently of the broker --- */

enum step_of { SET, BYTE, BLOCK, READ };

struct step {
	enum step_of of;
	uint32_t context; /* 0.. of the model */
	uint16_t number;  /* SET */
	uint8_t data[3];
	uint8_t length;
};

#define MODEL_CONTEXTS 3
struct model {
	uint8_t behind[65536];
	bool known; /* where the chip's pointer is */
	uint16_t at;
	struct {
		bool has_moved, known;
		uint16_t at;
	} contexts[MODEL_CONTEXTS];
	unsigned set_again;
	bool expect_set; /* of the last step: the pointer had to be set again */
	uint16_t expect_at;
};

static bool readable(unsigned number)
{
	return (number >= 0x8000 && number <= 0x802f) || (number >= 0x8100 && number <= 0x81ff);
}

static bool writable(unsigned number, uint8_t value)
{
	return readable(number) || (number == 0x80a0 && (value == 0x01 || value == 0xaa)) ||
	       (number == 0x80f8 && value <= 7);
}

static bool exists(unsigned number)
{
	return readable(number) || number == 0x80a0 || number == 0x80f8 || number == 0x80f9;
}

static enum rgbroker_reason model_set(struct model *model, const struct step *step)
{
	bool good = exists(step->number);

	model->contexts[step->context].has_moved = true;
	model->contexts[step->context].known = good; /* if not, nobody knows what it now means */
	model->contexts[step->context].at = step->number;
	if (!good)
		return RGBROKER_REASON_RULE;
	model->known = true;
	model->at = step->number;
	return RGBROKER_REASON_NONE;
}

static enum rgbroker_reason model_step(struct model *model, const struct step *step)
{
	unsigned at, c = step->context;

	model->expect_set = false;
	if (step->of == SET)
		return model_set(model, step);
	/* All contexts are of one process: one that never moved it means the last place. */
	if (!model->contexts[c].has_moved) {
		if (!model->known)
			return RGBROKER_REASON_POINTER;
		model->contexts[c].known = true;
		model->contexts[c].at = model->at;
	}
	if (!model->contexts[c].known)
		return RGBROKER_REASON_POINTER;
	at = model->contexts[c].at;
	for (unsigned i = 0; i < step->length; i++)
		if (step->of == READ ? !readable(at + i) : !writable(at + i, step->data[i]))
			return RGBROKER_REASON_RULE;
	model->contexts[c].has_moved = true;
	model->expect_set = !model->known || model->at != at;
	model->expect_at = (uint16_t)at;
	model->set_again += model->expect_set;
	for (unsigned i = 0; step->of != READ && i < step->length; i++)
		model->behind[at + i] = step->data[i];
	model->at = model->contexts[c].at = (uint16_t)(at + step->length);
	model->known = model->contexts[c].known = step->of != READ;
	return RGBROKER_REASON_NONE;
}

static struct answer ask_step(int fd, const struct step *step)
{
	uint32_t context = step->context + 100;

	switch (step->of) {
	case SET:
		return ene_set(fd, context, step->number);
	case BYTE:
		return ene_byte(fd, context, step->data[0]);
	case BLOCK:
		return ene_block(fd, context, step->data, step->length);
	default:
		return ene_read(fd, context);
	}
}

static void wire_is_step(const struct ring *ring, unsigned number, const struct step *step)
{
	static const uint8_t commands[] = {ENE_SET, ENE_BYTE, ENE_BLOCK, ENE_READ};
	const struct fake_entry *entry = wire_at(ring, number);

	if (step->of == SET) {
		assert_true(wire_is_set(ring, number, ENE, step->number));
		return;
	}
	assert_int_equal(entry->address, ENE);
	assert_int_equal(entry->command, commands[step->of]);
	assert_int_equal(entry->read, step->of == READ);
	assert_int_equal(entry->length, step->length);
	if (step->of != READ)
		assert_memory_equal(entry->data, step->data, step->length);
}

static void play(const struct ring *ring, struct model *model, int fd, const struct step *step)
{
	unsigned before = wire_count(ring);
	struct answer answer = ask_step(fd, step);
	uint8_t was = behind(ring, model->at)[0]; /* what a read in place would bring */
	bool inherited =
		step->of == READ && model->known && !model->contexts[step->context].has_moved;
	enum rgbroker_reason reason = model_step(model, step);

	assert_answer(answer, reason, reason ? -EACCES : 0);
	assert_int_equal(answer.head.done, reason ? 0 : 1);
	assert_int_equal(answer.head.pointer_writes, !reason && step->of == SET);
	assert_int_equal(answer.head.pointer_moves, !reason && step->of != SET);
	if (reason) {
		assert_int_equal(wire_count(ring), before);
		return;
	}
	if (model->expect_set)
		assert_true(wire_is_set(ring, before++, ENE, model->expect_at));
	wire_is_step(ring, before++, step);
	assert_int_equal(wire_count(ring), before);
	if (step->of == READ)
		assert_int_equal(answer.data[0], inherited ? was : model->behind[model->expect_at]);
}

static void check_end(const struct ring *ring, const struct model *model)
{
	assert_memory_equal(ring->bus->behind[0], model->behind, sizeof(model->behind));
	assert_int_equal(peer_status(ring).pointer_set, model->set_again);
}

/* --- contexts --- */

/* Numbers of two ones in four bits, six of them: where a context of two sets and two data sets. */
static const unsigned halves[] = {0x3, 0x5, 0x6, 0x9, 0xa, 0xc};

/* Bits of order: whose turn it is; of sets: whether that turn is a set. */
static void play_order(const struct ring *ring, struct model *model, int fd, unsigned order,
	const unsigned sets[2])
{
	static uint8_t tag;
	unsigned turn[2] = {0, 0};

	for (unsigned i = 0; i < 8; i++) {
		unsigned who = order >> i & 1;
		bool is_set = sets[who] >> turn[who]++ & 1;
		struct step step = {.of = is_set ? SET : BYTE,
			.context = who,
			.number = (uint16_t)(0x8100 + 0x80 * who + (tag & 0x3f)),
			.data = {tag},
			.length = 1};

		tag++;
		play(ring, model, fd, &step);
	}
}

static void test_two_contexts_in_every_order(void **state)
{
	struct ring *ring = *state;
	static struct model model;
	int fd = peer_connect(ring, "rgb");
	unsigned orders = 0;

	memset(&model, 0, sizeof(model));
	for (unsigned order = 0; order < 256; order++) {
		if (__builtin_popcount(order) != 4)
			continue;
		for (unsigned i = 0; i < 36; i++) {
			const unsigned sets[] = {halves[i / 6], halves[i % 6]};

			if (orders++ == 0) { /* so that recognition is not in the way */
				const struct step step = {.of = SET, .number = 0x8100};

				model_step(&model, &step);
				recognise(ring, fd, 100);
			}
			play_order(ring, &model, fd, order, sets);
		}
	}
	assert_int_equal(orders, 2520);
	check_end(ring, &model);
	close(fd);
}

/* What programs do, set and datum by turns: written out, to see that the model is no accomplice. */
static void test_two_contexts_by_turns(void **state)
{
	struct ring *ring = *state;
	int a = peer_connect(ring, "rgb"), b = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, a, 1);
	answer = ene_set(b, 2, 0x8010);
	assert_done(answer);
	answer = ene_byte(a, 1, 0xaa);
	assert_done(answer);
	answer = ene_byte(b, 2, 0xbb);
	assert_done(answer);
	answer = ene_byte(b, 2, 0xbc);
	assert_done(answer);
	answer = ene_byte(a, 1, 0xab);
	assert_done(answer);
	assert_memory_equal(behind(ring, 0x8100), "\xaa\xab", 3);
	assert_memory_equal(behind(ring, 0x8010), "\xbb\xbc", 3);
	assert_int_equal(wire_count(ring), ENE_RECOGNITION + 9);
	assert_true(wire_is_set(ring, ENE_RECOGNITION + 2, ENE, 0x8100));
	assert_true(wire_is_byte(ring, ENE_RECOGNITION + 3, ENE, 0xaa));
	assert_true(wire_is_set(ring, ENE_RECOGNITION + 4, ENE, 0x8010));
	assert_true(wire_is_byte(ring, ENE_RECOGNITION + 5, ENE, 0xbb));
	assert_true(wire_is_byte(ring, ENE_RECOGNITION + 6, ENE, 0xbc));
	assert_true(wire_is_set(ring, ENE_RECOGNITION + 7, ENE, 0x8101));
	assert_true(wire_is_byte(ring, ENE_RECOGNITION + 8, ENE, 0xab));
	assert_int_equal(peer_status(ring).pointer_set, 3);
	close(a);
	close(b);
}

static struct step random_step(void)
{
	static const uint16_t numbers[] = {0x8000, 0x802d, 0x802f, 0x80a0, 0x80f8, 0x8100, 0x8150,
		0x81fd, 0x81ff, 0x7fff, 0x80a1, 0x80fa, 0x8200, 0xffff, 0x0050};
	struct step step = {.of = (enum step_of)(random() % 4),
		.context = (uint32_t)(random() % MODEL_CONTEXTS),
		.length = 1};

	if (random() % 2)
		step.number = (uint16_t)(0x8100 + random() % 256);
	else
		step.number = numbers[(size_t)random() % (sizeof(numbers) / sizeof(numbers[0]))];
	if (step.of == BLOCK)
		step.length = (uint8_t)(1 + random() % 3);
	if (step.of == READ && random() % 2)
		step.of = BYTE;
	for (unsigned i = 0; i < 3; i++)
		step.data[i] = (uint8_t)(random() % 4 ? random() : random() % 8);
	return step;
}

static void test_three_contexts_at_random(void **state)
{
	struct ring *ring = *state;
	static struct model model;
	int fd = peer_connect(ring, "rgb");
	struct step step = {.of = SET, .number = 0x8100};

	memset(&model, 0, sizeof(model));
	srandom(20260811);
	model_step(&model, &step);
	recognise(ring, fd, 100);
	for (unsigned i = 0; i < 10000; i++) {
		step = random_step();
		play(ring, &model, fd, &step);
	}
	assert_in_range(model.set_again, 1000, 10000);
	check_end(ring, &model);
	close(fd);
}

/* Each chip has a pointer of its own. */
static void test_two_chips(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_of(1);
	struct answer answer;

	ene_put(ring, 0x71, 1);
	add_set(&batch, 0x70, 0x8100);
	add_set(&batch, 0x71, 0x8110);
	answer = peer_ask(fd, &batch);
	assert_done(answer);
	batch = batch_of(1);
	add_byte(&batch, 0x70, 0x70);
	add_byte(&batch, 0x71, 0x71);
	answer = peer_ask(fd, &batch);
	assert_done(answer);
	assert_int_equal(ring->bus->behind[0][0x8100], 0x70);
	assert_int_equal(ring->bus->behind[1][0x8110], 0x71);
	assert_int_equal(peer_status(ring).pointer_set, 0);
	close(fd);
}

/* --- inheritance --- */

static void test_inherits_from_its_process(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb"), another = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	answer = ene_byte(another, 2, 0x22);
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8100), 0x22);
	/* From here on it has its own. */
	answer = ene_set(fd, 1, 0x8180);
	assert_done(answer);
	answer = ene_byte(another, 2, 0x23);
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8101), 0x23);
	assert_int_equal(*behind(ring, 0x8180), 0);
	close(fd);
	close(another);
}

static void test_does_not_inherit_across_connections_of_old(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_of(2);
	struct answer answer;

	recognise(ring, fd, 1);
	add_byte(&batch, ENE, 0x22)->earlier = 1;
	answer = peer_ask(fd, &batch);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	assert_int_equal(wire_count(ring), ENE_RECOGNITION + 1);
	/* One that did set one is not asked about earlier ones. */
	batch = batch_of(1);
	add_byte(&batch, ENE, 0x11)->earlier = 1;
	answer = peer_ask(fd, &batch);
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8100), 0x11);
	close(fd);
}

/* Setting one claims nothing, so that several processes can. */
static void test_does_not_inherit_what_others_moved(void **state)
{
	struct ring *ring = *state;
	struct other other = other_new(ring);
	int fd = peer_connect(ring, "rgb"), there = other_connect(&other, "rgb");
	struct batch batch = batch_of(1);
	struct answer answer;

	recognise(ring, fd, 1);
	add_set(&batch, ENE, 0x8180);
	answer = other_ask(&other, there, &batch);
	assert_done(answer);
	answer = ene_byte(fd, 2, 0x22);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	assert_int_equal(*behind(ring, 0x8100), 0);
	assert_int_equal(*behind(ring, 0x8180), 0);
	/* The same number in two processes is two contexts. */
	answer = ene_byte(fd, 1, 0x11);
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8100), 0x11);
	assert_int_equal(*behind(ring, 0x8180), 0);
	other_kill(&other);
	close(fd);
}

#define POINTERS_MAX 256 /* as in broker/pointers.h */

static void test_does_not_inherit_after_an_eviction(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1000);
	for (uint32_t context = 1001; context < 1000 + POINTERS_MAX; context++)
		answer = ene_set(fd, context, (uint16_t)(0x8100 + context % 256));
	answer = ene_byte(fd, 1000, 0x10); /* all have room, the first one is the last used now */
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8100), 0x10);
	answer = ene_byte(fd, 5000, 0x50); /* still inherits, and drives 1001 out */
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8101), 0x50);
	answer = ene_byte(fd, 1001, 0x11);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	answer = ene_byte(fd, 5001, 0x51); /* it never set one; but who could tell? */
	assert_refused(answer, RGBROKER_REASON_POINTER);
	answer = ene_byte(fd, 1002, 0x12);
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8100 + 1002 % 256), 0x12);
	answer = ene_set(fd, 1001, 0x8010);
	assert_done(answer);
	answer = ene_byte(fd, 1001, 0x11);
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8010), 0x11);
	close(fd);
}

/* Whoever has the most entries makes room: nobody is driven out by another's contexts. */
static void test_eviction_by_another_process(void **state)
{
	struct ring *ring = *state;
	struct other other = other_new(ring);
	int fd = peer_connect(ring, "rgb"), there = other_connect(&other, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	answer = ene_set(fd, 1, 0x8110);
	assert_done(answer);
	for (uint32_t context = 0; context < 2 * POINTERS_MAX; context++) {
		struct batch batch = batch_of(context);

		add_set(&batch, ENE, 0x8180);
		answer = other_ask(&other, there, &batch);
		assert_done(answer);
	}
	answer = ene_byte(fd, 1, 0x11);
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8110), 0x11);
	other_kill(&other);
	close(fd);
}

static void test_a_process_that_comes_again_knows_nothing(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	close(fd);
	fd = peer_connect(ring, "rgb");
	answer = ene_byte(fd, 1, 1);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	answer = ene_byte(fd, 2, 1);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	close(fd);
}

/* --- batches --- */

static void test_batch_of_pairs(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_of(1);
	struct answer answer;

	recognise(ring, fd, 2);
	for (unsigned i = 0; i < 32; i++) {
		add_set(&batch, ENE, (uint16_t)(0x8100 + i * 7));
		add_byte(&batch, ENE, (uint8_t)(i + 1));
	}
	answer = peer_ask(fd, &batch);
	assert_done(answer);
	assert_int_equal(answer.head.pointer_writes, 0x5555555555555555);
	assert_int_equal(answer.head.pointer_moves, 0xaaaaaaaaaaaaaaaa);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(*behind(ring, (uint16_t)(0x8100 + i * 7)), i + 1);
	assert_int_equal(wire_count(ring), ENE_RECOGNITION + 1 + 64);
	assert_int_equal(peer_status(ring).pointer_set, 0);
	close(fd);
}

/* Judged by where it will be: what is set at first, what data make of it. */
static void test_batch_is_judged_as_it_goes(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	for (unsigned i = 0; i < 4; i++) {
		/* 0x802d, 2e, 2f, and one too far, which comes as number 5 */
		struct batch batch = batch_of(1);
		unsigned before = wire_count(ring);

		add_set(&batch, ENE, 0x802d);
		if (i == 0) { /* bytes that go on */
			for (unsigned k = 0; k < 4; k++)
				add_byte(&batch, ENE, 0x77);
		} else if (i == 1) { /* a block over the end */
			add_set(&batch, ENE, 0x8100);
			add_byte(&batch, ENE, 0x77);
			add_set(&batch, ENE, 0x802e);
			add_block(&batch, ENE, "\x77\x77\x77", 3);
		} else if (i == 2) { /* a value that this register does not take */
			add_byte(&batch, ENE, 0x77);
			add_byte(&batch, ENE, 0x77);
			add_set(&batch, ENE, 0x80a0);
			add_byte(&batch, ENE, 0x02);
		} else { /* a register that nobody has */
			add_byte(&batch, ENE, 0x77);
			add_byte(&batch, ENE, 0x77);
			add_byte(&batch, ENE, 0x77);
			add_set(&batch, ENE, 0x80fa);
		}
		answer = peer_ask(fd, &batch);
		assert_refused(answer, RGBROKER_REASON_RULE);
		assert_int_equal(answer.head.done, 4);
		assert_int_equal(answer.head.pointer_writes, 0);
		assert_int_equal(answer.head.pointer_moves, 0);
		assert_int_equal(wire_count(ring), before);
	}
	for (uint16_t number = 0x8000; number <= 0x81ff; number++)
		assert_int_equal(*behind(ring, number), 0);
	close(fd);
}

/* Another context between two batches; a datum at the beginning goes by the older pointer. */
static void test_batch_begins_with_a_datum(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_of(1);
	struct answer answer;

	recognise(ring, fd, 1);
	answer = ene_set(fd, 2, 0x8180);
	assert_done(answer);
	add_byte(&batch, ENE, 0x11);
	add_set(&batch, ENE, 0x8140);
	add_block(&batch, ENE, "\x12\x13\x14", 3);
	add_byte(&batch, ENE, 0x15);
	answer = peer_ask(fd, &batch);
	assert_done(answer);
	assert_int_equal(answer.head.pointer_writes, 0x2);
	assert_int_equal(answer.head.pointer_moves, 0xd);
	assert_int_equal(*behind(ring, 0x8100), 0x11);
	assert_memory_equal(behind(ring, 0x8140), "\x12\x13\x14\x15", 5);
	assert_int_equal(peer_status(ring).pointer_set, 1);
	close(fd);
}

/* In the middle of a batch the bus fails: what was done is told, the rest was not. */
static void test_batch_that_fails(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_of(1);
	struct answer answer;

	ring->bus->chips[0x40].present = 0;
	recognise(ring, fd, 1);
	add_set(&batch, ENE, 0x8120);
	add_byte(&batch, ENE, 0x21);
	batch_add(&batch, RGBROKER_BYTE_DATA, false, 0x40, 0, 1, "x");
	add_set(&batch, ENE, 0x8130);
	add_byte(&batch, ENE, 0x31);
	answer = peer_ask(fd, &batch);
	assert_answer(answer, RGBROKER_REASON_BUS, -ENXIO);
	assert_int_equal(answer.head.done, 2);
	assert_int_equal(answer.head.pointer_writes, 0x1);
	assert_int_equal(answer.head.pointer_moves, 0x2);
	/* This context believes it has set 0x8130. */
	answer = ene_byte(fd, 1, 0x31);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	assert_memory_equal(behind(ring, 0x8120), "\x21", 2);
	close(fd);
}

/* --- data --- */

static void test_blocks_advance(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	answer = ene_block(fd, 1, "abc", 3);
	assert_done(answer);
	answer = ene_byte(fd, 1, 'd');
	assert_done(answer);
	answer = ene_set(fd, 2, 0x8180); /* somebody else in between */
	assert_done(answer);
	answer = ene_block(fd, 1, "ef", 2);
	assert_done(answer);
	assert_string_equal((char *)behind(ring, 0x8100), "abcdef");
	assert_true(wire_is_set(ring, wire_count(ring) - 2, ENE, 0x8104));
	close(fd);
}

/* What it carries is nothing, where it goes is known, and it is no move. */
static void test_empty_block(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	answer = ene_block(fd, 1, "", 0);
	assert_true(answer.size > 0);
	answer = ene_set(fd, 1, ENE_MOVE);
	assert_done(answer);
	answer = ene_block(fd, 1, "", 0);
	assert_true(answer.size > 0);
	peer_is_served(fd);
	close(fd);
}

static void test_unknown_after_a_read(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	*behind(ring, 0x8100) = 0x5a;
	answer = ene_read(fd, 1);
	assert_done(answer);
	assert_int_equal(answer.data[0], 0x5a);
	assert_int_equal(answer.head.pointer_moves, 1);
	answer = ene_read(fd, 1);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	answer = ene_byte(fd, 1, 1);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	answer = ene_byte(fd, 2, 1); /* and whoever never set one */
	assert_refused(answer, RGBROKER_REASON_POINTER);
	assert_int_equal(wire_count(ring), ENE_RECOGNITION + 2);
	close(fd);
}

static void test_a_failed_datum_goes_there_again(void **state)
{
	static const int errors[] = {EIO, ENXIO, ETIMEDOUT, EAGAIN};
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");

	recognise(ring, fd, 1);
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct answer answer = ene_set(fd, 1, (uint16_t)(0x8100 + i));
		unsigned before;

		assert_done(answer);
		ring->bus->chips[ENE].error = -errors[i];
		answer = ene_byte(fd, 1, 0x10);
		assert_answer(answer, RGBROKER_REASON_BUS, -errors[i]);
		assert_int_equal(answer.head.pointer_moves, 0);
		ring->bus->chips[ENE].error = 0;
		answer = ene_byte(fd, 2, 0x20); /* nobody inherits what is not known */
		assert_refused(answer, RGBROKER_REASON_POINTER);
		before = wire_count(ring);
		answer = ene_byte(fd, 1, (uint8_t)(0x30 + i));
		assert_done(answer);
		assert_int_equal(*behind(ring, (uint16_t)(0x8100 + i)), 0x30 + i);
		/* The chip was recognised again by number 2's request. */
		assert_int_equal(wire_count(ring), before + 2);
		assert_true(wire_is_set(ring, before, ENE, (uint16_t)(0x8100 + i)));
		assert_true(wire_is_byte(ring, before + 1, ENE, (uint8_t)(0x30 + i)));
	}
	close(fd);
}

/* It may have failed before or after it reached the chip: where is anybody's guess. */
static void test_a_failed_set_is_no_set(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	ring->bus->chips[ENE].error = -EIO;
	answer = ene_set(fd, 1, 0x8110);
	assert_answer(answer, RGBROKER_REASON_BUS, -EIO);
	assert_int_equal(answer.head.pointer_writes, 0);
	ring->bus->chips[ENE].error = 0;
	answer = ene_byte(fd, 1, 1);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	answer = ene_byte(fd, 2, 1);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	assert_int_equal(*behind(ring, 0x8100), 0);
	assert_int_equal(*behind(ring, 0x8110), 0);
	close(fd);
}

/* So is one that was refused: a program that looks at no errors sends its datum after it. */
static void test_a_refused_set_is_no_set(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_of(1);
	struct answer answer;

	recognise(ring, fd, 1);
	answer = ene_set(fd, 1, 0x80fa);
	assert_refused(answer, RGBROKER_REASON_RULE);
	answer = ene_byte(fd, 1, 1);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	answer = ene_set(fd, 2, 0x80fa); /* one that never set another */
	assert_refused(answer, RGBROKER_REASON_RULE);
	answer = ene_byte(fd, 2, 2);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	/* Refused for what follows it. */
	answer = ene_set(fd, 1, 0x8100);
	assert_done(answer);
	add_set(&batch, ENE, 0x8110);
	add_byte(&batch, ENE, 1);
	batch_add(&batch, RGBROKER_BYTE_DATA, false, 0x50, 0, 1, "x");
	answer = peer_ask(fd, &batch);
	assert_refused(answer, RGBROKER_REASON_FLOOR);
	answer = ene_byte(fd, 1, 1);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	/* As the kernel has the chip. */
	answer = ene_set(fd, 1, 0x8100);
	assert_done(answer);
	ring->bus->chips[ENE].owned = 1;
	answer = ene_set(fd, 1, 0x8120);
	assert_refused(answer, RGBROKER_REASON_OWNED);
	ring->bus->chips[ENE].owned = 0;
	answer = ene_byte(fd, 1, 1);
	assert_refused(answer, RGBROKER_REASON_POINTER);
	for (uint16_t number = 0x8000; number <= 0x81ff; number++)
		assert_int_equal(*behind(ring, number), 0);
	close(fd);
}

/* The broker's own one, before a datum, fails: then so does the datum, and nothing else changes. */
static void test_setting_again_fails(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;
	unsigned before;

	recognise(ring, fd, 1);
	answer = ene_set(fd, 2, 0x8180);
	assert_done(answer);
	ring->bus->chips[ENE].error = -EIO;
	before = wire_count(ring);
	answer = ene_byte(fd, 1, 1);
	assert_answer(answer, RGBROKER_REASON_BUS, -EIO);
	assert_int_equal(wire_count(ring), before + 1);
	assert_true(wire_is_set(ring, before, ENE, 0x8100));
	ring->bus->chips[ENE].error = 0;
	answer = ene_byte(fd, 1, 1);
	assert_done(answer);
	answer = ene_byte(fd, 2, 2);
	assert_done(answer);
	assert_int_equal(*behind(ring, 0x8100), 1);
	assert_int_equal(*behind(ring, 0x8180), 2);
	assert_int_equal(peer_status(ring).pointer_set, 2);
	close(fd);
}

/* An adapter without block writes: programs ask, and go on with bytes. */
static void test_unsupported_forgets_nothing(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	ring->bus->chips[ENE].error = -EOPNOTSUPP;
	answer = ene_block(fd, 1, "abc", 3);
	assert_answer(answer, RGBROKER_REASON_BUS, -EOPNOTSUPP);
	ring->bus->chips[ENE].error = 0;
	answer = ene_byte(fd, 1, 'a');
	assert_done(answer);
	assert_string_equal((char *)behind(ring, 0x8100), "a");
	/* Neither recognised nor set again. */
	assert_int_equal(wire_count(ring), ENE_RECOGNITION + 3);
	assert_int_equal(peer_status(ring).pointer_set, 0);
	close(fd);
}

/* --- moving a chip --- */

static struct answer move(int fd, uint8_t value)
{
	struct batch batch = batch_of(1);

	add_set(&batch, ENE, ENE_MOVE);
	add_byte(&batch, ENE, value);
	return peer_ask(fd, &batch);
}

static void test_moves_only_to_free_addresses_of_its_family(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;
	unsigned before;

	recognise(ring, fd, 1);
	ring->bus->chips[0x71].present = 1;
	ring->bus->chips[0x72].owned = 1;
	ring->bus->chips[0x77].error = -EAGAIN;
	for (unsigned value = 0; value < 256; value++) {
		uint8_t address = (uint8_t)(value >> 1);
		bool free = address >= 0x73 && address <= 0x76;

		free |= address == 0x66;
		if (value % 2 == 0 && free)
			continue;
		before = wire_count(ring);
		answer = move(fd, (uint8_t)value);
		if (value == 0x77 << 1) { /* whether somebody is there could not be told */
			assert_answer(answer, RGBROKER_REASON_BUS, -EAGAIN);
		} else {
			assert_refused(answer, RGBROKER_REASON_RULE);
		}
		/* At most it was looked who is there. */
		for (; before < wire_count(ring); before++) {
			assert_int_equal(wire_at(ring, before)->read, 1);
			assert_int_equal(wire_at(ring, before)->kind, RGBROKER_BYTE);
			assert_in_range(wire_at(ring, before)->address, 0x70, 0x77);
		}
	}
	assert_int_equal(*behind(ring, ENE_MOVE), 0);
	close(fd);
}

static void test_a_move_forgets_both_addresses(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_of(1);
	struct answer answer;
	unsigned before;

	recognise(ring, fd, 1);
	/* There once was one at 0x73, too. */
	ene_put(ring, 0x73, 1);
	add_set(&batch, 0x73, 0x8100);
	answer = peer_ask(fd, &batch);
	assert_done(answer);
	ring->bus->chips[0x73].present = 0;
	before = wire_count(ring);
	answer = move(fd, 0x73 << 1);
	assert_done(answer);
	assert_int_equal(answer.head.pointer_writes, 1);
	assert_int_equal(answer.head.pointer_moves, 2);
	assert_int_equal(*behind(ring, ENE_MOVE), 0x73 << 1);
	assert_int_equal(wire_at(ring, before)->kind, RGBROKER_BYTE);
	assert_int_equal(wire_at(ring, before)->address, 0x73);
	assert_int_equal(wire_count(ring), before + 3);
	ring->bus->chips[0x73] = ring->bus->chips[ENE];
	ring->bus->chips[ENE].present = 0;
	/* Both are looked at before anything is written there. */
	answer = ene_set(fd, 1, 0x8100);
	assert_refused(answer, RGBROKER_REASON_UNPROVEN);
	before = wire_count(ring);
	batch = batch_of(1);
	add_set(&batch, 0x73, 0x8102);
	add_byte(&batch, 0x73, 0x73);
	answer = peer_ask(fd, &batch);
	assert_done(answer);
	assert_int_equal(wire_count(ring), before + ENE_RECOGNITION + 2);
	assert_int_equal(wire_at(ring, before)->command, 0xa0);
	assert_int_equal(*behind(ring, 0x8102), 0x73);
	close(fd);
}

/* The context that set one there before the move: its datum is set again first, or refused. */
static void test_a_pointer_from_before_the_move(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_of(2);
	struct answer answer;
	unsigned before;

	ene_put(ring, 0x73, 1);
	add_set(&batch, 0x73, 0x8150);
	answer = peer_ask(fd, &batch);
	assert_done(answer);
	ring->bus->chips[0x73].present = 0;
	answer = move(fd, 0x73 << 1);
	assert_done(answer);
	ring->bus->chips[0x73] = ring->bus->chips[ENE];
	ring->bus->chips[ENE].present = 0;
	before = wire_count(ring);
	batch = batch_of(2);
	add_byte(&batch, 0x73, 0x22);
	answer = peer_ask(fd, &batch);
	assert_done(answer);
	assert_true(wire_is_set(ring, before + ENE_RECOGNITION, 0x73, 0x8150));
	assert_int_equal(*behind(ring, 0x8150), 0x22);
	assert_int_equal(*behind(ring, ENE_MOVE + 1), 0);
	close(fd);
}

static void test_a_move_is_last_in_its_batch(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct answer answer;

	recognise(ring, fd, 1);
	for (unsigned i = 0; i < 3; i++) {
		struct batch batch = batch_of(1);
		unsigned before = wire_count(ring);

		add_set(&batch, ENE, ENE_MOVE);
		add_byte(&batch, ENE, 0x73 << 1);
		if (i == 0)
			add_byte(&batch, ENE, 0);
		else if (i == 1)
			batch_add(&batch, RGBROKER_BYTE_DATA, true, 0x40, 0, 1, NULL);
		else
			add_set(&batch, 0x73, 0x8100);
		answer = peer_ask(fd, &batch);
		assert_refused(answer, RGBROKER_REASON_RULE);
		assert_int_equal(answer.head.done, 1);
		for (; before < wire_count(ring); before++) /* who is at 0x73? */
			assert_int_equal(wire_at(ring, before)->kind, RGBROKER_BYTE);
	}
	/* Nor in a block. */
	answer = ene_set(fd, 1, 0x80f8);
	assert_done(answer);
	answer = ene_block(fd, 1, "\x01\xe6", 2);
	assert_refused(answer, RGBROKER_REASON_RULE);
	assert_int_equal(*behind(ring, ENE_MOVE), 0);
	close(fd);
}

/* --- */

/* To read behind a pointer it may have to be set: a door for reading does not get that far. */
static void test_a_reader_moves_no_pointer(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb"), look = peer_connect(ring, "look");
	unsigned before;

	recognise(ring, fd, 1);
	assert_done(ene_set(fd, 2, 0x8000));
	before = wire_count(ring);
	assert_refused(ene_read(look, 1), RGBROKER_REASON_DOOR);
	assert_refused(ene_read(look, 2), RGBROKER_REASON_DOOR);
	assert_int_equal(wire_count(ring), before);
	assert_done(ene_read(fd, 1));
	close(look);
	close(fd);
}

/* Another file lets the pointer be moved, and a datum go through it, without being followed. */
static void test_a_file_beside_that_knows_no_pointer(void **state)
{
	struct ring *ring = *state;
	const uint8_t at = 0x76, move = 0x50 << 1;
	int fd = peer_connect(ring, "rgb");
	struct batch batch;
	unsigned before;

	ene_put(ring, at, 1);
	for (unsigned way = 0; way < 3; way++) {
		batch = batch_of(1);
		add_set(&batch, at, 0x8100);
		assert_done(peer_ask(fd, &batch));
		batch = batch_of(1);
		if (way == 0)
			add_set(&batch, at, ENE_MOVE);
		else if (way == 1)
			add_byte(&batch, at, 0x77);
		else /* the same on the wire */
			batch_add(&batch, RGBROKER_I2C_BLOCK, false, at, ENE_BYTE, 1, "\x77");
		assert_done(peer_ask(fd, &batch));
		before = wire_count(ring);
		batch = batch_of(1);
		add_byte(&batch, at, move);
		assert_refused(peer_ask(fd, &batch), RGBROKER_REASON_POINTER);
		assert_int_equal(wire_count(ring), before);
	}
	/* The same within one request */
	batch = batch_of(1);
	add_set(&batch, at, 0x8100);
	add_set(&batch, at, ENE_MOVE);
	add_byte(&batch, at, move);
	assert_refused(peer_ask(fd, &batch), RGBROKER_REASON_POINTER);
	assert_int_equal(wire_count(ring), before);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_contexts_in_every_order),
		TEST(test_two_contexts_by_turns),
		TEST(test_three_contexts_at_random),
		TEST(test_two_chips),
		TEST(test_inherits_from_its_process),
		TEST(test_does_not_inherit_across_connections_of_old),
		TEST(test_does_not_inherit_what_others_moved),
		TEST(test_does_not_inherit_after_an_eviction),
		TEST(test_eviction_by_another_process),
		TEST(test_a_process_that_comes_again_knows_nothing),
		TEST(test_batch_of_pairs),
		TEST(test_batch_is_judged_as_it_goes),
		TEST(test_batch_begins_with_a_datum),
		TEST(test_batch_that_fails),
		TEST(test_blocks_advance),
		TEST(test_empty_block),
		TEST(test_unknown_after_a_read),
		TEST(test_a_failed_datum_goes_there_again),
		TEST(test_a_failed_set_is_no_set),
		TEST(test_a_refused_set_is_no_set),
		TEST(test_setting_again_fails),
		TEST(test_unsupported_forgets_nothing),
		TEST(test_moves_only_to_free_addresses_of_its_family),
		TEST(test_a_move_forgets_both_addresses),
		TEST(test_a_pointer_from_before_the_move),
		TEST(test_a_move_is_last_in_its_batch),
		TEST(test_a_reader_moves_no_pointer),
		TEST(test_a_file_beside_that_knows_no_pointer),
	};

	return cmocka_run_group_tests_name("pointers", tests, NULL, NULL);
}
