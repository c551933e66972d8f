/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/daemon/ring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* A socket with a name of the kernel's choice; like systemd's, it blocks. */
static int bound_socket(int type)
{
	const struct sockaddr_un nameless = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&nameless, sizeof(sa_family_t)), 0);
	return fd;
}

static void put_chips(struct fake_bus *bus)
{
	bus->chips[0x20].present = 1;
	bus->chips[0x20].registers[0xa0] = 0x11;
	bus->chips[0x20].registers[0xa1] = 0x22;
	for (unsigned address = 0x40; address <= 0x47; address++)
		bus->chips[address].present = 1;
}

void ring_open(struct ring *ring)
{
	static const char *const names[RING_DOORS_MAX] = {"rgb", "look", "admin", "other"};

	*ring = (struct ring){.program = BROKER, .config = CONFIG, .idle = "0"};
	ring->bus_fd = memfd_create("bus", MFD_CLOEXEC);
	assert_int_equal(ftruncate(ring->bus_fd, sizeof(*ring->bus)), 0);
	ring->bus =
		mmap(NULL, sizeof(*ring->bus), PROT_READ | PROT_WRITE, MAP_SHARED, ring->bus_fd, 0);
	assert_true(ring->bus != MAP_FAILED);
	ring->bus->class = BUS_SMBUS;
	ring->bus->stdin_adapter = -1;
	ring->bus->passed_adapter = 7; /* as all of these rings are */
	put_chips(ring->bus);
	ring->log_fd = memfd_create("log", MFD_CLOEXEC);
	ring->notify_fd = bound_socket(SOCK_DGRAM);
	for (; ring->n_doors < RING_DOORS_MAX; ring->n_doors++) {
		ring->names[ring->n_doors] = names[ring->n_doors];
		ring->doors[ring->n_doors] = bound_socket(SOCK_SEQPACKET);
		assert_int_equal(listen(ring->doors[ring->n_doors], 128), 0);
	}
}

