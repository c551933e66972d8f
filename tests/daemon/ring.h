/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A broker process as systemd starts it, on a simulated bus: listening sockets from descriptor 3
 * on, a notification socket, the journal's place taken by a file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "protocol/wire.h"
#include "tests/daemon/fake-bus.h"

#define RING_DOORS_MAX 4
#define PATIENCE_MSEC 20000 /* what takes longer hangs: a bound for failing, not a measure */

struct ring {
	struct fake_bus *bus;
	int bus_fd, log_fd, notify_fd;
	const char *names[RING_DOORS_MAX]; /* of the doors */
	int doors[RING_DOORS_MAX];         /* held here, as by systemd */
	size_t n_doors;
	const char *program;       /* of the broker */
	const char *config, *idle; /* --config, --idle */
	rlim_t files;              /* RLIMIT_NOFILE of the broker, or 0 */
	pid_t pid;                 /* 0: not running */
};

/* --- a ring's life --- */

/* Doors rgb, look, admin and other; a lamp at 0x20, plain chips at 0x40-0x47. Not started yet. */
void ring_open(struct ring *ring);
/* Before it is started: the door's socket is at this path, where the library finds it. */
void ring_put_door(struct ring *ring, const char *door, const char *path);
void ring_start(struct ring *ring); /* until it says READY=1 */
/* With other arguments, without waiting for anything; argv ends with NULL, argv[0] is put in. */
void ring_spawn(struct ring *ring, const char **argv);
int ring_wait(struct ring *ring); /* until it has ended: exit code, or minus the signal */
int ring_stop(struct ring *ring); /* SIGTERM, then the same */
void ring_close(struct ring *ring);

/* cmocka fixtures: state is the ring, started or not. */
int ring_set_up(void **state);
int ring_set_up_stopped(void **state);
int ring_tear_down(void **state);

/* --- what is seen of it --- */

bool ring_notified(struct ring *ring, const char *what);   /* waits for that notification */
const char *ring_log(struct ring *ring);                   /* all lines so far; static buffer */
unsigned ring_logged(struct ring *ring, const char *text); /* how often */
void ring_forget_log(struct ring *ring);
double ring_cpu_seconds(const struct ring *ring);
unsigned ring_descriptors(const struct ring *ring);
void ring_hold(struct ring *ring); /* the bus stops in the middle of its next operation */
void ring_hold_at(struct ring *ring, unsigned nth); /* of the nth to come, counted from 1 */
void ring_await_held(const struct ring *ring);      /* until one stands there */
void ring_release(struct ring *ring);

/* --- peers --- */

struct batch {
	struct rgbroker_request header;
	struct rgbroker_operation operations[RGBROKER_OPERATIONS_MAX];
	uint8_t data[RGBROKER_DATA_MAX];
};

struct answer {
	ssize_t size; /* of the message; 0: end of file, negative: errno */
	struct rgbroker_reply head;
	uint8_t data[RGBROKER_DATA_MAX];
};

struct batch batch_new(uint32_t serial);
struct rgbroker_operation *batch_add(struct batch *batch, uint8_t kind, bool read, uint8_t address,
	uint8_t command, uint16_t length, const void *data);
size_t batch_bytes(const struct batch *batch, void *bytes); /* RGBROKER_REQUEST_MAX of room */
/* One write_byte_data. */
struct batch batch_write(uint32_t serial, uint8_t address, uint8_t command, uint8_t value);

int peer_connect(const struct ring *ring, const char *door);
void peer_send(int fd, const struct batch *batch);
struct answer peer_receive(int fd);
struct answer peer_ask(int fd, const struct batch *batch);
struct answer peer_ask_bytes(int fd, const void *bytes, size_t size);
/* A write at a plain chip passes: the broker is alive and serves this peer. */
void peer_is_served(int fd);

#define assert_answer(of, expected_reason, expected_result)                                        \
	do {                                                                                       \
		const struct answer the_answer = (of);                                             \
                                                                                                   \
		assert_true(the_answer.size >= (ssize_t)sizeof(struct rgbroker_reply));            \
		assert_int_equal(the_answer.head.reason, expected_reason);                         \
		assert_int_equal(the_answer.head.result, expected_result);                         \
	} while (0)
