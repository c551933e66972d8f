/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* status: what brokers have counted, and what one of them waits for in the kernel. */
#include "ctl/admin.h"
#include "ctl/quarantine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADAPTERS_MAX 256
#define STATUS_TIMEOUT_MS 1000

/* One bus. */
struct report {
	unsigned bus;
	char state[32];
	pid_t pid;      /* of the broker; 0: none */
	int live_error; /* 0: live is known */
	struct rgbroker_live live;
	int error; /* 0: status and counts are known; -EAGAIN: asleep */
	struct rgbroker_status status;
	struct rgbroker_count *counts;
	size_t n_counts;
};

static int ask(struct report *report)
{
	struct connection_reply reply;
	struct admin admin;
	int r = admin_open(&admin, report->bus, STATUS_TIMEOUT_MS);

	if (r == 0)
		r = admin_ask(&admin, RGBROKER_STATUS, 0, &reply);
	if (r == 0 && reply.header.length != sizeof(report->status))
		r = -EPROTO;
	if (r == 0) {
		memcpy(&report->status, reply.data, sizeof(report->status));
		r = admin_ask_rows(&admin, RGBROKER_COUNTS, sizeof(*report->counts),
			&report->counts, &report->n_counts);
	}
	admin_close(&admin);
	for (size_t i = 0; i < report->n_counts; i++)
		make_printable(report->counts[i].name, sizeof(report->counts[i].name));
	return r;
}

/* The page is read last: who did not answer has been at it for that long. */
static void find(struct systemd *systemd, unsigned bus, struct report *report)
{
	*report = (struct report){.bus = bus, .error = -EAGAIN, .live_error = -ENOENT};
	broker_state(systemd, bus, report->state, sizeof(report->state));
	report->pid = broker_pid(systemd, bus);
	if (broker_awake(report->state))
		report->error = ask(report);
	if (report->pid > 0)
		report->live_error = live_read(report->pid, &report->live);
}

/* Seconds for which the bus has been at one transfer; 0: it is not, or nobody knows. */
static double seconds(const struct report *report)
{
	return report->live_error ? 0 : live_seconds(&report->live);
}

static bool hangs(const struct report *report)
{
	return seconds(report) > RGBROKER_HANGS_SECONDS;
}

static int code_of(const struct report *report)
{
	if (hangs(report) || (!report->error && quarantine_is_on(&report->status)))
		return CTL_REFUSED;
	return report->error && report->error != -EAGAIN ? CTL_FAILED : CTL_OK;
}

/* --- counts --- */

static const char *const kinds[] = {
	[RGBROKER_COUNT_DOOR] = "door",
	[RGBROKER_COUNT_DEVICE] = "device",
	[RGBROKER_COUNT_REASON] = "refused",
	[RGBROKER_COUNT_ERROR] = "failed",
};

/* Reasons and errnos come as numbers. */
static const char *count_name(const struct rgbroker_count *count)
{
	int number = atoi(count->name);
	const char *name;

	if (count->what == RGBROKER_COUNT_REASON)
		return reason_name((uint16_t)number);
	if (count->what != RGBROKER_COUNT_ERROR)
		return count->name;
	name = number ? strerrorname_np(number) : "others";
	return name ? name : count->name;
}

static void print_count(const struct rgbroker_count *count)
{
	printf("  %-8s %-28s ", kinds[count->what], count_name(count));
	if (count->what == RGBROKER_COUNT_REASON)
		printf("%10llu\n", (unsigned long long)count->refused);
	else if (count->what == RGBROKER_COUNT_ERROR)
		printf("%10llu\n", (unsigned long long)count->allowed);
	else
		printf("%10llu allowed %10llu refused\n", (unsigned long long)count->allowed,
			(unsigned long long)count->refused);
}

static bool count_known(const struct rgbroker_count *count)
{
	return count->what < sizeof(kinds) / sizeof(kinds[0]);
}

static json_object *counts_json(const struct report *report)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < report->n_counts; i++) {
		const struct rgbroker_count *count = &report->counts[i];
		json_object *object;

		if (!count_known(count))
			continue;
		object = json_object_new_object();
		add_text(object, "of", kinds[count->what]);
		add_text(object, "name", count_name(count));
		if (count->what != RGBROKER_COUNT_REASON)
			add_number(object,
				count->what == RGBROKER_COUNT_ERROR ? "failed" : "allowed",
				count->allowed);
		if (count->what != RGBROKER_COUNT_ERROR)
			add_number(object, "refused", count->refused);
		json_object_array_add(array, object);
	}
	return array;
}

/* --- one bus --- */

