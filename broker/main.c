/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rgbrokerd: one process for one I2C bus, started by systemd when somebody connects. */
#include "broker/broker.h"
#include "broker/notify.h"
#include "broker/sandbox.h"
#include "policy/config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define USAGE "usage: rgbrokerd --bus N [--idle SECONDS] [--config FOLDER]... (started by systemd)"

#define IDLE_SECONDS 30
#define IDLE_MAX 86400
#define FOLDERS_MAX 8
#define PEER_LINES_BURST 20 /* journal lines in 10 s */
#define PEER_LINES_USEC (10 * 1000 * 1000)
#define USEC_PER_SECOND UINT64_C(1000000)

struct options {
	unsigned bus, idle;
	const char *folders[FOLDERS_MAX + 1];
	unsigned n_folders;
};

static bool parse_number(const char *text, unsigned max, unsigned *ret_value)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	/* strtoul would take signs and blanks */
	if (errno || *text < '0' || *text > '9' || *end || value > max)
		return false;
	*ret_value = (unsigned)value;
	return true;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {{"bus", required_argument, NULL, 'b'},
		{"idle", required_argument, NULL, 'i'}, {"config", required_argument, NULL, 'c'},
		{0}};
	bool bus = false, good = true;

	for (int option; good && (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		if (option == 'b')
			good = bus = parse_number(optarg, 0xffff, &options->bus);
		else if (option == 'i')
			good = parse_number(optarg, IDLE_MAX, &options->idle);
		else if (option == 'c' && options->n_folders < FOLDERS_MAX)
			options->folders[options->n_folders++] = optarg;
		else
			good = false;
	}
	return good && bus && optind == argc;
}

/* CONFIG_FILE= and CONFIG_LINE= are what systemd calls them in lines about units. */
static void tell_problem(void *userdata, const char *file, int line, const char *why)
{
	char file_field[320], line_field[32];
	const char *fields[] = {LOG_ID_FILE_LEFT_OUT, file_field, line ? line_field : NULL, NULL};

	snprintf(file_field, sizeof(file_field), "CONFIG_FILE=%s", file);
	snprintf(line_field, sizeof(line_field), "CONFIG_LINE=%d", line);
	if (line)
		log_line(LOG_ERR, fields, "%s:%d: %s; this file is left out", file, line, why);
	else
		log_line(LOG_ERR, fields, "%s: %s; this file is left out", file, why);
}

static int load(struct broker *broker, const struct options *options)
{
	struct adapter adapter = {.number = options->bus};
	int r = adapter_find(options->bus, &adapter);

	if (r < 0)
		log_line(LOG_WARNING, NULL, "i2c-%u: udev does not know it: %s", options->bus,
			strerror(-r));
	if (adapter.class == BUS_NONE)
		log_line(LOG_WARNING, NULL,
			"i2c-%u has no class (RGBROKER_CLASS, see 72-rgbroker.rules): nothing is "
			"allowed",
			options->bus);
	r = policy_load(&broker->policy, &adapter, options->n_folders ? options->folders : NULL,
		tell_problem, NULL);
	if (r < 0)
		log_line(LOG_ERR, NULL,
			"a folder of device or door files cannot be read, and may hold what "
			"restricts: %s",
			strerror(-r));
	return r;
}

/*
 * The node itself may have been passed open: named "bus" (OpenFile=), or as standard input
 * (StandardInput=file:). Else it is opened.
 */
static int take_bus(struct broker *broker, int fd)
{
	unsigned number = broker->policy.adapter.number;
	int r;

	if (fd < 0 && bus_adapter(STDIN_FILENO) >= 0)
		fd = STDIN_FILENO;
	if (fd >= 0 && bus_adapter(fd) != (int)number) {
		log_line(LOG_ERR, NULL,
			"descriptor %d was passed as the bus, but is not /dev/i2c-%u", fd, number);
		return -ENXIO;
	}
	r = bus_open(&broker->bus, number, fd);
	if (r < 0)
		log_line(LOG_ERR, NULL, "/dev/i2c-%u: %s", number, strerror(-r));
	return r;
}

