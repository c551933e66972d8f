/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a broker tells of a bus, or of chips, that it leaves alone because they time out. */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>

#include "protocol/inspect.h"

/* Is anything in quarantine just now? */
bool quarantine_is_on(const struct rgbroker_status *status);
/* Lines of `status`; none if there never was one. */
void quarantine_print(const struct rgbroker_status *status);
/* Owned by the caller. */
json_object *quarantine_json(const struct rgbroker_status *status);
