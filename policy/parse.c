/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules: OPERATION [COMMAND...] [length N[-N]] [data BYTE...], and registers behind a pointer. */
#include "policy/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *words_split_operation(const char *text, struct words *ret_words, int *ret_kind)
{
	const char *why = words_split(text, ret_words);

	if (!why)
		*ret_kind = ret_words->count ? operation_kind_from_name(ret_words->word[0]) : -1;
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

const char *words_parse_shape(const struct words *words, unsigned *at, struct rule *rule)
{
	const char *why = parse_commands(words, at, rule);

	if (!why)
		why = parse_length(words, at, rule);
	if (!why)
		why = parse_data(words, at, rule);
	if (!why && *at < words->count)
		why = "something is left over at the end of the line";
	return why;
}

const char *parse_rule(const char *text, bool read, struct rule *ret_rule)
{
	struct rule rule = {.read = read};
	unsigned at = 1;
	struct words words;
	int kind;
	const char *why = words_split_operation(text, &words, &kind);

	if (why)
		return why;
	if (kind < 0)
		return "unknown operation (quick, byte, byte_data, word_data, block_data, "
		       "i2c_block, i2c)";
	rule.kind = (uint8_t)kind;
	why = words_parse_shape(&words, &at, &rule);
	if (!why && read && rule.n_data)
		why = "data: a read carries none";
	if (!why)
		*ret_rule = rule;
	return why;
}

const char *parse_register_rule(const char *text, struct register_rule *ret_rule)
{
	struct register_rule rule = {0};
	struct words words;
	const char *why = words_split(text, &words);

	if (!why && words.count == 0)
		why = "which registers?";
	if (!why)
		why = parse_range(words.word[0], 0xffff, &rule.registers);
	if (!why && words.count > 1 && (words.count < 3 || strcmp(words.word[1], "value") != 0))
		why = "say: REGISTER[-REGISTER] [value VALUE[-VALUE]...]";
	for (unsigned i = 2; !why && i < words.count; i++) {
		if (rule.n_values == VALUES_MAX)
			return "more than 16 values";
		why = parse_range(words.word[i], 0xff, &rule.values[rule.n_values++]);
	}
	if (!why)
		*ret_rule = rule;
	return why;
}
