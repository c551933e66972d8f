/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict with its facts: asks the bus what the policy must know, and asks the policy again. */
#pragma once

#include "broker/broker.h"

/*
 * Judge one operation. On the wire go only reads that a device file's Expect= lines name (with what
 * they send first), the SPD's bytes that tell the kind of a memory module, and a display's EDID.
 * 0: *ret_judgement is allowed or refused; a negative errno: the bus failed while a fact was
 * sought.
 */
int authorise(struct client *client, const struct caller *caller,
	const struct rgbroker_operation *operation, const uint8_t *data,
	struct judgement *ret_judgement);

/* --- facts.c: each 0 or a negative errno --- */

/* 1: it is that family, 0: it is not. */
int find_family(struct client *client, const struct device *device, uint8_t address);
int find_owner(struct client *client, uint8_t address);
int find_edid(struct client *client, uint8_t address);
int find_answer(struct client *client, uint8_t address);
/* address: of the SPD */
int find_memory(struct client *client, uint8_t address);
