/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a message from the broker is. Pure. */
#pragma once

#include "client-lib/connection.h"

enum reply_verdict {
	REPLY_OURS,
	REPLY_LATE,    /* to a request given up earlier: throw it away */
	REPLY_VERSION, /* the broker speaks another version; only version and serial are valid */
	REPLY_MALFORMED,
};

enum reply_verdict reply_judge(const struct connection_request *request,
	const struct connection_reply *reply, size_t length);

/** Was nothing of the request carried out? Then `done` is only the index of what was refused. */
bool reply_means_refused(uint16_t reason);

/** Make it a request for what is left after its first `done` operations. */
void request_skip(struct connection_request *request, uint16_t done);

/** Add the reply to the rest of a request to that of its beginning. Pointers are left out. */
void reply_add(struct connection_reply *whole, const struct connection_reply *part);
