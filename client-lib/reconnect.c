/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See reconnect.h. */
#include "client-lib/reconnect.h"

#include "client-lib/link.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

bool connection_knows(struct connection *connection, uint64_t inode)
{
	if (atomic_load(&connection->inode) == inode)
		return true;
	for (size_t i = 0; i < CONNECTION_FORMER; i++)
		if (atomic_load(&connection->former[i]) == inode)
			return true;
	return false;
}

static void write_note(int descriptor, unsigned note)
{
	int value = (int)note;

	(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
}

void connection_set_note(struct connection *connection, int descriptor, unsigned note)
{
	atomic_store(&connection->note, note);
	write_note(descriptor, note);
}

unsigned connection_read_note(int descriptor)
{
	int value = 0;
	socklen_t size = sizeof(value);

	if (getsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &value, &size) != 0 || value < 0)
		return 0;
	return value == 1 ? 0 : (unsigned)value; /* 1 is what a fresh socket has */
}

/* Put the file of one number on another, which keeps its close-on-exec flag. */
static int move_to(int from, int number)
{
	int flags = fcntl(number, F_GETFD);

	if (flags < 0)
		return -EBADF;
	return dup3(from, number, flags & FD_CLOEXEC ? O_CLOEXEC : 0) < 0 ? -errno : 0;
}

/* Known before the number is changed: another thread may look it up at once. */
static void introduce(struct connection *connection, uint64_t inode)
{
	for (size_t i = CONNECTION_FORMER - 1; i > 0; i--)
		atomic_store(&connection->former[i], atomic_load(&connection->former[i - 1]));
	atomic_store(&connection->former[0], atomic_load(&connection->inode));
	atomic_store(&connection->inode, inode);
}

static int replace(struct connection *connection, int fresh)
{
	int number = connection->descriptor;
	uint64_t inode = atomic_load(&connection->inode);
	int r;

	if (link_inode(number) != inode)
		return -EBADF;
	introduce(connection, link_inode(fresh));
	/* Whoever still has this socket under another number must not go by what it says; one that
	 * was inherited is somebody else's. */
	if (connection->own && atomic_load(&connection->note) != 0)
		write_note(number, atomic_load(&connection->note) | connection->left_note);
	r = move_to(fresh, number);
	if (r < 0)
		atomic_store(&connection->inode, inode);
	else
		connection->own = true;
	return r;
}

int reconnect_ensure(struct connection *connection, int64_t deadline)
{
	int fresh;
	int r = 0;

	if (connection->usable)
		return 0;
	fresh = link_connect(connection->path, deadline);
	if (fresh < 0)
		return fresh;
	if (atomic_load(&connection->note) != 0)
		connection_set_note(connection, fresh, atomic_load(&connection->note));
	if (connection->descriptor < 0) {
		connection->descriptor = fresh;
		atomic_store(&connection->inode, link_inode(fresh));
	} else {
		r = replace(connection, fresh);
		close(fresh);
	}
	connection->usable = r == 0;
	connection->patience = 0;
	if (r == 0) {
		connection->pointers.link += connection->linked_before;
		connection->linked_before = true;
	}
	return r;
}

int reconnect_settle(struct connection *connection, int descriptor, uint64_t inode)
{
	uint64_t current = atomic_load(&connection->inode);

	if (descriptor < 0)
		return 0;
	if (inode != current)
		inode = link_inode(descriptor);
	if (inode != current) {
		if (inode == 0 || !connection_knows(connection, inode))
			return -EBADF;
		if (link_inode(connection->descriptor) == current)
			return move_to(connection->descriptor, descriptor);
		/* Today's socket went away with its last number: begin again from this one. */
		atomic_store(&connection->inode, inode);
		connection->usable = false;
	}
	connection->descriptor = descriptor;
	return 0;
}
