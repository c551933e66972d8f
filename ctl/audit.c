/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* audit: every way to a bus that is open beside its broker, and how to close it. */
#include "ctl/audit.h"
#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const severity_names[] = {"note", "advice", "finding"};

__attribute__((format(printf, 1, 0))) static json_object *format_text(
	const char *format, va_list arguments)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, arguments);
	return json_object_new_string(text);
}

void audit_text(json_object *entry, const char *key, const char *value)
{
	json_object_object_add(entry, key, json_object_new_string(value));
}

void audit_number(json_object *entry, const char *key, int64_t value)
{
	json_object_object_add(entry, key, json_object_new_int64(value));
}

json_object *audit_add(struct audit *audit, const struct entry *entry, const char *format, ...)
{
	json_object *object = json_object_new_object();
	char bus[16];
	va_list arguments;

	audit->count[entry->severity]++;
	audit_text(object, "severity", severity_names[entry->severity]);
	audit_text(object, "kind", entry->kind);
	if (entry->adapter) {
		snprintf(bus, sizeof(bus), "i2c-%u", entry->adapter->number);
		audit_text(object, "bus", bus);
	}
	if (entry->path)
		audit_text(object, "path", entry->path);
	va_start(arguments, format);
	json_object_object_add(object, "what", format_text(format, arguments));
	va_end(arguments);
	json_object_array_add(audit->entries, object);
	return object;
}

void audit_close(json_object *entry, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	json_object_object_add(entry, "close", format_text(format, arguments));
	va_end(arguments);
}

void audit_unseen(struct audit *audit, const char *format, ...)
{
	json_object *text;
	va_list arguments;

	va_start(arguments, format);
	text = format_text(format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < json_object_array_length(audit->unseen); i++) {
		if (json_object_equal(json_object_array_get_idx(audit->unseen, i), text)) {
			json_object_put(text);
			return;
		}
	}
	json_object_array_add(audit->unseen, text);
}

bool audit_locked(const struct adapter *adapter)
{
	return adapter->class == BUS_SMBUS || adapter->class == BUS_CUSTOM;
}

void audit_node_path(const struct adapter *adapter, char *buffer, size_t size)
{
	snprintf(buffer, size, "/dev/i2c-%u", adapter->number);
}

static const char *field(json_object *entry, const char *key)
{
	json_object *value = NULL;

	return json_object_object_get_ex(entry, key, &value) ? json_object_get_string(value) : NULL;
}

/* Entries of one bus, or with NULL those of none; the heading only if there are any. */
static void print_group(const struct audit *audit, const char *bus, const char *heading)
{
	bool headed = false;

	for (size_t i = 0; i < json_object_array_length(audit->entries); i++) {
		json_object *entry = json_object_array_get_idx(audit->entries, i);
		const char *its_bus = field(entry, "bus"), *close = field(entry, "close");

		if (bus ? !its_bus || strcmp(bus, its_bus) != 0 : its_bus != NULL)
			continue;
		if (!headed)
			printf("%s\n", heading);
		headed = true;
		printf("  %-8s %s\n", field(entry, "severity"), field(entry, "what"));
		if (close)
			printf("           close: %s\n", close);
	}
	if (headed)
		printf("\n");
}

/* The system first: what is closed there would else open the nodes again. */
static void print_text(const struct audit *audit)
{
	unsigned notes = audit->count[NOTE] + audit->count[ADVICE];

	print_group(audit, NULL, "the system");
	for (size_t i = 0; i < audit->n_adapters; i++) {
		const struct adapter *adapter = &audit->adapters[i];
		char bus[16], heading[128];

		snprintf(bus, sizeof(bus), "i2c-%u", adapter->number);
		snprintf(heading, sizeof(heading), "%s (%s, %s)", bus,
			bus_class_name(adapter->class), adapter->name);
		print_group(audit, bus, heading);
	}
	for (size_t i = 0; i < json_object_array_length(audit->unseen); i++)
		printf("not seen: %s\n",
			json_object_get_string(json_object_array_get_idx(audit->unseen, i)));
	printf("%u finding%s, %u note%s\n", audit->count[FINDING],
		audit->count[FINDING] == 1 ? "" : "s", notes, notes == 1 ? "" : "s");
}

static void print_object(const struct audit *audit)
{
	json_object *object = json_object_new_object();

	audit_number(object, "findings", audit->count[FINDING]);
	audit_number(object, "advice", audit->count[ADVICE]);
	audit_number(object, "notes", audit->count[NOTE]);
	json_object_object_add(object, "entries", json_object_get(audit->entries));
	json_object_object_add(object, "unseen", json_object_get(audit->unseen));
	print_json(object);
}

static int begin(struct audit *audit)
{
	int count = adapter_list(audit->adapters, AUDIT_ADAPTERS_MAX);

	audit->udev = udev_new();
	if (count < 0 || !audit->udev) {
		fprintf(stderr, "rgbrokerctl: udev cannot be asked: %s\n",
			strerror(count < 0 ? -count : ENOMEM));
		return CTL_FAILED;
	}
	audit->n_adapters = count < AUDIT_ADAPTERS_MAX ? (size_t)count : AUDIT_ADAPTERS_MAX;
	audit->entries = json_object_new_array();
	audit->unseen = json_object_new_array();
	if (sd_bus_open_system(&audit->systemd) < 0)
		audit_unseen(audit, "what systemd knows of units (its bus does not answer)");
	return CTL_OK;
}

static void end(struct audit *audit)
{
	sd_bus_flush_close_unref(audit->systemd);
	json_object_put(audit->entries);
	json_object_put(audit->unseen);
	udev_unref(audit->udev);
}

int verb_audit(const struct options *options, int argc, char **argv)
{
	/* In the order in which the ways are to be closed: causes before what they have done. */
	static void (*const parts[])(struct audit * audit) = {audit_rules, audit_units,
		audit_holders, audit_nodes, audit_doors, audit_groups, audit_spd};
	static struct audit audit;
	int code = argc ? CTL_USAGE : begin(&audit);

	if (code == CTL_USAGE)
		return code;
	for (size_t i = 0; code == CTL_OK && i < sizeof(parts) / sizeof(parts[0]); i++)
		parts[i](&audit);
	if (code == CTL_OK) {
		if (options->json)
			print_object(&audit);
		else
			print_text(&audit);
		if (audit.count[FINDING])
			code = CTL_REFUSED;
		else if (json_object_array_length(audit.unseen))
			code = CTL_FAILED;
	}
	end(&audit);
	return code;
}
