/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* devices: every device file, whether it counts, and on which buses. */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADAPTERS_MAX 256

struct list {
	const char *const *folders;
	struct adapter adapters[ADAPTERS_MAX];
	size_t n_adapters;
	json_object *rows;
	bool refused; /* any */
};

static void add_problem(void *userdata, const char *file, int line, const char *why)
{
	json_object *problem = json_object_new_object();

	add_text(problem, "file", file);
	add_number(problem, "line", (uint64_t)line);
	add_text(problem, "why", why);
	json_object_array_add(userdata, problem);
}

static json_object *buses_of(const struct list *list, const struct device *device)
{
	json_object *buses = json_object_new_array();
	char name[16];

	for (size_t i = 0; i < list->n_adapters; i++) {
		if (!list->adapters[i].class || !device_matches(device, &list->adapters[i]))
			continue;
		snprintf(name, sizeof(name), "i2c-%u", list->adapters[i].number);
		json_object_array_add(buses, json_object_new_string(name));
	}
	return buses;
}

static json_object *add_row(struct list *list, const char *name, const char *file)
{
	json_object *row = json_object_new_object();

	add_text(row, "name", name);
	add_text(row, "file", file);
	json_object_array_add(list->rows, row);
	return row;
}

/* good: what it is if nothing is wrong with it. */
static void add_read(struct list *list, const struct config_entry *entry, const char *good)
{
	json_object *row = add_row(list, entry->name, entry->files[0]);
	json_object *problems = json_object_new_array(), *drop_ins = json_object_new_array();
	struct device *device = device_load(entry->name, entry->files, add_problem, problems);

	for (char **file = entry->files + 1; *file; file++)
		json_object_array_add(drop_ins, json_object_new_string(*file));
	add_text(row, "state", device ? good : "refused");
	if (device) {
		add_text(row, "description", device->description);
		json_object_object_add(row, "buses", buses_of(list, device));
	}
	json_object_object_add(row, "drop_ins", drop_ins);
	json_object_object_add(row, "problems", problems);
	list->refused |= !device;
	device_free(device);
}

/* by: the entry that counts in its place. */
static void add_aside(
	struct list *list, const struct config_entry *entry, const struct config_entry *by)
{
	bool overridden = entry->state == CONFIG_OVERRIDDEN;
	json_object *row = add_row(list, entry->name, entry->files[0]);

	add_text(row, "state", overridden ? "overridden" : "masked");
	if (overridden)
		add_text(row, "by", by->files[0]);
}

static bool stands_in(const struct config_entry *entries, const char *name)
{
	for (; entries && entries->name; entries++)
		if (strcmp(entries->name, name) == 0)
			return true;
	return false;
}

/* but: optional files that are also among those have been switched on, or masked. */
static void add_entries(struct list *list, const struct config_entry *entries, const char *good,
	const struct config_entry *but)
{
	const struct config_entry *first = entries;

	for (const struct config_entry *entry = entries; entry->name; entry++) {
		if (stands_in(but, entry->name))
			continue;
		if (entry->state != CONFIG_OVERRIDDEN)
			first = entry;
		if (entry->state == CONFIG_COUNTS)
			add_read(list, entry, good);
		else
			add_aside(list, entry, first);
	}
}

static int collect(struct list *list)
{
	struct config_entry *entries = config_find_all(list->folders, "devices");
	struct config_entry *optional =
		entries ? config_find_all(list->folders, "devices/optional") : NULL;
	int r = optional ? 0 : -errno;

	if (optional) {
		add_entries(list, entries, "active", NULL);
		add_entries(list, optional, "optional", entries);
	}
	config_free(entries);
	config_free(optional);
	return r;
}

static void print_list(json_object *names)
{
	size_t count = names ? json_object_array_length(names) : 0;

	for (size_t i = 0; i < count; i++)
		printf("%s%s", i ? "," : "",
			json_object_get_string(json_object_array_get_idx(names, i)));
	if (!count)
		printf("-");
}

static void print_problems(json_object *problems)
{
	for (size_t i = 0; problems && i < json_object_array_length(problems); i++) {
		json_object *problem = json_object_array_get_idx(problems, i);
		int line = json_object_get_int(json_object_object_get(problem, "line"));

		printf("    %s:", get_text(problem, "file"));
		if (line)
			printf("%d:", line);
		printf(" %s\n", get_text(problem, "why"));
	}
}

static void print_rows(json_object *rows)
{
	printf("%-30s %-10s %s\n", "NAME", "STATE", "FILE, BUSES");
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		json_object *row = json_object_array_get_idx(rows, i);

		printf("%-30s %-10s %s", get_text(row, "name"), get_text(row, "state"),
			get_text(row, "file"));
		if (json_object_object_get(row, "by")) {
			printf(", by %s", get_text(row, "by"));
		} else if (json_object_object_get(row, "buses")) {
			printf(", ");
			print_list(json_object_object_get(row, "buses"));
		}
		printf("\n");
		print_problems(json_object_object_get(row, "problems"));
	}
}

int verb_devices(const struct options *options, int argc, char **argv)
{
	static struct list list;
	int r;

	if (argc)
		return CTL_USAGE;
	list.folders = options->folders ? options->folders : config_folders;
	r = adapter_list(list.adapters, ADAPTERS_MAX);
	list.n_adapters = r < 0 ? 0 : r > ADAPTERS_MAX ? ADAPTERS_MAX : (size_t)r;
	if (r < 0)
		fprintf(stderr, "rgbrokerctl: udev cannot be asked, so no bus is known: %s\n",
			strerror(-r));
	list.rows = json_object_new_array();
	r = collect(&list);
	if (r < 0) {
		fprintf(stderr, "rgbrokerctl: a folder of device files cannot be read: %s\n",
			strerror(-r));
		json_object_put(list.rows);
		return CTL_FAILED;
	}
	if (options->json) {
		print_json(list.rows);
	} else {
		print_rows(list.rows);
		json_object_put(list.rows);
	}
	return list.refused ? CTL_REFUSED : CTL_OK;
}
