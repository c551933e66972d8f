/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket calls, and what their errors mean for a request. See link.h. */
#include "client-lib/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A socket that is being restarted refuses for some milliseconds; one left behind, for ever. */
#define REFUSED_PATIENCE_MS 1000
#define CONNECT_PAUSE_MS 5
#define LATE_MS 10 /* by which a deadline may be missed */

int64_t link_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int remaining(int64_t deadline)
{
	int64_t left = deadline - link_now();

	return left > 0 ? (int)left : 0;
}

int link_pause(int milliseconds, int64_t deadline)
{
	int left = remaining(deadline);

	if (left == 0)
		return -ETIMEDOUT;
	if (milliseconds > 0)
		poll(NULL, 0, milliseconds < left ? milliseconds : left);
	return 0;
}

uint64_t link_inode(int descriptor)
{
	struct statx status;

	/* Not fstat(): the i2c-dev shim replaces that one, and is made of this file too. */
	if (syscall(SYS_statx, descriptor, "", AT_EMPTY_PATH, STATX_TYPE | STATX_INO, &status) != 0)
		return 0;
	return S_ISSOCK(status.stx_mode) ? status.stx_ino : 0;
}

bool link_gone(const char *path)
{
	/* Not access(), for the same reason. */
	return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0 && errno == ENOENT;
}

bool link_let_wait(int descriptor, int milliseconds)
{
	const struct timeval patience = {
		.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};

	return setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	       setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0;
}

/*
 * Where the backlog is full, its place in the kernel's queue is what one must have: who only looks
 * again from time to time gets in after all who stand in it, if ever.
 */
static int connect_once(const char *path, int left)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor;
	int error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return -errno;
	/* For good: calls that go past us would else wait for ever. */
	if (!link_let_wait(descriptor, left))
		(void)fcntl(descriptor, F_SETFL, O_NONBLOCK); /* then it has no place there */
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0)
		return descriptor;
	error = errno;
	close(descriptor);
	return -error;
}

int link_connect(const char *path, int64_t deadline)
{
	int64_t patience = link_now() + REFUSED_PATIENCE_MS;

	for (;;) {
		int left = remaining(deadline);
		int r = connect_once(path, left > 0 ? left : 1); /* 0 would be for ever */

		if (r == -ENOENT || r == -ENOTDIR)
			return -ENODEV;
		if (r == -ECONNREFUSED && link_now() >= patience)
			return -ENODEV;
		/* EAGAIN: the backlog was full up to the deadline. */
		if (r != -ECONNREFUSED && r != -EAGAIN && r != -EINTR)
			return r;
		if (link_pause(CONNECT_PAUSE_MS, deadline) < 0)
			return -ETIMEDOUT;
	}
}

static int wait_for(int descriptor, short events, int64_t deadline)
{
	struct pollfd entry = {.fd = descriptor, .events = events};

	for (;;) {
		int left = remaining(deadline);
		int r = poll(&entry, 1, left);

		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (left == 0)
			return -ETIMEDOUT;
	}
}

int link_send(int descriptor, const void *message, size_t size, int64_t deadline)
{
	for (;;) {
		int r;

		if (send(descriptor, message, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
			return -ECONNRESET;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(descriptor, POLLOUT, deadline);
		if (r < 0)
			return r;
	}
}

/*
 * The kernel marks the end of file and "closed with unread messages" at one moment, but recv looks
 * for the error first: closed in between, it says end of file and leaves the error behind.
 */
static int end_of_file(int descriptor)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNRESET)
		return -ECONNRESET;
	return -EIO;
}

ssize_t link_receive(int descriptor, void *ret_message, size_t size, int patience, int64_t deadline)
{
	bool waits = patience > 0 && remaining(deadline) + LATE_MS >= patience;
	int flags = MSG_TRUNC | (waits ? 0 : MSG_DONTWAIT);

	for (;;) {
		ssize_t length = recv(descriptor, ret_message, size, flags);
		int r;

		if (length > 0)
			return length;
		if (length == 0)
			return end_of_file(descriptor);
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		flags |= MSG_DONTWAIT; /* it has waited: what is left is less */
		r = wait_for(descriptor, POLLIN, deadline);
		if (r < 0)
			return r;
	}
}
