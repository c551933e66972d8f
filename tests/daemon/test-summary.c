/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd is told for `systemctl status`, when, and that it costs nothing else. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/inspect.h"
#include "tests/daemon/ring.h"

#define BEGINS "STATUS=i2c-7 (simulated): "

/* The next notification; static buffer. */
static const char *next(const struct ring *ring)
{
	static char text[1024];
	struct pollfd wait = {.fd = ring->notify_fd, .events = POLLIN};
	ssize_t size;

	assert_int_equal(poll(&wait, 1, PATIENCE_MSEC), 1);
	size = recv(ring->notify_fd, text, sizeof(text) - 1, 0);
	assert_true(size > 0);
	text[size] = '\0';
	return text;
}

static bool more(const struct ring *ring)
{
	struct pollfd ready = {.fd = ring->notify_fd, .events = POLLIN};

	return poll(&ready, 1, 0) == 1;
}

/* Notifications up to that very one, which comes after others if the machine is slow. */
static void until(const struct ring *ring, const char *wanted)
{
	while (strcmp(next(ring), wanted) != 0)
		;
}

static void refused(int fd)
{
	struct batch batch = batch_write(1, 0x50, 0, 0);

	assert_answer(peer_ask(fd, &batch), RGBROKER_REASON_FLOOR, -EACCES);
}

static void spawn(struct ring *ring)
{
	const char *argv[] = {NULL, "--bus", "7", "--idle", "0", "--config", ring->config, NULL};

	ring_spawn(ring, argv);
}

static void test_beginning_and_end(void **state)
{
	struct ring *ring = *state;
	int fd;

	spawn(ring);
	assert_string_equal(next(ring), "READY=1\n" BEGINS "0 clients, 0 refused");
	fd = peer_connect(ring, "rgb");
	refused(fd);
	until(ring, BEGINS "1 client, 1 refused");
	refused(fd);
	assert_int_equal(ring_stop(ring), 0);
	assert_string_equal(next(ring), "STOPPING=1\n" BEGINS "told to stop; 2 refused");
	close(fd);
}

static void test_clients_and_refusals(void **state)
{
	struct ring *ring = *state;
	int fds[3];

	for (unsigned i = 0; i < 3; i++)
		fds[i] = peer_connect(ring, i == 2 ? "admin" : "rgb");
	until(ring, BEGINS "3 clients, 0 refused");
	refused(fds[0]);
	refused(fds[1]);
	until(ring, BEGINS "3 clients, 2 refused");
	close(fds[0]);
	close(fds[1]);
	until(ring, BEGINS "1 client, 2 refused");
	close(fds[2]);
	until(ring, BEGINS "0 clients, 2 refused");
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* However many refusals; counted against the time they took, whatever that was. */
static void test_once_a_second(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	double began = now();
	unsigned told = 0, count = 0;
	char last[64];

	while (told < 3) {
		refused(fd);
		count++;
		if (more(ring))
			told += strncmp(next(ring), BEGINS, strlen(BEGINS)) == 0;
	}
	snprintf(last, sizeof(last), BEGINS "1 client, %u refused", count);
	while (strcmp(next(ring), last) != 0)
		told++;
	assert_in_range(told + 1, 4, 1 + (unsigned)(now() - began));
	close(fd);
}

/* The moment at which the broker's timer is due, as the kernel has it: "(0, 0)" if it is off. */
static void timer_of(const struct ring *ring, char ret_value[128])
{
	char folder[64], path[sizeof(folder) + 256], line[128];
	struct dirent *entry;
	unsigned found = 0;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%d/fdinfo", (int)ring->pid);
	dir = opendir(folder);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		file = fopen(path, "re");
		while (file && fgets(line, sizeof(line), file))
			if (strncmp(line, "it_value: ", 10) == 0) {
				strcpy(ret_value, line + 10);
				found++;
			}
		if (file)
			fclose(file);
	}
	closedir(dir);
	assert_int_equal(found, 1);
}

static void timer_goes_off(const struct ring *ring)
{
	char value[128] = "";

	for (unsigned waited = 0; strcmp(value, "(0, 0)\n") != 0; waited++) {
		assert_in_range(waited, 0, PATIENCE_MSEC);
		usleep(1000);
		timer_of(ring, value);
	}
}

/* Who asks for what is allowed has nothing told, and nobody who sleeps is woken. */
static void test_no_timer_without_a_change(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	char value[128];

	until(ring, BEGINS "1 client, 0 refused");
	timer_goes_off(ring);
	for (unsigned i = 0; i < 100; i++)
		peer_is_served(fd);
	timer_of(ring, value);
	assert_string_equal(value, "(0, 0)\n");
	assert_false(more(ring));
	refused(fd);
	until(ring, BEGINS "1 client, 1 refused");
	timer_goes_off(ring);
	close(fd);
}

static void time_out(int fd, uint8_t address)
{
	struct batch batch = batch_write(1, address, 0, 0);

	assert_answer(peer_ask(fd, &batch), RGBROKER_REASON_BUS, -ETIMEDOUT);
}

/* "2026-01-31 09:15:00" behind a text: within the hour, by the clock of the wall */
static const char *behind_time(const char *text)
{
	struct tm local = {.tm_isdst = -1};
	const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &local);

	assert_non_null(end);
	assert_true(difftime(time(NULL), mktime(&local)) < 3600);
	assert_true(difftime(time(NULL), mktime(&local)) >= 0);
	return end;
}

