/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the library's own files share. */
#pragma once

#include "client-lib/connection.h"
#include "client-lib/rgbroker.h"

#define EXPORT __attribute__((visibility("default")))

struct rgbroker {
	struct connection connection;
};

/** The calling thread's number, as the context of its requests. */
uint32_t library_context(void);

/** Keep the reason for rgbroker_last_reason(). @return result */
int library_result(int result, uint16_t reason);
