/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* release: a chip that its holder does not need any more, or should not have. */
#include "ctl/admin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int tell(const struct options *options, unsigned bus, uint16_t address, int r)
{
	char why[160];

	if (r < 0 && r != -ENOENT) {
		fprintf(stderr, "rgbrokerctl: i2c-%u: %s\n", bus,
			admin_why_not(bus, r, why, sizeof(why)));
		return CTL_FAILED;
	}
	if (options->json) {
		json_object *object = json_object_new_object();

		json_object_object_add(object, "bus", json_object_new_int((int)bus));
		add_address(object, (uint8_t)address);
		json_object_object_add(object, "released", json_object_new_boolean(r == 0));
		print_json(object);
	} else {
		printf("0x%02x on i2c-%u: %s\n", address, bus,
			r == 0 ? "free; the first process to write has it next"
			       : "nobody had claimed it");
	}
	return r == 0 ? CTL_OK : CTL_REFUSED;
}

/* Who sleeps has no claims: it need not be woken to be told so. */
static int release(unsigned bus, uint16_t address)
{
	struct systemd *systemd = systemd_open();
	struct connection_reply reply;
	struct admin admin;
	char state[32];
	int r;

	broker_state(systemd, bus, state, sizeof(state));
	systemd_close(systemd);
	if (strcmp(state, "asleep") == 0)
		return -ENOENT;
	r = admin_open(&admin, bus, ADMIN_TIMEOUT_MS);
	if (r == 0)
		r = admin_ask(&admin, RGBROKER_RELEASE, address, &reply);
	admin_close(&admin);
	return r;
}

int verb_release(const struct options *options, int argc, char **argv)
{
	struct adapter adapter;
	uint16_t address;
	int code = argc == 2 ? find_bus(argv[0], &adapter) : CTL_USAGE;

	if (code != CTL_OK)
		return code;
	if (!parse_one(argv[1], ADDRESSES - 1, &address))
		return CTL_USAGE;
	return tell(options, adapter.number, address, release(adapter.number, address));
}
