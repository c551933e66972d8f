/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What `systemctl status` says of a broker. It is told a moment after something has changed, and
 * then at most once a second, by a timer that runs only meanwhile: requests that are carried out
 * cost nothing, and a broker that nobody asks does not wake.
 *
 * While a transfer hangs nothing can be told from here, as the one thread there is hangs with it;
 * `rgbrokerctl status` knows (see live_begin()). Here it is told when it is over.
 */
#include "broker/broker.h"
#include "broker/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SETTLE_USEC (100 * 1000) /* who comes, asks once and goes has gone again by then */
#define INTERVAL_USEC (1000 * 1000)
#define PREFIX "STATUS="

/* A text in the making; what does not fit is left out. */
struct text {
	char *at;
	size_t room;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->at, text->room, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= text->room)
		return;
	text->at += length;
	text->room -= (size_t)length;
}

/* A moment of CLOCK_MONOTONIC as people tell it, in local time. */
static void add_time(struct text *text, const struct broker *broker, uint64_t usec)
{
	uint64_t now, realtime;
	struct tm local;
	char when[32];
	time_t moment;

	sd_event_now(broker->event, CLOCK_MONOTONIC, &now);
	sd_event_now(broker->event, CLOCK_REALTIME, &realtime);
	moment = (time_t)((realtime - (now - usec)) / 1000000);
	if (localtime_r(&moment, &local) && strftime(when, sizeof(when), "%F %T", &local) > 0)
		add(text, "%s", when);
}

static void add_quarantine(struct text *text, const struct broker *broker)
{
	const struct quarantine *quarantine = &broker->quarantine;
	unsigned chips = quarantine->active;
	unsigned at = 0;

	if (quarantine->of[QUARANTINE_BUS].since_usec) {
		add(text, "; in quarantine since ");
		add_time(text, broker, quarantine->of[QUARANTINE_BUS].since_usec);
		chips--;
	}
	if (!chips)
		return;
	while (!quarantine->of[at].since_usec)
		at++;
	add(text, "; chip 0x%02x in quarantine since ", at);
	add_time(text, broker, quarantine->of[at].since_usec);
	if (chips > 1)
		add(text, ", and %u more", chips - 1);
}

/* The name is the driver's, and a line break would begin another message to systemd, who takes
 * UTF-8 only. */
static void add_bus(struct text *text, const struct adapter *adapter)
{
	char *name = text->at;

	add(text, "i2c-%u (%s): ", adapter->number, adapter->name);
	for (; *name; name++)
		if (*name < ' ' || *name > '~')
			*name = '?';
}

static void summarise(const struct broker *broker, char *buffer, size_t size)
{
	const struct summary *summary = &broker->summary;
	struct text text = {buffer, size};

	add(&text, PREFIX);
	add_bus(&text, &broker->policy.adapter);
	add(&text, "%u client%s, %llu refused", broker->status.clients,
		broker->status.clients == 1 ? "" : "s", (unsigned long long)broker->status.refused);
	add_quarantine(&text, broker);
	if (summary->hung_usec) {
		add(&text, "; hung for %.1f s until ", (double)summary->hung_usec / 1e6);
		add_time(&text, broker, summary->hung_until_usec);
	}
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *broker = userdata;
	struct summary *summary = &broker->summary;
	char text[sizeof(summary->text)] = "";

	summarise(broker, text, sizeof(text));
	if (strcmp(text, summary->text) == 0)
		return 0;
	summary->told_usec = usec;
	if (notify_at_once(text))
		strcpy(summary->text, text);
	else
		summary_changed(broker);
	return 0;
}

void summary_changed(struct broker *broker)
{
	struct summary *summary = &broker->summary;
	uint64_t now = 0, due;

	if (!summary->timer || broker->stopping ||
		sd_event_source_get_enabled(summary->timer, NULL) > 0)
		return;
	sd_event_now(broker->event, CLOCK_MONOTONIC, &now);
	due = now + SETTLE_USEC;
	if (summary->told_usec && due < summary->told_usec + INTERVAL_USEC)
		due = summary->told_usec + INTERVAL_USEC;
	sd_event_source_set_time(summary->timer, due);
	sd_event_source_set_enabled(summary->timer, SD_EVENT_ONESHOT);
}

void summary_transfer_took(struct broker *broker, uint64_t usec)
{
	if (usec < RGBROKER_HANGS_SECONDS * UINT64_C(1000000))
		return;
	broker->summary.hung_usec = usec;
	broker->summary.hung_until_usec = broker->pace.ended_usec;
	summary_changed(broker);
}

int summary_begin(struct broker *broker)
{
	struct summary *summary = &broker->summary;
	int r = sd_event_add_time_relative(
		broker->event, &summary->timer, CLOCK_MONOTONIC, SETTLE_USEC, 0, on_time, broker);

	if (r < 0)
		return r;
	/* Reads the file of the time zone, and later the sandbox would not let it. */
	tzset();
	summarise(broker, summary->text, sizeof(summary->text));
	return sd_event_source_set_enabled(summary->timer, SD_EVENT_OFF);
}

void summary_ready(const struct broker *broker)
{
	char text[sizeof(broker->summary.text) + 16];

	snprintf(text, sizeof(text), "READY=1\n%s", broker->summary.text);
	notify(text);
}

void summary_end(const struct broker *broker, const char *why)
{
	char buffer[sizeof(broker->summary.text) + 128];
	struct text text = {buffer, sizeof(buffer)};

	add(&text, "STOPPING=1\n" PREFIX);
	add_bus(&text, &broker->policy.adapter);
	add(&text, "%s; %llu refused", why, (unsigned long long)broker->status.refused);
	notify_at_once(buffer);
}
