/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connect, send, wait; and again, as long as the request was surely not carried out. */
#pragma once

#include "client-lib/connection.h"

/**
 * Until it was carried out, at least its beginning, or refused, or its fate is unknown. With the
 * connection locked.
 * @return 0: there is a reply; or a negative errno, see connection_exchange()
 */
int deliver(struct connection *connection, struct connection_request *request,
	struct connection_reply *ret_reply, int64_t deadline);
