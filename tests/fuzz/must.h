/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a target promises, and the bytes it is fed with. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An invariant: where it breaks, the reader is told what was seen, and the fuzzer keeps the input.
 */
#define must(condition, ...)                                                                       \
	do {                                                                                       \
		if (condition)                                                                     \
			break;                                                                     \
		fprintf(stderr, "%s:%d: broken: %s: ", __FILE__, __LINE__, #condition);            \
		fprintf(stderr, __VA_ARGS__);                                                      \
		fputc('\n', stderr);                                                               \
		abort();                                                                           \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Bytes are taken from the front; behind the end all are 0. */
struct input {
	const uint8_t *at, *end;
};

static inline bool input_ended(const struct input *input)
{
	return input->at == input->end;
}

static inline uint8_t input_byte(struct input *input)
{
	return input_ended(input) ? 0 : *input->at++;
}

static inline uint16_t input_word(struct input *input)
{
	uint8_t low = input_byte(input);

	return (uint16_t)(low | input_byte(input) << 8);
}

static inline void input_bytes(struct input *input, void *bytes, size_t size)
{
	size_t left = (size_t)(input->end - input->at), taken = size < left ? size : left;

	if (taken)
		memcpy(bytes, input->at, taken);
	memset((uint8_t *)bytes + taken, 0, size - taken);
	input->at += taken;
}
