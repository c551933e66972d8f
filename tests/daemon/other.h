/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another process, that connects and asks what the test tells it to. */
#pragma once

#include "tests/daemon/ring.h"

struct other {
	pid_t pid;
	int commands;
};

struct other other_new(const struct ring *ring);
/* With the number of one that has been waited for. Only root may choose it. */
struct other other_new_as(const struct ring *ring, pid_t pid);
/* Its connections are counted from 0. */
int other_connect(const struct other *other, const char *door);
void other_close(const struct other *other, int connection);
void other_send(const struct other *other, int connection, const struct batch *batch);
struct answer other_receive(const struct other *other, int connection);
struct answer other_ask(const struct other *other, int connection, const struct batch *batch);
/* A child of it, with the same connections. It is asked for like any other. */
struct other other_fork(const struct other *other);
void other_kill(struct other *other); /* SIGKILL, and wait if it is a child of the test's */