static const char *behind(const char *text, const char *beginning)
{
	if (strncmp(text, beginning, strlen(beginning)) != 0)
		fail_msg("%s, where was expected: %s", text, beginning);
	return text + strlen(beginning);
}

static const char *until_quarantine(const struct ring *ring)
{
	const char *text;

	do
		text = next(ring);
	while (!strstr(text, "quarantine"));
	return behind(text, BEGINS "1 client, 0 refused; ");
}

static void test_quarantine_of_the_bus(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	const char *text;

	for (uint8_t address = 0x40; address < 0x43; address++)
		ring->bus->chips[address].error = -ETIMEDOUT;
	for (uint8_t address = 0x40; address < 0x43; address++)
		time_out(fd, address);
	text = until_quarantine(ring);
	assert_string_equal(behind_time(behind(text, "in quarantine since ")), "");
	for (uint8_t address = 0x40; address < 0x43; address++)
		ring->bus->chips[address].error = 0;
	for (bool tried = false; !tried;) {
		struct batch batch = batch_write(1, 0x40, 0, 0);

		usleep(1000);
		tried = peer_ask(fd, &batch).head.result == 0;
	}
	until(ring, BEGINS "1 client, 0 refused");
	close(fd);
}

static void test_quarantine_of_chips(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	const char *text;

	for (uint8_t address = 0x44; address <= 0x45; address++) {
		ring->bus->chips[address].error = -ETIMEDOUT;
		for (unsigned i = 0; i < 3; i++)
			time_out(fd, address);
		peer_is_served(fd); /* that row is over; the next one is of one chip again */
	}
	do
		text = until_quarantine(ring);
	while (!strstr(text, "more"));
	text = behind_time(behind(text, "chip 0x44 in quarantine since "));
	assert_string_equal(text, ", and 1 more");
	close(fd);
}

/* Only afterwards: while it hangs, the broker does too. */
static void test_a_hang(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	struct batch batch = batch_write(1, 0x40, 0, 0);
	const char *text;
	char *end;

	until(ring, BEGINS "1 client, 0 refused");
	ring_hold(ring);
	peer_send(fd, &batch);
	ring_await_held(ring);
	sleep(RGBROKER_HANGS_SECONDS);
	assert_false(more(ring));
	ring_release(ring);
	assert_answer(peer_receive(fd), RGBROKER_REASON_NONE, 0);
	text = behind(next(ring), BEGINS "1 client, 0 refused; hung for ");
	assert_true(strtod(text, &end) >= RGBROKER_HANGS_SECONDS);
	assert_string_equal(behind_time(behind(end, " s until ")), "");
	close(fd);
}

/* As if systemd read nothing: its queue is full. */
static unsigned fill_queue(const struct ring *ring)
{
	struct sockaddr_un address;
	socklen_t size = sizeof(address);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unsigned count = 0;

	assert_int_equal(getsockname(ring->notify_fd, (struct sockaddr *)&address, &size), 0);
	while (sendto(fd, "x", 1, 0, (struct sockaddr *)&address, size) == 1)
		count++;
	assert_int_equal(errno, EAGAIN);
	close(fd);
	return count;
}

static void test_a_systemd_that_is_busy(void **state)
{
	struct ring *ring = *state;
	int fd = peer_connect(ring, "rgb");
	unsigned count;

	until(ring, BEGINS "1 client, 0 refused");
	count = fill_queue(ring);
	assert_true(count > 0);
	refused(fd);
	/* meanwhile it finds that it cannot tell */
	for (unsigned i = 0; i < 600; i++) {
		usleep(1000);
		peer_is_served(fd);
	}
	while (count-- > 0)
		assert_string_equal(next(ring), "x");
	assert_string_equal(next(ring), BEGINS "1 client, 1 refused");
	fill_queue(ring);
	assert_int_equal(ring_stop(ring), 0);
	close(fd);
}

/* What a driver calls its adapter tells systemd nothing else. */
static void test_a_name_with_a_line_break(void **state)
{
	struct ring *ring = *state;

	strcpy(ring->bus->name, "a\nMAINPID=1\nx\xff");
	spawn(ring);
	assert_string_equal(
		next(ring), "READY=1\nSTATUS=i2c-7 (a?MAINPID=1?x?): 0 clients, 0 refused");
	assert_int_equal(ring_stop(ring), 0);
	assert_string_equal(
		next(ring), "STOPPING=1\nSTATUS=i2c-7 (a?MAINPID=1?x?): told to stop; 0 refused");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, ring_tear_down)
#define TEST_STOPPED(name)                                                                         \
	cmocka_unit_test_setup_teardown(name, ring_set_up_stopped, ring_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_STOPPED(test_beginning_and_end),
		TEST(test_clients_and_refusals),
		TEST(test_once_a_second),
		TEST(test_no_timer_without_a_change),
		TEST(test_quarantine_of_the_bus),
		TEST(test_quarantine_of_chips),
		TEST(test_a_hang),
		TEST(test_a_systemd_that_is_busy),
		TEST_STOPPED(test_a_name_with_a_line_break),
	};

	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
