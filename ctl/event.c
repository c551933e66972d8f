/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One event of a broker: as a line for a person, or as one for a program. */
#include "ctl/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *event_verdict(const struct rgbroker_event *event)
{
	if (event->reason == RGBROKER_REASON_NONE)
		return "allowed";
	return event->reason == RGBROKER_REASON_BUS ? "failed" : "refused";
}

bool event_wanted(const struct event_filter *filter, const struct rgbroker_event *event)
{
	if (event->own && !filter->own)
		return false;
	if (filter->verdict && strcmp(filter->verdict, event_verdict(event)) != 0)
		return false;
	if (filter->address >= 0 && filter->address != event->operation.address)
		return false;
	return filter->pid == 0 || filter->pid == event->pid;
}

static void data_text(const struct rgbroker_event *event, char *buffer, size_t size)
{
	size_t length = event->length;

	buffer[0] = '\0';
	if (length > sizeof(event->data))
		length = sizeof(event->data);
	for (size_t i = 0, used = 0; i < length && used + 4 < size; i++)
		used += (size_t)snprintf(
			buffer + used, size - used, "%s%02x", i ? " " : "", event->data[i]);
}

static void print_time(uint64_t realtime)
{
	time_t seconds = (time_t)(realtime / 1000000);
	struct tm local;
	char text[16] = "--:--:--"; /* no time that there is */

	if (localtime_r(&seconds, &local))
		strftime(text, sizeof(text), "%H:%M:%S", &local);
	printf("%s.%03u", text, (unsigned)(realtime / 1000 % 1000));
}

/* A broker's words may not be what they should. */
static struct rgbroker_event printable(const struct rgbroker_event *event)
{
	struct rgbroker_event copy = *event;

	make_printable(copy.door, sizeof(copy.door));
	make_printable(copy.device, sizeof(copy.device));
	return copy;
}

void event_print(unsigned bus, const struct rgbroker_event *told)
{
	const struct rgbroker_event copy = printable(told), *event = &copy;
	char operation[96], data[128], who[192], error[16];

	print_time(event->realtime);
	data_text(event, data, sizeof(data));
	printf(" i2c-%u %s%s %s%s%s", bus, event->own ? "own " : "", event_verdict(event),
		operation_text(&event->operation, operation, sizeof(operation)),
		data[0] ? ": " : "", data);
	if (event->operation.length > sizeof(event->data))
		printf(" ... (%u bytes)", event->operation.length);
	if (event->count > 1)
		printf(" (%u of %u)", event->index + 1U, event->count);
	if (event->reason == RGBROKER_REASON_BUS)
		printf(", %s", error_name(event->result, error, sizeof(error)));
	else if (event->reason != RGBROKER_REASON_NONE)
		printf(", %s", reason_name(event->reason));
	printf(", %s%s%s, uid %u, door %s\n", process_text(event->pid, who, sizeof(who)),
		event->device[0] ? ", " : "", event->device, event->uid, event->door);
}

void event_print_json(unsigned bus, const struct rgbroker_event *told)
{
	const struct rgbroker_event copy = printable(told), *event = &copy;
	json_object *object = json_object_new_object();
	char text[128];

	add_number(object, "bus", bus);
	add_number(object, "realtime_usec", event->realtime);
	add_text(object, "verdict", event_verdict(event));
	add_text(object, "reason", reason_name(event->reason));
	if (event->result)
		add_text(object, "error", error_name(event->result, text, sizeof(text)));
	add_text(object, "operation", operation_text(&event->operation, text, sizeof(text)));
	add_address(object, event->operation.address);
	data_text(event, text, sizeof(text));
	add_text(object, "data", text);
	add_number(object, "length", event->operation.length);
	add_number(object, "index", event->index);
	add_number(object, "count", event->count);
	add_number(object, "context", event->context);
	json_object_object_add(object, "own", json_object_new_boolean(event->own));
	add_process(object, event->pid, event->uid);
	add_text(object, "door", event->door);
	add_text(object, "device", event->device);
	add_number(object, "lost_before", event->lost);
	puts(json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
