/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chips that a running broker has recognised, and who has claimed them. */
#include "ctl/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct chips chips_find(unsigned bus, const char *state, bool wake)
{
	struct chips chips = {.error = -EAGAIN};
	struct admin admin;

	if (!wake && !broker_awake(state))
		return chips;
	chips.error = admin_open(&admin, bus, wake ? WAKE_TIMEOUT_MS : ADMIN_TIMEOUT_MS);
	if (chips.error == 0)
		chips.error = admin_ask_rows(
			&admin, RGBROKER_CHIPS, sizeof(*chips.items), &chips.items, &chips.count);
	admin_close(&admin);
	for (size_t i = 0; i < chips.count; i++)
		make_printable(chips.items[i].device, sizeof(chips.items[i].device));
	return chips;
}

void chips_free(struct chips *chips)
{
	free(chips->items);
}

void chips_print(const struct chips *chips, const char *indent)
{
	char who[192];

	for (size_t i = 0; i < chips->count; i++) {
		const struct rgbroker_chip *chip = &chips->items[i];

		printf("%s0x%02x %s%s%s\n", indent, chip->address,
			chip->device[0] ? chip->device : "(forgotten since)",
			chip->claimed ? ", held by " : "",
			chip->claimed ? process_text(chip->pid, who, sizeof(who)) : "");
	}
}

static json_object *chip_json(const struct rgbroker_chip *chip)
{
	json_object *object = json_object_new_object(), *holder = NULL;

	add_address(object, chip->address);
	json_object_object_add(
		object, "device", chip->device[0] ? json_object_new_string(chip->device) : NULL);
	if (chip->claimed) {
		holder = json_object_new_object();
		add_process(holder, chip->pid, chip->uid);
	}
	json_object_object_add(object, "holder", holder);
	return object;
}

json_object *chips_json(const struct chips *chips)
{
	json_object *array;

	if (chips->error && chips->error != -EAGAIN)
		return NULL;
	array = json_object_new_array();
	for (size_t i = 0; i < chips->count; i++)
		json_object_array_add(array, chip_json(&chips->items[i]));
	return array;
}
