/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a connection keeps its number while sockets come and go. Callers hold its lock. */
#pragma once

#include "client-lib/connection.h"

/**
 * Make `descriptor` the number that is used. A dup that still has a former socket is moved to
 * today's. inode: of its socket, as just seen, or 0.
 * @return 0 or -EBADF: the number is none of ours
 */
int reconnect_settle(struct connection *connection, int descriptor, uint64_t inode);

/** Connect if need be. @return 0 or a negative errno */
int reconnect_ensure(struct connection *connection, int64_t deadline);
