/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* monitor: requests and verdicts of brokers, as they happen. */
#include "ctl/event.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "client-lib/link.h"

#define ADAPTERS_MAX 256
#define LOOK_USEC 1000000 /* between two looks at who has woken */

struct monitor;

/* A bus: watched, or asleep (source NULL). */
struct watch {
	struct monitor *monitor;
	unsigned bus;
	bool gone; /* unplugged */
	sd_event_source *source;
	bool told; /* why it is not watched */
};

struct monitor {
	sd_event *event;
	struct systemd *systemd;
	struct event_filter filter;
	bool json, named; /* named: one bus, by the person */
	struct watch *watches;
	size_t n_watches;
};

/* What is no event is told beside them. */
static void tell(const struct watch *watch, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(const struct watch *watch, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "rgbrokerctl: i2c-%u: ", watch->bus);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static bool unplugged(const struct watch *watch)
{
	struct adapter adapter;

	return adapter_find(watch->bus, &adapter) == -ENODEV;
}

static void end_if_all_are_gone(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_watches; i++)
		if (!monitor->watches[i].gone)
			return;
	sd_event_exit(monitor->event, CTL_OK);
}

static void unwatch(struct watch *watch)
{
	watch->source = sd_event_source_disable_unref(watch->source);
	watch->gone = unplugged(watch);
	if (watch->gone)
		tell(watch, "unplugged");
	else
		tell(watch, "its broker has gone to sleep, or was stopped; waiting for the next "
			    "to wake");
	end_if_all_are_gone(watch->monitor);
}

static void show(const struct watch *watch, const struct rgbroker_event *event)
{
	const struct monitor *monitor = watch->monitor;

	if (event->lost)
		tell(watch, "%u events were lost: rgbrokerctl was too slow", event->lost);
	if (!event_wanted(&monitor->filter, event))
		return;
	if (monitor->json)
		event_print_json(watch->bus, event);
	else
		event_print(watch->bus, event);
	/* Each line at once, also into a pipe. */
	fflush(stdout);
}

static int on_event(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct watch *watch = userdata;
	struct rgbroker_event event;
	ssize_t length = recv(fd, &event, sizeof(event), MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (length == (ssize_t)sizeof(event) && event.version == RGBROKER_PROTOCOL_VERSION)
		show(watch, &event);
	else
		unwatch(watch);
	return 0;
}

/* The door's descriptor becomes the event loop's. */
static int watch_begin(struct watch *watch, int timeout_ms)
{
	struct connection_reply reply;
	struct admin admin;
	int r = admin_open(&admin, watch->bus, timeout_ms);

	if (r == 0)
		r = admin_ask(&admin, RGBROKER_MONITOR, 0, &reply);
	if (r == 0)
		r = sd_event_add_io(watch->monitor->event, &watch->source, admin.descriptor,
			EPOLLIN, on_event, watch);
	if (r >= 0) {
		sd_event_source_set_io_fd_own(watch->source, true);
		watch->told = false;
		tell(watch, "watching");
		return 0;
	}
	admin_close(&admin);
	return r;
}

static int watch_try(struct watch *watch, int timeout_ms)
{
	char why[160];
	int r = watch_begin(watch, timeout_ms);

	if (r < 0 && !watch->told) {
		tell(watch, "cannot be watched: %s",
			r == -EBUSY ? "as many watch it as there may be"
				    : admin_why_not(watch->bus, r, why, sizeof(why)));
		watch->told = true;
	}
	return r;
}

/* Who has woken, and what was unplugged while it slept. To connect would wake the others. */
static void look(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_watches; i++) {
		struct watch *watch = &monitor->watches[i];
		char state[32];

		if (watch->source || watch->gone)
			continue;
		broker_state(monitor->systemd, watch->bus, state, sizeof(state));
		if (broker_awake(state)) {
			watch_try(watch, ADMIN_TIMEOUT_MS);
		} else if (unplugged(watch)) {
			watch->gone = true;
			tell(watch, "unplugged");
		}
	}
	end_if_all_are_gone(monitor);
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	look(userdata);
	sd_event_source_set_time_relative(source, LOOK_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* SIGINT and SIGTERM end it well. */
static int end_by_signals(struct monitor *monitor)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r = sd_event_add_signal(monitor->event, NULL, SIGINT, NULL, (void *)(intptr_t)CTL_OK);
	if (r >= 0)
		r = sd_event_add_signal(
			monitor->event, NULL, SIGTERM, NULL, (void *)(intptr_t)CTL_OK);
	return r;
}

static int run(struct monitor *monitor)
{
	int r = sd_event_new(&monitor->event);

	if (r >= 0)
		r = end_by_signals(monitor);
	if (r >= 0)
		r = sd_event_add_time_relative(
			monitor->event, NULL, CLOCK_MONOTONIC, LOOK_USEC, 0, on_time, monitor);
	if (r < 0) {
		fprintf(stderr, "rgbrokerctl: event loop: %s\n", strerror(-r));
		return CTL_FAILED;
	}
	/* A bus that is named is woken for it; of all buses only those awake are watched. */
	if (monitor->named)
		r = watch_try(&monitor->watches[0], WAKE_TIMEOUT_MS);
	else
		look(monitor);
	r = r < 0 ? CTL_FAILED : sd_event_loop(monitor->event);
	return r < 0 ? CTL_FAILED : r;
}

/* Before one waits for ever to be refused. */
static bool may_begin(const struct monitor *monitor)
{
	char why[160];

	if (!monitor->n_watches) {
		fprintf(stderr, "rgbrokerctl: %s\n",
			monitor->named ? "this bus is not brokered" : "no bus is brokered");
		return false;
	}
	if (admin_may(monitor->watches[0].bus))
		return true;
	tell(&monitor->watches[0], "cannot be watched: %s",
		admin_why_not(monitor->watches[0].bus, -EACCES, why, sizeof(why)));
	return false;
}

static bool parse_filter(const struct options *options, struct event_filter *ret_filter)
{
	static const char *const verdicts[] = {"allowed", "refused", "failed"};
	bool known = !options->verdict;
	uint16_t address;

	*ret_filter = (struct event_filter){
		.verdict = options->verdict, .address = -1, .own = options->own};
	for (size_t i = 0; !known && i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		known = strcmp(options->verdict, verdicts[i]) == 0;
	if (options->address) {
		if (!parse_one(options->address, ADDRESSES - 1, &address))
			return false;
		ret_filter->address = address;
	}
	if (options->pid) {
		ret_filter->pid = (pid_t)atoi(options->pid);
		if (ret_filter->pid <= 0)
			return false;
	}
	return known;
}

int verb_monitor(const struct options *options, int argc, char **argv)
{
	static struct adapter adapters[ADAPTERS_MAX];
	static struct watch watches[ADAPTERS_MAX];
	struct monitor monitor = {.json = options->json, .watches = watches};
	int count = 1, code = CTL_OK;

	if (argc > 1 || !parse_filter(options, &monitor.filter))
		return CTL_USAGE;
	if (argc == 1)
		code = find_bus(argv[0], &adapters[0]);
	else
		count = adapter_list(adapters, ADAPTERS_MAX);
	if (code != CTL_OK)
		return code;
	for (int i = 0; i < count && i < ADAPTERS_MAX; i++)
		if (adapters[i].class)
			watches[monitor.n_watches++] =
				(struct watch){.monitor = &monitor, .bus = adapters[i].number};
	monitor.named = argc == 1;
	if (!may_begin(&monitor))
		return CTL_FAILED;
	monitor.systemd = systemd_open();
	code = run(&monitor);
	systemd_close(monitor.systemd);
	return code;
}
