/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the bytes of a message to a request whose every number is in range. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "protocol/wire.h"

#define DECODE_FROZEN 8 /* bytes at the head, up to the serial, that every version has */

/* Points into the message. */
struct request {
	const struct rgbroker_request *header;
	const struct rgbroker_operation *operations;
	const uint8_t *data[RGBROKER_OPERATIONS_MAX]; /* of writes; NULL: a read */
};

/*
 * message: at least 8-byte aligned. 0, -EPROTONOSUPPORT (another version: answer it), -EPROTO
 * (malformed). header is set whenever the eight bytes of the frozen part are there, else NULL.
 */
int decode(const void *message, size_t size, struct request *ret_request);

/* How many operations from this one on form one transfer: 1, or the joined plain messages. */
size_t transfer_span(const struct request *request, size_t first);
