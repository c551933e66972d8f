/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* list: every adapter, brokered or not and why; what awake brokers recognise, and for whom. */
#include "ctl/admin.h"

#include <errno.h>

#include <stdio.h>
#include <string.h>

#define ADAPTERS_MAX 256

struct row {
	char bus[16], socket[32], service[32], path[48];
	struct chips chips;
};

/* What the footnotes below the table are about. */
struct notes {
	bool asleep;
	int error; /* why some broker could not be asked; 0: none */
	unsigned bus;
};

static void fill(struct systemd *systemd, const struct adapter *adapter, struct row *row)
{
	char unit[64];

	snprintf(row->bus, sizeof(row->bus), "i2c-%u", adapter->number);
	snprintf(row->path, sizeof(row->path), "/run/rgbroker/i2c-%u", adapter->number);
	snprintf(unit, sizeof(unit), "rgbroker@%u.socket", adapter->number);
	systemd_unit_state(systemd, unit, row->socket, sizeof(row->socket));
	broker_state(systemd, adapter->number, row->service, sizeof(row->service));
	row->chips = (struct chips){.error = -EAGAIN};
	if (adapter->class)
		row->chips = chips_find(adapter->number, row->service, false);
}

static void take_note(struct notes *notes, const struct adapter *adapter, const struct row *row)
{
	notes->asleep |= adapter->class && strcmp(row->service, "asleep") == 0;
	if (!row->chips.error || row->chips.error == -EAGAIN || notes->error)
		return;
	notes->error = row->chips.error;
	notes->bus = adapter->number;
}

static void print_notes(const struct options *options, const struct notes *notes)
{
	char why[160];

	if (notes->asleep && !options->json)
		printf("\nasleep: recognises no chip, and nobody holds one, until the next "
		       "request\n");
	if (notes->error)
		fprintf(stderr, "rgbrokerctl: chips of i2c-%u are not told: %s\n", notes->bus,
			admin_why_not(notes->bus, notes->error, why, sizeof(why)));
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
	add_text(object, "socket", row->socket);
	add_text(object, "service", row->service);
	add_text(object, "path", row->path);
	json_object_object_add(object, "chips", chips_json(&row->chips));
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
	chips_print(&row->chips, "         ");
}

/* The object is NULL unless JSON is wanted. */
static void list_all(
	const struct adapter *adapters, int count, json_object *all, struct notes *notes)
{
	struct systemd *systemd = systemd_open();

	for (int i = 0; i < count && i < ADAPTERS_MAX; i++) {
		struct row row;

		fill(systemd, &adapters[i], &row);
		if (all)
			json_object_array_add(all, to_json(&adapters[i], &row));
		else
			print_row(&adapters[i], &row);
		take_note(notes, &adapters[i], &row);
		chips_free(&row.chips);
	}
	systemd_close(systemd);
}

int verb_list(const struct options *options, int argc, char **argv)
{
	static struct adapter adapters[ADAPTERS_MAX];
	json_object *all;
	int count = argc ? 0 : adapter_list(adapters, ADAPTERS_MAX);
	struct notes notes = {0};

	if (argc)
		return CTL_USAGE;
	if (count < 0) {
		fprintf(stderr, "rgbrokerctl: udev cannot be asked: %s\n", strerror(-count));
		return CTL_FAILED;
	}
	all = options->json ? json_object_new_array() : NULL;
	if (!all)
		printf("%-8s %-7s %-10s %-9s %s\n", "BUS", "CLASS", "SOCKET", "BROKER", "ADAPTER");
	list_all(adapters, count, all, &notes);
	if (all)
		print_json(all);
	print_notes(options, &notes);
	return CTL_OK;
}
