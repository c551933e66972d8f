/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why the last call failed, and the proof that the public numbers are those of the wire. */
#include "client-lib/library.h"

#include <stddef.h>

#define SAME(public, wire)                                                                         \
	static_assert((int)(public) == (int)(wire), "rgbroker.h and wire.h differ")

SAME(RGBROKER_OK, RGBROKER_REASON_NONE);
SAME(RGBROKER_BUS_SAID, RGBROKER_REASON_BUS);
SAME(RGBROKER_OTHER_VERSION, RGBROKER_REASON_VERSION);
SAME(RGBROKER_DOOR, RGBROKER_REASON_DOOR);
SAME(RGBROKER_FLOOR, RGBROKER_REASON_FLOOR);
SAME(RGBROKER_NO_RULE, RGBROKER_REASON_RULE);
SAME(RGBROKER_NOT_RECOGNISED, RGBROKER_REASON_UNPROVEN);
SAME(RGBROKER_KERNEL_OWNED, RGBROKER_REASON_OWNED);
SAME(RGBROKER_CLAIMED_BY_OTHER, RGBROKER_REASON_CLAIMED);
SAME(RGBROKER_POINTER_LOST, RGBROKER_REASON_POINTER);
SAME(RGBROKER_BROKER_STOPPING, RGBROKER_REASON_STOPPING);
SAME(RGBROKER_MALFORMED, RGBROKER_REASON_PROTOCOL);
SAME(RGBROKER_LOCAL, CONNECTION_LOCAL);
SAME(RGBROKER_OP_QUICK, RGBROKER_QUICK);
SAME(RGBROKER_OP_BYTE, RGBROKER_BYTE);
SAME(RGBROKER_OP_BYTE_DATA, RGBROKER_BYTE_DATA);
SAME(RGBROKER_OP_WORD_DATA, RGBROKER_WORD_DATA);
SAME(RGBROKER_OP_BLOCK_DATA, RGBROKER_BLOCK_DATA);
SAME(RGBROKER_OP_I2C_BLOCK, RGBROKER_I2C_BLOCK);
SAME(RGBROKER_OP_I2C, RGBROKER_I2C);

/* initial-exec: the general model may allocate at a thread's first use. */
static _Thread_local uint16_t last_reason __attribute__((tls_model("initial-exec")));

static const char *const texts[] = {
	[RGBROKER_OK] = "carried out",
	[RGBROKER_BUS_SAID] = "the bus or the chip did not do it",
	[RGBROKER_OTHER_VERSION] = "broker and library speak different versions of the protocol",
	[RGBROKER_DOOR] = "this socket gives no right to it",
	[RGBROKER_FLOOR] = "closed for good by the broker's built-in table",
	[RGBROKER_NO_RULE] = "no device file allows it",
	[RGBROKER_NOT_RECOGNISED] = "the chip was not recognised",
	[RGBROKER_KERNEL_OWNED] = "a kernel driver has the address",
	[RGBROKER_CLAIMED_BY_OTHER] = "another process has the chip",
	[RGBROKER_POINTER_LOST] = "the chip's register pointer is unknown, set it again",
	[RGBROKER_BROKER_STOPPING] = "the broker is stopping",
	[RGBROKER_MALFORMED] = "the broker did not understand the message",
};

int library_result(int result, uint16_t reason)
{
	last_reason = reason;
	return result;
}

EXPORT enum rgbroker_reason_code rgbroker_last_reason(void)
{
	return (enum rgbroker_reason_code)last_reason;
}

EXPORT const char *rgbroker_reason_text(enum rgbroker_reason_code reason)
{
	size_t index = (size_t)reason;

	if (index < sizeof(texts) / sizeof(texts[0]))
		return texts[index];
	if (reason == RGBROKER_LOCAL)
		return "no answer from the broker: connection, deadline or argument";
	return "a reason that this library does not know";
}
