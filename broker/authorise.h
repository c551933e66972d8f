/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict with its facts: asks the bus what the policy must know, and asks the policy again. */
#pragma once

#include "broker/bus.h"
#include "policy/policy.h"

/*
 * Judge one operation; only reads that a device file's Expect= lines name go on the wire.
 * 0: *ret_judgement is allowed or refused; a negative errno: the bus failed while a fact was
 * sought.
 */
int authorise(const struct policy *policy, const struct door *door, struct facts *facts,
	struct bus *bus, const struct rgbroker_operation *operation, const uint8_t *data,
	struct judgement *ret_judgement);
