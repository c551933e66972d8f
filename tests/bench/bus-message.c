/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same read as a method call through a message bus, as services of this kind usually have it: a
 * dbus-daemon of its own, a minimal sd-bus service behind it, and the bus read by the same code.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define SERVICE "org.example.Bench"
#define OBJECT "/org/example/Bench"

static const char configuration[] =
	"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
	" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
	"<busconfig><listen>unix:path=%s</listen><auth>EXTERNAL</auth>"
	"<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
	"<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n";

static pid_t daemon_pid, service;
static char socket_path[96], config_path[96];
static sd_bus *client;

static void must(int r, const char *what)
{
	if (r < 0)
		give_up("message bus: %s: %s", what, strerror(-r));
}

static void write_configuration(void)
{
	FILE *file;

	snprintf(socket_path, sizeof(socket_path), "%s/bus", bench.directory);
	snprintf(config_path, sizeof(config_path), "%s/bus.conf", bench.directory);
	file = fopen(config_path, "we");
	if (!file || fprintf(file, configuration, socket_path) < 0 || fclose(file) != 0)
		give_up("%s: %m", config_path);
}

static void start_daemon(void)
{
	char option[128];

	write_configuration();
	snprintf(option, sizeof(option), "--config-file=%s", config_path);
	daemon_pid = fork_child();
	if (daemon_pid == 0) {
		/* As root without all rights it complains that it may not have more descriptors. */
		if (!freopen("/dev/null", "w", stderr))
			_exit(127);
		execlp("dbus-daemon", "dbus-daemon", option, "--nofork", "--nopidfile", NULL);
		_exit(127);
	}
	for (unsigned waited = 0; access(socket_path, F_OK) < 0; waited++) {
		if (waited > PATIENCE_MSEC || waitpid(daemon_pid, NULL, WNOHANG) != 0)
			give_up("dbus-daemon does not start (package dbus-daemon)");
		usleep(1000);
	}
}

static sd_bus *connect_bus(void)
{
	char address[128];
	sd_bus *bus;

	snprintf(address, sizeof(address), "unix:path=%s", socket_path);
	must(sd_bus_new(&bus), "new");
	must(sd_bus_set_address(bus, address), "address");
	must(sd_bus_set_bus_client(bus, true), "client");
	must(sd_bus_start(bus), "start");
	return bus;
}

static int on_read(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
	uint8_t address, command;
	int r = sd_bus_message_read(message, "yy", &address, &command);

	if (r < 0 || address != BENCH_CHIP || command != BENCH_COMMAND)
		return -EINVAL;
	return sd_bus_reply_method_return(message, "y", direct_read());
}

static const sd_bus_vtable vtable[] = {SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("ReadByteData", "yy", "y", on_read, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END};

static void serve(int ready)
{
	sd_bus *bus = connect_bus();
	sd_event *event;

	must(sd_bus_add_object_vtable(bus, NULL, OBJECT, SERVICE, vtable, NULL), "object");
	must(sd_bus_request_name(bus, SERVICE, 0), "name");
	must(sd_event_new(&event), "event loop");
	must(sd_bus_attach_event(bus, event, 0), "event loop");
	if (write(ready, "", 1) != 1)
		give_up("message bus: %m");
	sd_event_loop(event);
	_exit(0);
}

void bus_message_open(void)
{
	int ready[2];
	char byte;

	start_daemon();
	if (pipe(ready) < 0)
		give_up("pipe: %m");
	service = fork_child();
	if (service == 0)
		serve(ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		give_up("the service behind the message bus does not start");
	close(ready[0]);
	client = connect_bus();
}

uint64_t bus_message_run(unsigned count)
{
	uint64_t began = now_nsec();

	while (count-- > 0) {
		sd_bus_message *reply;
		uint8_t value;

		must(sd_bus_call_method(client, SERVICE, OBJECT, SERVICE, "ReadByteData", NULL,
			     &reply, "yy", BENCH_CHIP, BENCH_COMMAND),
			"call");
		must(sd_bus_message_read(reply, "y", &value), "reply");
		sd_bus_message_unref(reply);
		if (value != BENCH_VALUE)
			give_up("message bus: read %d", value);
	}
	return now_nsec() - began;
}

void bus_message_close(void)
{
	sd_bus_unref(client);
	end_child(service);
	end_child(daemon_pid);
	unlink(socket_path);
	unlink(config_path);
}
