/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Words of a value, separated by blanks. Longer lines are refused, not cut. */
#define WORDS_MAX 48
#define LINE_MAX_ 256

struct words {
	char copy[LINE_MAX_];
	char *word[WORDS_MAX];
	unsigned count;
};

static const char *split(const char *text, struct words *ret_words)
{
	char *save = NULL;

	if (strlen(text) >= sizeof(ret_words->copy))
		return "line too long";
	strcpy(ret_words->copy, text);
	ret_words->count = 0;
	for (char *word = strtok_r(ret_words->copy, " \t", &save); word;
		word = strtok_r(NULL, " \t", &save)) {
		if (ret_words->count == WORDS_MAX)
			return "too many words";
		ret_words->word[ret_words->count++] = word;
	}
	return NULL;
}

/* The words, and the kind that the first of them names: -1 if it names none. */
static const char *split_operation(const char *text, struct words *ret_words, int *ret_kind)
{
	const char *why = split(text, ret_words);

	if (!why)
		*ret_kind = ret_words->count ? operation_kind_from_name(ret_words->word[0]) : -1;
	return why;
}

/* strtoul takes signs, blanks and octal; here a leading zero without x is an error, not octal. */
static bool number(const char *text, size_t length, unsigned max, uint16_t *ret_value)
{
	bool hex = length > 2 && text[0] == '0' && text[1] == 'x';
	unsigned long value = 0;

	if (hex) {
		text += 2;
		length -= 2;
	}
	if (length == 0 || length > 5 || (!hex && length > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < length; i++) {
		const char *digits = "0123456789abcdef";
		char lower = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] + 32) : text[i];
		const char *digit = memchr(digits, lower, hex ? 16 : 10);

		if (!digit)
			return false;
		value = value * (hex ? 16 : 10) + (unsigned long)(digit - digits);
	}
	*ret_value = (uint16_t)value;
	return value <= max;
}

const char *parse_range(const char *text, unsigned max, struct word_range *ret_range)
{
	const char *dash = strchr(text, '-');
	size_t head = dash ? (size_t)(dash - text) : strlen(text);
	struct word_range range;

	if (!number(text, head, max, &range.first))
		return "not a number of the allowed range (decimal or 0x...)";
	range.last = range.first;
	if (dash && !number(dash + 1, strlen(dash + 1), max, &range.last))
		return "not a number of the allowed range (decimal or 0x...) after '-'";
	if (range.last < range.first)
		return "range the wrong way round";
	*ret_range = range;
	return NULL;
}

const char *parse_addresses(const char *text, uint8_t *bitmap)
{
	struct words words;
	const char *why = split(text, &words);

	for (unsigned i = 0; !why && i < words.count; i++) {
		struct word_range range;

		why = parse_range(words.word[i], ADDRESSES - 1, &range);
		for (unsigned address = range.first; !why && address <= range.last; address++)
			bitmap_set(bitmap, address);
	}
	return why;
}

/* The payload lengths a kind can have at all. */
static struct word_range kind_lengths(uint8_t kind, bool read)
{
	switch (kind) {
	case RGBROKER_QUICK:
		return (struct word_range){0, 0};
	case RGBROKER_BYTE:
		return (struct word_range){read ? 1 : 0, read ? 1 : 0};
	case RGBROKER_BYTE_DATA:
		return (struct word_range){1, 1};
	case RGBROKER_WORD_DATA:
		return (struct word_range){2, 2};
	case RGBROKER_I2C:
		return (struct word_range){0, RGBROKER_TRANSFER_MAX};
	case RGBROKER_BLOCK_DATA:
		/* How many bytes a block read brings, the chip says. */
		return (struct word_range){read ? RGBROKER_BLOCK_MAX : 0, RGBROKER_BLOCK_MAX};
	default:
		return (struct word_range){0, RGBROKER_BLOCK_MAX};
	}
}

