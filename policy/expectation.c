/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Expect= lines: a read, and the answers to it that tell a family. */
#include "policy/words.h"

#include <string.h>

/* byte_data and word_data: one number, part of which may not matter. */
static const char *parse_values(const struct words *words, struct expectation *expectation)
{
	unsigned max = expectation->kind == RGBROKER_BYTE_DATA ? 0xff : 0xffff;

	expectation->mask = (uint16_t)max;
	for (unsigned i = 2; i < words->count; i++) {
		char *slash = strchr(words->word[i], '/');
		struct word_range mask;
		const char *why;

		if (expectation->n_values == VALUES_MAX)
			return "more than 16 values";
		if (slash) {
			why = parse_range(slash + 1, max, &mask);
			if (why || mask.first != mask.last || words->count != 3)
				return why ? why : "one value to a mask, and one mask";
			expectation->mask = mask.first;
			*slash = '\0';
		}
		why = parse_range(
			words->word[i], max, &expectation->values[expectation->n_values++]);
		if (why)
			return why;
	}
	return NULL;
}

static const char *parse_send(
	const struct words *words, unsigned *at, struct expectation *expectation)
{
	if (*at == words->count || strcmp(words->word[*at], "send") != 0)
		return NULL;
	if (expectation->kind != RGBROKER_I2C)
		return "only i2c sends something first";
	for (++*at; *at < words->count && strcmp(words->word[*at], "length") != 0; ++*at) {
		struct word_range byte;
		const char *why = parse_range(words->word[*at], 0xff, &byte);

		if (why)
			return why;
		if (expectation->n_send == RULE_DATA_MAX || byte.first != byte.last)
			return "send: up to eight bytes, each one a number";
		expectation->send[expectation->n_send++] = (uint8_t)byte.first;
	}
	return expectation->n_send ? NULL : "send: which bytes?";
}

static const char *one_command(const struct rule *rule, struct expectation *expectation)
{
	unsigned count = 0;

	for (unsigned command = 0; command < 256; command++) {
		if (!bitmap_has(rule->commands, command))
			continue;
		expectation->command = (uint8_t)command;
		count++;
	}
	return count == 1 ? NULL : "one command to a line";
}

/* block_data, i2c_block, i2c: how the answer begins. */
static const char *parse_answer(const struct words *words, struct expectation *expectation)
{
	/* A block that is read has the length the chip says: here it is the one that is expected.
	 */
	struct rule rule = {
		.kind = expectation->kind, .read = expectation->kind != RGBROKER_BLOCK_DATA};
	unsigned at = 1;
	const char *why = parse_send(words, &at, expectation);

	if (!why)
		why = words_parse_shape(words, &at, &rule);
	if (why)
		return why;
	if (!rule.n_data || rule.length.last > RGBROKER_BLOCK_MAX || rule.length.last < rule.n_data)
		return "say: length N data BYTE..., up to 32 bytes";
	expectation->length = rule.length.last;
	expectation->n_data = rule.n_data;
	memcpy(expectation->data, rule.data, sizeof(rule.data));
	return expectation->kind == RGBROKER_I2C ? NULL : one_command(&rule, expectation);
}

const char *parse_expectation(const char *text, struct expectation *ret_expectation)
{
	struct expectation expectation = {0};
	struct word_range command;
	struct words words;
	int kind;
	const char *why = words_split_operation(text, &words, &kind);

	if (why)
		return why;
	if (kind <= RGBROKER_BYTE)
		return "a fingerprint is read by byte_data, word_data, block_data, i2c_block or "
		       "i2c";
	expectation.kind = (uint8_t)kind;
	if (kind != RGBROKER_BYTE_DATA && kind != RGBROKER_WORD_DATA) {
		why = parse_answer(&words, &expectation);
	} else if (words.count < 3) {
		why = "say: OPERATION COMMAND VALUE...";
	} else {
		why = parse_range(words.word[1], 0xff, &command);
		if (!why && command.first != command.last)
			why = "one command to a line";
		expectation.command = (uint8_t)command.first;
		expectation.length = kind == RGBROKER_WORD_DATA ? 2 : 1;
		if (!why)
			why = parse_values(&words, &expectation);
	}
	if (!why)
		*ret_expectation = expectation;
	return why;
}
