/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list: every adapter, brokered or not and why. */
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

#define ADAPTERS_MAX 256

struct row {
	char bus[16], socket[32], service[32], path[48];
};

static void fill(struct systemd *systemd, const struct adapter *adapter, struct row *row)
{
	char unit[64];

	snprintf(row->bus, sizeof(row->bus), "i2c-%u", adapter->number);
	snprintf(row->path, sizeof(row->path), "/run/rgbroker/i2c-%u", adapter->number);
	snprintf(unit, sizeof(unit), "rgbroker@%u.socket", adapter->number);
	systemd_unit_state(systemd, unit, row->socket, sizeof(row->socket));
	snprintf(unit, sizeof(unit), "rgbroker@%u.service", adapter->number);
	systemd_unit_state(systemd, unit, row->service, sizeof(row->service));
	/* A broker that nobody needs just now is not one that failed to run. */
	if (strcmp(row->service, "dead") == 0)
		strcpy(row->service, "asleep");
}

static json_object *to_json(const struct adapter *adapter, const struct row *row)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "bus", json_object_new_string(row->bus));
	json_object_object_add(object, "name", json_object_new_string(adapter->name));
	json_object_object_add(object, "class",
		adapter->class ? json_object_new_string(bus_class_name(adapter->class)) : NULL);
	if (!adapter->class) {
		json_object_object_add(object, "why", json_object_new_string(adapter->why));
		return object;
	}
	json_object_object_add(object, "socket", json_object_new_string(row->socket));
	json_object_object_add(object, "service", json_object_new_string(row->service));
	json_object_object_add(object, "path", json_object_new_string(row->path));
	return object;
}

static void print_row(const struct adapter *adapter, const struct row *row)
{
	if (adapter->class)
		printf("%-8s %-7s %-10s %-9s %s\n", row->bus, bus_class_name(adapter->class),
			row->socket, row->service, adapter->name);
	else
		printf("%-8s %-7s %-10s %-9s %s (not brokered: %s)\n", row->bus, "-", "-", "-",
			adapter->name, adapter->why[0] ? adapter->why : "no rule has seen it");
}

int verb_list(const struct options *options, int argc, char **argv)
{
	static struct adapter adapters[ADAPTERS_MAX];
	int count = argc ? 0 : adapter_list(adapters, ADAPTERS_MAX);
	struct systemd *systemd;
	json_object *all;

	if (argc)
		return CTL_USAGE;
	if (count < 0) {
		fprintf(stderr, "rgbrokerctl: udev cannot be asked: %s\n", strerror(-count));
		return CTL_FAILED;
	}
	systemd = systemd_open();
	all = json_object_new_array();
	if (!options->json)
		printf("%-8s %-7s %-10s %-9s %s\n", "BUS", "CLASS", "SOCKET", "BROKER", "ADAPTER");
	for (int i = 0; i < count && i < ADAPTERS_MAX; i++) {
		struct row row;

		fill(systemd, &adapters[i], &row);
		if (options->json)
			json_object_array_add(all, to_json(&adapters[i], &row));
		else
			print_row(&adapters[i], &row);
	}
	systemd_close(systemd);
	if (options->json)
		return print_json(all);
	json_object_put(all);
	return CTL_OK;
}