static const char *parse_commands(const struct words *words, unsigned *at, struct rule *rule)
{
	unsigned from = *at;

	if (!operation_kind_has_command(rule->kind, rule->read)) {
		memset(rule->commands, 0xff, sizeof(rule->commands));
		return NULL;
	}
	for (; *at < words->count; ++*at) {
		struct word_range range;
		const char *why;

		if (strcmp(words->word[*at], "length") == 0 ||
			strcmp(words->word[*at], "data") == 0)
			break;
		why = parse_range(words->word[*at], 0xff, &range);
		if (why)
			return why;
		for (unsigned command = range.first; command <= range.last; command++)
			bitmap_set(rule->commands, command);
	}
	return *at == from ? "say which commands (0x00-0xff: all)" : NULL;
}

static const char *parse_length(const struct words *words, unsigned *at, struct rule *rule)
{
	struct word_range all = kind_lengths(rule->kind, rule->read);
	const char *why;

	rule->length = all;
	if (*at == words->count || strcmp(words->word[*at], "length") != 0)
		return NULL;
	if (all.first == all.last)
		return "this operation has one length only";
	if (++*at == words->count)
		return "length: how many bytes?";
	why = parse_range(words->word[(*at)++], all.last, &rule->length);
	return why;
}

static const char *parse_data(const struct words *words, unsigned *at, struct rule *rule)
{
	if (*at == words->count || strcmp(words->word[*at], "data") != 0)
		return NULL;
	if (rule->read)
		return "data: a read carries none";
	for (++*at; *at < words->count; ++*at) {
		struct word_range range;
		const char *why = parse_range(words->word[*at], 0xff, &range);

		if (why)
			return why;
		if (rule->n_data == RULE_DATA_MAX || rule->n_data == rule->length.last)
			return "data: more bytes than the operation carries or a rule can name";
		rule->data[rule->n_data].first = (uint8_t)range.first;
		rule->data[rule->n_data++].last = (uint8_t)range.last;
	}
	return rule->n_data ? NULL : "data: which bytes?";
}

const char *parse_rule(const char *text, bool read, struct rule *ret_rule)
{
	struct rule rule = {.read = read};
	unsigned at = 1;
	struct words words;
	int kind;
	const char *why = split_operation(text, &words, &kind);

	if (why)
		return why;
	if (kind < 0)
		return "unknown operation (quick, byte, byte_data, word_data, block_data, "
		       "i2c_block, i2c)";
	rule.kind = (uint8_t)kind;
	why = parse_commands(&words, &at, &rule);
	if (!why)
		why = parse_length(&words, &at, &rule);
	if (!why)
		why = parse_data(&words, &at, &rule);
	if (!why && at < words.count)
		why = "something is left over at the end of the line";
	if (!why)
		*ret_rule = rule;
	return why;
}

const char *parse_expectation(const char *text, struct expectation *ret_expectation)
{
	struct expectation expectation = {0};
	struct word_range range;
	struct words words;
	int kind;
	const char *why = split_operation(text, &words, &kind);

	if (why)
		return why;
	if (kind != RGBROKER_BYTE_DATA && kind != RGBROKER_WORD_DATA)
		return "a fingerprint is read by byte_data or word_data";
	if (words.count < 3 || words.count > 2 + EXPECT_VALUES_MAX)
		return "say: OPERATION COMMAND VALUE, with up to four values";
	why = parse_range(words.word[1], 0xff, &range);
	if (why || range.first != range.last)
		return why ? why : "one command to a line";
	expectation.kind = (uint8_t)kind;
	expectation.command = (uint8_t)range.first;
	for (unsigned i = 2; i < words.count; i++) {
		why = parse_range(words.word[i], kind == RGBROKER_BYTE_DATA ? 0xff : 0xffff,
			&expectation.values[expectation.n_values++]);
		if (why)
			return why;
	}
	*ret_expectation = expectation;
	return NULL;
}

const char *parse_bool(const char *text, bool *ret_value)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return "say yes or no";
	*ret_value = strcmp(text, "yes") == 0;
	return NULL;
}
