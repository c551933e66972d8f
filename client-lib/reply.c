/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker is trusted with the bus, not with our memory: everything in a reply is checked. */
#include "client-lib/reply.h"

#include <stddef.h>
#include <string.h>

/* The part of the header that is the same in all versions. */
#define COMMON_SIZE 8
#define ERRNO_MAX 4095

static_assert(offsetof(struct rgbroker_reply, serial) + sizeof(uint32_t) == COMMON_SIZE,
	"the eight bytes that never change");

static size_t room_of_done_reads(const struct connection_request *request, uint16_t done)
{
	size_t room = 0;

	for (uint16_t i = 0; i < done; i++)
		if (request->operations[i].read)
			room += request->operations[i].length;
	return room;
}

bool reply_means_refused(uint16_t reason)
{
	return reason != RGBROKER_REASON_NONE && reason != RGBROKER_REASON_BUS &&
	       reason != RGBROKER_REASON_STOPPING;
}

static bool length_fits(
	const struct connection_request *request, const struct rgbroker_reply *header)
{
	if (reply_means_refused(header->reason))
		return true; /* what came along is not read */
	if (request->header.opcode == RGBROKER_TRANSFER)
		return header->length == room_of_done_reads(request, header->done);
	if (header->result < 0)
		return header->length == 0;
	return request->header.opcode != RGBROKER_INFO ||
	       header->length == sizeof(struct rgbroker_info);
}

/* Joined messages are one transfer, whose rest would be another one on the bus. */
static bool ends_within_transfer(const struct connection_request *request, uint16_t done)
{
	return done > 0 && request->operations[done - 1].joined;
}

static bool well_formed(const struct connection_request *request,
	const struct rgbroker_reply *header, size_t length)
{
	bool success = header->result == 0;

	if (length < sizeof(*header) || length != sizeof(*header) + header->length)
		return false;
	if (header->result > 0 || header->result < -ERRNO_MAX)
		return false;
	if (success != (header->reason == RGBROKER_REASON_NONE))
		return false;
	if (header->done > request->header.count ||
		(success && header->done != request->header.count))
		return false;
	if (!reply_means_refused(header->reason) && ends_within_transfer(request, header->done))
		return false;
	/* What is left is sent again, so there must be something. */
	if (header->reason == RGBROKER_REASON_STOPPING && header->done > 0 &&
		header->done == request->header.count)
		return false;
	return length_fits(request, header);
}

enum reply_verdict reply_judge(const struct connection_request *request,
	const struct connection_reply *reply, size_t length)
{
	int32_t age;

	if (length < COMMON_SIZE || length > sizeof(*reply))
		return REPLY_MALFORMED;
	age = (int32_t)(request->header.serial - reply->header.serial);
	if (age != 0)
		return age > 0 ? REPLY_LATE : REPLY_MALFORMED;
	if (reply->header.version != RGBROKER_PROTOCOL_VERSION)
		return REPLY_VERSION;
	return well_formed(request, &reply->header, length) ? REPLY_OURS : REPLY_MALFORMED;
}

void request_skip(struct connection_request *request, uint16_t done)
{
	for (; done > 0; done--, request->operations++, request->header.count--) {
		uint16_t length = request->operations->read ? 0 : request->operations->length;

		if (length > 0)
			request->data += length;
		request->header.length = (uint16_t)(request->header.length - length);
	}
}

void reply_add(struct connection_reply *whole, const struct connection_reply *part)
{
	uint16_t length = reply_means_refused(part->header.reason) ? 0 : part->header.length;

	/* Both were judged: the reads of one request fit into one reply. */
	memcpy(whole->data + whole->header.length, part->data, length);
	whole->header.length = (uint16_t)(whole->header.length + length);
	whole->header.done = (uint16_t)(whole->header.done + part->header.done);
	whole->header.reason = part->header.reason;
	whole->header.result = part->header.result;
}