static void print_live(const struct report *report)
{
	const struct rgbroker_live *live = &report->live;
	char operation[96], who[192];

	printf("  %s: has been in the kernel for %.1f s: %s, for %s\n",
		hangs(report) ? "hangs" : "at work", seconds(report),
		operation_text(&live->operation, operation, sizeof(operation)),
		process_text(live->pid, who, sizeof(who)));
}

static void print_status(const struct rgbroker_status *status)
{
	printf("  %llu requests, %llu refused, %llu failed; %llu operations carried out\n"
	       "  by itself: %llu reads, %llu pointers set again; %u clients now, %llu had to go "
	       "for others\n",
		(unsigned long long)status->requests, (unsigned long long)status->refused,
		(unsigned long long)status->failed, (unsigned long long)status->operations,
		(unsigned long long)status->own_reads, (unsigned long long)status->pointer_set,
		status->clients, (unsigned long long)status->evicted);
}

static void print_report(const struct report *report)
{
	char why[160];

	printf("i2c-%u: %s%s\n", report->bus, report->state,
		strcmp(report->state, "asleep") == 0 ? "; counting begins when it wakes" : "");
	if (seconds(report) > 0)
		print_live(report);
	if (report->error && report->error != -EAGAIN)
		printf("  not told: %s\n", hangs(report) ? "it answers when the kernel lets it go"
							 : admin_why_not(report->bus, report->error,
								   why, sizeof(why)));
	if (report->error)
		return;
	print_status(&report->status);
	quarantine_print(&report->status);
	for (size_t i = 0; i < report->n_counts; i++)
		if (count_known(&report->counts[i]))
			print_count(&report->counts[i]);
}

static json_object *live_json(const struct report *report)
{
	json_object *object = json_object_new_object();
	char operation[96];

	json_object_object_add(object, "seconds", json_object_new_double(seconds(report)));
	add_text(object, "operation",
		operation_text(&report->live.operation, operation, sizeof(operation)));
	add_process(object, report->live.pid, report->live.uid);
	return object;
}

static json_object *to_json(const struct report *report)
{
	const struct rgbroker_status *status = &report->status;
	json_object *object = json_object_new_object();

	add_number(object, "bus", report->bus);
	add_text(object, "broker", report->state);
	json_object_object_add(object, "hangs", json_object_new_boolean(hangs(report)));
	json_object_object_add(object, "in_kernel", seconds(report) > 0 ? live_json(report) : NULL);
	if (report->error) {
		char why[160];

		if (report->error != -EAGAIN)
			add_text(object, "not_told",
				admin_why_not(report->bus, report->error, why, sizeof(why)));
		return object;
	}
	add_number(object, "requests", status->requests);
	add_number(object, "operations", status->operations);
	add_number(object, "refused", status->refused);
	add_number(object, "failed", status->failed);
	add_number(object, "own_reads", status->own_reads);
	add_number(object, "pointers_set", status->pointer_set);
	add_number(object, "clients", status->clients);
	add_number(object, "evicted", status->evicted);
	json_object_object_add(object, "quarantine", quarantine_json(status));
	json_object_object_add(object, "counts", counts_json(report));
	return object;
}

/* all: NULL unless JSON is wanted. */
static int tell_one(struct systemd *systemd, unsigned bus, json_object *all)
{
	struct report report;
	int code;

	find(systemd, bus, &report);
	if (all)
		json_object_array_add(all, to_json(&report));
	else
		print_report(&report);
	code = code_of(&report);
	free(report.counts);
	return code;
}

/* What hangs is worse than what cannot be asked. */
static int worse(int a, int b)
{
	if (a == CTL_REFUSED || b == CTL_REFUSED)
		return CTL_REFUSED;
	return a == CTL_OK ? b : a;
}

int verb_status(const struct options *options, int argc, char **argv)
{
	static struct adapter adapters[ADAPTERS_MAX];
	struct systemd *systemd;
	json_object *all;
	int count = 1, code = CTL_OK;

	if (argc > 1)
		return CTL_USAGE;
	if (argc == 1)
		code = find_bus(argv[0], &adapters[0]);
	else
		count = adapter_list(adapters, ADAPTERS_MAX);
	if (code != CTL_OK)
		return code;
	if (count < 0) {
		fprintf(stderr, "rgbrokerctl: udev cannot be asked: %s\n", strerror(-count));
		return CTL_FAILED;
	}
	systemd = systemd_open();
	all = options->json ? json_object_new_array() : NULL;
	for (int i = 0; i < count && i < ADAPTERS_MAX; i++)
		if (adapters[i].class)
			code = worse(code, tell_one(systemd, adapters[i].number, all));
	systemd_close(systemd);
	if (all)
		print_json(all);
	return code;
}
