/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of a value, and what rules and expectations share in reading them. */
#pragma once

#include "policy/parse.h"

/* Words of a value, separated by blanks. Longer lines are refused, not cut. */
#define WORDS_MAX 48
#define LINE_MAX_ 256

struct words {
	char copy[LINE_MAX_];
	char *word[WORDS_MAX];
	unsigned count;
};

/* Split at blanks. */
const char *words_split(const char *text, struct words *ret_words);
/* The words, and the kind that the first of them names: -1 if it names none. */
const char *words_split_operation(const char *text, struct words *ret_words, int *ret_kind);
/* All of an operation's words from *at on: [COMMAND...] [length N[-N]] [data BYTE[-BYTE]...] */
const char *words_parse_shape(const struct words *words, unsigned *at, struct rule *rule);
