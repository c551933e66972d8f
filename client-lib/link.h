/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One SEQPACKET socket to a broker: connect, send, receive, within a deadline.
 *
 * What a failure says about the fate of a request is decided here, from what AF_UNIX does:
 *   -ECONNRESET  surely not carried out (it was not sent, or lay unread when the other end closed)
 *   -EIO         nobody knows (the other end closed after it had read the request)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Milliseconds of CLOCK_MONOTONIC; deadlines are such moments. */
int64_t link_now(void);

/** Sleep, but not beyond the deadline. @return 0 or -ETIMEDOUT */
int link_pause(int milliseconds, int64_t deadline);

/** Inode of a socket: who it is, whatever its number. 0: not a socket, or not open. */
uint64_t link_inode(int descriptor);

/**
 * @return a descriptor (close-on-exec; link_let_wait() was told what was left until the deadline),
 *         -ENODEV (no such socket, or nobody has listened for a second), -ETIMEDOUT, or what
 *         connect said
 */
int link_connect(const char *path, int64_t deadline);

/** Is there no such socket file any more? */
bool link_gone(const char *path);

/** @return 0, -ECONNRESET (see above), -ETIMEDOUT, or what send said; nothing was sent then */
int link_send(int descriptor, const void *message, size_t size, int64_t deadline);

/**
 * Let the socket itself wait, 1 ms or more: so a reply takes one system call in place of three.
 * @return false: it would wait for ever (a program's own filter of system calls may say so)
 */
bool link_let_wait(int descriptor, int milliseconds);

/**
 * @param patience  what link_let_wait() was told of this socket; 0: nothing
 * @return the message's true length, which may exceed size; -ECONNRESET, -EIO, -ETIMEDOUT
 */
ssize_t link_receive(
	int descriptor, void *ret_message, size_t size, int patience, int64_t deadline);