/* The sockets of systemd are doors. */
static int take_descriptors(struct broker *broker)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names), bus_fd = -1, r = 0;

	for (int i = 0; i < count && r >= 0; i++) {
		if (strcmp(names[i], "bus") == 0 && bus_fd < 0)
			bus_fd = SD_LISTEN_FDS_START + i;
		else
			r = door_open(broker, SD_LISTEN_FDS_START + i, names[i]);
	}
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	if (r >= 0 && !broker->n_listeners) {
		log_line(LOG_ERR, NULL, "no listening socket was passed: start rgbroker@%u.socket",
			broker->policy.adapter.number);
		return -ENOTCONN;
	}
	return r < 0 ? r : take_bus(broker, bus_fd);
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct broker *broker = userdata;
	uint64_t due = broker->last_request_usec + broker->idle_usec;

	if (due <= usec) {
		broker_drain(broker, "nobody asked for a while: going to sleep");
		return 0;
	}
	sd_event_source_set_time(source, due);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_stop(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	broker_drain(userdata, "told to stop");
	return 0;
}

/*
 * Before every client that is ready: else a stop would wait for all of their batches. A descriptor
 * of our own, not sd-event's, as it is looked at within a batch, too.
 */
static int watch_stop(struct broker *broker, const sigset_t *signals)
{
	sd_event_source *source;
	int r;

	broker->stop_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (broker->stop_fd < 0)
		return -errno;
	r = sd_event_add_io(broker->event, &source, broker->stop_fd, EPOLLIN, on_stop, broker);
	if (r >= 0)
		r = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT);
	if (r >= 0)
		r = sd_event_source_set_floating(source, true);
	return r;
}

static int start_loop(struct broker *broker, const sigset_t *stop)
{
	int r = sd_event_now(broker->event, CLOCK_MONOTONIC, &broker->last_request_usec);

	if (r >= 0)
		r = watch_stop(broker, stop);
	if (r >= 0)
		r = summary_begin(broker);
	if (r >= 0 && broker->idle_usec)
		r = sd_event_add_time_relative(broker->event, &broker->idle, CLOCK_MONOTONIC,
			broker->idle_usec, 0, on_idle, broker);
	if (r < 0)
		log_line(LOG_ERR, NULL, "signals and timers of the event loop: %s", strerror(-r));
	return r;
}

static int on_never(sd_event_source *source, uint64_t usec, void *userdata)
{
	return 0;
}

/*
 * An event loop that has waited for a timer once: the first time libsystemd opens a file, and later
 * the sandbox would not let it.
 */
static int new_loop(struct broker *broker)
{
	sd_event_source *timer = NULL;
	int r = sd_event_new(&broker->event);

	if (r >= 0)
		r = sd_event_add_time_relative(broker->event, &timer, CLOCK_MONOTONIC,
			IDLE_MAX * USEC_PER_SECOND, 0, on_never, NULL);
	if (r >= 0)
		r = sd_event_prepare(broker->event);
	if (r >= 0)
		r = sd_event_wait(broker->event, 0);
	sd_event_source_disable_unref(timer);
	return r;
}

static int run(struct broker *broker, const struct options *options, const sigset_t *stop)
{
	int r = new_loop(broker);

	if (r < 0)
		log_line(LOG_ERR, NULL, "event loop: %s", strerror(-r));
	if (r >= 0)
		r = sandbox_prepare();
	if (r >= 0)
		r = load(broker, options);
	if (r >= 0)
		r = take_descriptors(broker);
	if (r >= 0)
		r = start_loop(broker, stop);
	if (r < 0)
		return r;
	live_open(broker);
	log_line(LOG_INFO, NULL, "i2c-%u (%s): class %s, %zu device families, %zu doors",
		broker->policy.adapter.number, broker->policy.adapter.name,
		bus_class_name(broker->policy.adapter.class), broker->policy.n_devices,
		broker->n_listeners);
	r = sandbox_enter();
	if (r < 0)
		return r;
	summary_ready(broker);
	return sd_event_loop(broker->event);
}

int main(int argc, char **argv)
{
	static struct broker broker = {.bus.fd = -1,
		.peer_lines = {.interval_usec = PEER_LINES_USEC, .burst = PEER_LINES_BURST}};
	struct options options = {.idle = IDLE_SECONDS};
	sigset_t stop;
	int r;

	opterr = 0;
	if (!parse_options(argc, argv, &options)) {
		fprintf(stderr, "%s\n", USAGE);
		return 2;
	}
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	log_open(options.bus);
	notify_open();
	broker.quarantine.number = options.bus;
	broker.idle_usec = options.idle * USEC_PER_SECOND;
	r = run(&broker, &options, &stop); /* has told what failed */
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