void ring_put_door(struct ring *ring, const char *door, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t i = 0;

	while (strcmp(ring->names[i], door) != 0)
		i++;
	close(ring->doors[i]);
	ring->doors[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	assert_int_equal(bind(ring->doors[i], (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(ring->doors[i], 128), 0);
}

/* "@name" of an abstract socket. */
static void put_notify_socket(int fd)
{
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address);

	getsockname(fd, (struct sockaddr *)&address, &size);
	address.sun_path[0] = '@';
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

/* To FIRST_FD and on, from copies far above, so that none is overwritten before its turn. */
static void place_descriptors(const struct ring *ring)
{
	int high[RING_DOORS_MAX + 1];
	char number[16];

	dup2(ring->log_fd, STDERR_FILENO);
	for (size_t i = 0; i <= ring->n_doors; i++)
		high[i] = fcntl(
			i < ring->n_doors ? ring->doors[i] : ring->bus_fd, F_DUPFD_CLOEXEC, 200);
	for (size_t i = 0; i <= ring->n_doors; i++)
		dup2(high[i], FIRST_FD + (int)i);
	snprintf(number, sizeof(number), "%zu", FIRST_FD + ring->n_doors);
	setenv(FAKE_BUS_VARIABLE, number, 1);
}

static void put_listen_variables(const struct ring *ring)
{
	char text[256] = "", number[16];

	for (size_t i = 0; i < ring->n_doors; i++) {
		strcat(text, i ? ":" : "");
		strcat(text, ring->names[i]);
	}
	setenv("LISTEN_FDNAMES", text, 1);
	snprintf(number, sizeof(number), "%zu", ring->n_doors);
	setenv("LISTEN_FDS", number, 1);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
}

void ring_spawn(struct ring *ring, const char **argv)
{
	const struct rlimit files = {ring->files, ring->files};

	ring->pid = fork();
	assert_true(ring->pid >= 0);
	if (ring->pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	unsetenv("JOURNAL_STREAM");
	put_notify_socket(ring->notify_fd);
	put_listen_variables(ring);
	place_descriptors(ring);
	if (ring->files)
		setrlimit(RLIMIT_NOFILE, &files);
	argv[0] = "rgbrokerd";
	execv(ring->program, (char **)(uintptr_t)argv);
	_exit(127);
}

void ring_start(struct ring *ring)
{
	const char *argv[] = {
		NULL, "--bus", "7", "--idle", ring->idle, "--config", ring->config, NULL};

	ring_spawn(ring, argv);
	if (!ring_notified(ring, "READY=1"))
		fail_msg("did not start: %s", ring_log(ring));
}

bool ring_notified(struct ring *ring, const char *what)
{
	struct pollfd wait = {.fd = ring->notify_fd, .events = POLLIN};

	while (poll(&wait, 1, PATIENCE_MSEC) == 1) {
		char text[512] = "";
		ssize_t size = recv(ring->notify_fd, text, sizeof(text) - 1, 0);

		if (size > 0 && strstr(text, what))
			return true;
	}
	return false;
}

int ring_wait(struct ring *ring)
{
	int status = 0;

	for (unsigned waited = 0; waited < PATIENCE_MSEC; waited++) {
		if (waitpid(ring->pid, &status, WNOHANG) == ring->pid) {
			ring->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		}
		usleep(1000);
	}
	fail_msg("did not end: %s", ring_log(ring));
	return -1;
}

int ring_stop(struct ring *ring)
{
	assert_int_equal(kill(ring->pid, SIGTERM), 0);
	return ring_wait(ring);
}

void ring_close(struct ring *ring)
{
	if (ring->pid > 0) {
		kill(ring->pid, SIGKILL);
		waitpid(ring->pid, NULL, 0);
	}
	for (size_t i = 0; i < ring->n_doors; i++)
		close(ring->doors[i]);
	close(ring->notify_fd);
	close(ring->log_fd);
	close(ring->bus_fd);
	munmap(ring->bus, sizeof(*ring->bus));
}

static struct ring the_ring;

int ring_set_up_stopped(void **state)
{
	ring_open(&the_ring);
	*state = &the_ring;
	return 0;
}

int ring_set_up(void **state)
{
	ring_set_up_stopped(state);
	ring_start(*state);
	return 0;
}

int ring_tear_down(void **state)
{
	ring_close(*state);
	return 0;
}

const char *ring_log(struct ring *ring)
{
	static char text[1 << 18];
	ssize_t size = pread(ring->log_fd, text, sizeof(text) - 1, 0);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

void ring_forget_log(struct ring *ring)
{
	assert_int_equal(ftruncate(ring->log_fd, 0), 0);
	assert_int_equal(lseek(ring->log_fd, 0, SEEK_SET), 0);
}

unsigned ring_logged(struct ring *ring, const char *text)
{
	unsigned times = 0;

	for (const char *at = ring_log(ring); (at = strstr(at, text)); at++)
		times++;
	return times;
}

double ring_cpu_seconds(const struct ring *ring)
{
	struct timespec used;
	clockid_t clock;

	assert_int_equal(clock_getcpuclockid(ring->pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &used), 0);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

unsigned ring_descriptors(const struct ring *ring)
{
	char path[64];
	unsigned count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)ring->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

void ring_hold(struct ring *ring)
{
	atomic_store(&ring->bus->hold, 1);
}

void ring_hold_at(struct ring *ring, unsigned nth)
{
	atomic_store(&ring->bus->hold, nth);
}

void ring_await_held(const struct ring *ring)
{
	for (unsigned waited = 0; !atomic_load(&ring->bus->waiting); waited++) {
		assert_in_range(waited, 0, PATIENCE_MSEC);
		usleep(1000);
	}
}

void ring_release(struct ring *ring)
{
	atomic_store(&ring->bus->hold, 0);
}
