/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is connected: one for all connections of a process. Claims are a process's, not a
 * connection's, because programs open a bus again without closing it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5, include/uapi/asm-generic/socket.h */
#endif

struct account;
struct broker;

struct process {
	struct broker *broker;
	pid_t pid; /* 0: of another pid namespace, it never matches anybody */
	uid_t uid;
	int pidfd;             /* -1: none could be had, it never matches anybody either */
	sd_event_source *exit; /* watches the pidfd */
	unsigned clients;
	struct account *account;
	bool gone;    /* it has exited; whoever still holds its sockets is somebody else */
	bool evicted; /* a pointer of one of its contexts was forgotten for want of room */
	struct process *next, **link; /* in broker->processes */
};

/* That of the peer of a connected socket, one more client of it. 0 or a negative errno. */
int process_enter(
	struct broker *broker, int fd, const struct ucred *peer, struct process **ret_process);
/* One client less; with the last one go its claims and pointers. */
void process_leave(struct process *process);

/* --- claims --- */

/* Whether a process other than this one, which is still there, has claimed the chip. */
bool claim_of_other(struct broker *broker, const struct process *process, uint8_t address);
/* Not for one that has exited: what its children still send over its sockets claims nothing. */
void claim(struct broker *broker, struct process *process, uint8_t address);
/* False: nobody had claimed it. */
bool claim_release(struct broker *broker, uint8_t address);
