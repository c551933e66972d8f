/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words, numbers and other small values of configuration files. */
#include "policy/words.h"

#include <stdlib.h>
#include <string.h>

const char *words_split(const char *text, struct words *ret_words)
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
		int lower = text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i];
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
	const char *why = words_split(text, &words);

	if (!why && words.count == 0)
		return "nothing behind the =";
	for (unsigned i = 0; !why && i < words.count; i++) {
		struct word_range range;

		why = parse_range(words.word[i], ADDRESSES - 1, &range);
		for (unsigned address = range.first; !why && address <= range.last; address++) {
			if (bitmap_has(bitmap, address))
				why = "an address given twice";
			bitmap_set(bitmap, address);
		}
	}
	return why;
}

const char *parse_pci(const char *text, struct pci_match *ret_match)
{
	static const char *const form = "say: VENDOR:DEVICE[:SUBVENDOR[:SUBDEVICE]], four "
					"hexadecimal digits or * each";
	struct pci_match match = {.any = {true, true, true, true}};
	unsigned count = 0;

	for (; count < PCI_IDS && *text; count++) {
		size_t length = strcspn(text, ":");
		char digits[5] = "";

		match.any[count] = length == 1 && *text == '*';
		if (!match.any[count]) {
			if (length != 4 || strspn(text, "0123456789abcdefABCDEF") < 4)
				return form;
			memcpy(digits, text, 4);
			match.id[count] = (uint16_t)strtoul(digits, NULL, 16);
		}
		text += length;
		if (*text == ':' && !*++text)
			return form;
	}
	if (count < 2 || *text)
		return form;
	*ret_match = match;
	return NULL;
}

const char *parse_words(
	const char *text, const char *(*take)(void *userdata, const char *word), void *userdata)
{
	struct words words;
	const char *why = words_split(text, &words);

	if (!why && words.count == 0)
		return "nothing behind the =";
	for (unsigned i = 0; !why && i < words.count; i++)
		why = take(userdata, words.word[i]);
	return why;
}

const char *parse_bool(const char *text, bool *ret_value)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return "say yes or no";
	*ret_value = strcmp(text, "yes") == 0;
	return NULL;
}
