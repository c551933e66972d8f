/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A broker and all that is around it, in one process: simulated chips, processes that connect over
 * real sockets, clocks that go when they are told to. What the broker would ask the kernel is
 * answered here (functions are replaced when linking).
 */
#pragma once

#include "broker/broker.h"
#include "tests/daemon/fake-bus.h"
#include "tests/fuzz/must.h"
#include "tests/unit/reread.h"

#define PEOPLE 6       /* processes that may connect; the last one is of another pid namespace */
#define CONNECTIONS 12 /* that are held at a time */
#define OUTSTANDING 96 /* requests of one connection without an answer */
#define FAULTS 4
#define ENDED_MAX 32

enum { DOOR_RGB, DOOR_ADMIN, DOOR_LOOK, DOOR_SOME, DOOR_UNKNOWN, DOORS };

/* --- scenes.c: adapters, their files, and what may be on them; read once --- */

struct scene {
	struct policy policy;
	const struct family *families[POLICY_DEVICES_MAX]; /* devices[i], read in another way */
};

extern struct scene scenes[];
extern const size_t n_scenes;
void scenes_load(void);

/* --- simulated bus: sim.c --- */

enum module { /* of a slot */
	MODULE_NONE,
	MODULE_DDR4,
	MODULE_DDR4_REGISTERED,
	MODULE_DDR5,
	MODULE_DDR5_REGISTERED,
	MODULE_DDR3,
	MODULE_OTHER_PAGE,      /* DDR4 whose second page shows */
	MODULE_DDR5_OTHER_PAGE, /* the hub's */
	MODULE_DRIVEN_DDR4,     /* a kernel driver is bound, and tells the maker */
	MODULE_DRIVEN_DDR4_REGISTERED,
	MODULE_DRIVEN_DDR5,
	MODULE_DRIVEN_SHORT, /* its driver shows the head alone */
	MODULE_SILENT,       /* a driver is bound and shows nothing */
	MODULES
};

struct fault {
	bool armed;
	uint8_t after; /* transfers that pass before */
	int error;
	bool reaches;  /* the chip has done it, or some of it, all the same */
	uint8_t bytes; /* of a write that reached it */
};

struct sim {
	struct fake_bus *bus;
	const struct scene *scene;
	uint64_t matches[ADDRESSES]; /* bit i: a chip that answers as devices[i] expects is there */
	enum module modules[SLOTS];
	uint16_t makers[SLOTS];
	uint8_t doubtful[SLOTS]; /* an SPD that once did not acknowledge may pass for no module */
	bool mute[ADDRESSES];    /* the same for who is asked whether he answers */
	bool display[SLOTS];     /* an EDID at 0x50 + i */
	struct fault faults[FAULTS];
	int owner_error; /* of the next question for a driver */
	unsigned n_ene;
};

extern struct sim sim;
void sim_begin(const struct scene *scene, struct input *input);
void sim_add_fault(struct input *input);
/* One chip goes, comes back, gets a driver, loses it, falls deaf. */
void sim_change(struct input *input);
/* All chips lose their power and come back; pointers are anywhere. */
void sim_power_cycle(struct input *input);

/* --- world.c --- */

struct person { /* a process */
	pid_t pid;
	uid_t uid;
	int exit_fd; /* an eventfd for a pidfd: readable once it has exited */
	bool exited;
	unsigned number; /* counts lives */
};

/* What became of one request. */
struct sent {
	size_t size;
	bool broken;  /* no broker can take it as one message */
	bool seen;    /* the broker has received it */
	bool drained; /* in order to say that it stops */
	bool clean;   /* decode() took it */
	bool foreign; /* of another version */
	bool answered;
	uint64_t answer; /* its checksum */
	uint32_t serial;
	uint16_t opcode;
	_Alignas(8) uint8_t bytes[RGBROKER_REQUEST_MAX + 8];
	/* on the wire */
	unsigned n_spans, n_own, n_done; /* n_done: operations */
	int result;                      /* of the last transfer, own ones too */
	uint64_t sets, moves;            /* which ones set a pointer, or went through it */
	size_t n_read;
	uint8_t read[RGBROKER_DATA_MAX];
};

struct connection_of { /* one connection */
	bool used, accepted, reads;
	bool closed; /* by the peer; the broker may not know yet */
	bool cut;    /* by the broker */
	bool choked; /* a reply to it did not fit */
	bool monitors;
	bool dropped_ok; /* it has given reason to be cut off */
	int fd, broker_fd;
	unsigned door, age;
	pid_t pid;
	uid_t uid;
	struct person *person;
	unsigned person_number;
	bool had_pidfd;
	struct process *process; /* the broker's */
	uint64_t happenings;     /* there were, when it began to watch */
	uint64_t events;         /* that the broker tried to send */
	struct sent sent[OUTSTANDING];
	unsigned first, n_sent; /* a ring: from first on, n_sent wait for an answer */
	unsigned n_coming;      /* messages that the broker has sent, not yet taken */
	bool ended;             /* and that was the last of them */
};

struct world {
	struct broker broker;
	bool running;
	struct person people[PEOPLE];
	struct connection_of connections[CONNECTIONS];
	int doors[DOORS];
	const char *door_names[DOORS];
	uint64_t monotonic, boottime; /* usec */
	uint64_t started;
	bool draining, stopped;
	bool slept;          /* and has had no transfer since, by which the broker notices */
	bool no_credentials; /* SO_PEERCRED fails for the next that connects */
	/* SO_PEERPIDFD of one that has exited: a pidfd, or none; or it is not known at all */
	enum { KERNEL_TELLS, KERNEL_DOES_NOT_TELL, KERNEL_DOES_NOT_KNOW } kernel;
	struct {
		unsigned number;
		int exit_fd;
	} ended[ENDED_MAX]; /* lives */
	unsigned n_ended;
	int no_pidfd; /* why there is none for the next that connects; 0: there is */
	struct connection_of *current; /* whose request is worked on, and which */
	struct sent *request;
	const uint8_t *message; /* where the broker has put it */
	uint64_t n_messages, n_operations, n_own_reads, n_pointer_set, n_refused, n_failed;
	uint64_t happenings; /* what monitors are told of */
	unsigned lines;      /* in the journal */
};

extern struct world world;
void world_set_up(void); /* once */
void world_begin(const struct scene *scene, struct input *input);
void world_start(const struct scene *scene);
void world_stop(void); /* drain, and look whether all has gone */
void world_end(void);  /* peers and sockets too */
bool world_step(void); /* one event. False: there was none */
void world_settle(void);

/* --- peers.c --- */

void person_is_born(struct person *person, pid_t pid);
struct connection_of *peer_connect(unsigned door, struct person *person);
void peer_close(struct connection_of *connection);
/* descriptors: how many go along. False: it had no room. */
bool peer_send(
	struct connection_of *connection, const void *bytes, size_t size, unsigned descriptors);
/* Take all that has come, and hold it against what was sent and done. */
void peer_receive(struct connection_of *connection);
void peers_receive(void);
struct connection_of *connection_by_broker_fd(int fd);
void person_exits(struct person *person, bool same_pid, bool closes);
/* Of requests, the ones that have no answer. */
struct sent *sent_at(struct connection_of *connection, unsigned index);
/* An event of a monitor, not a reply. */
bool is_event(const void *bytes, size_t size);
uint64_t checksum(const void *bytes, size_t size);
/* Notice who was cut off. */
void peers_look(void);

/* --- oracle.c: what may be on the wire, told from the files and the chips --- */

/* Before a transfer goes out; own: it is the broker's. */
void oracle_before(const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, bool own);
void oracle_after(const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, bool own, int result, const uint8_t *read_data);
/* The current request is being answered. */
void oracle_answered(const struct sent *sent, const struct rgbroker_reply *reply, size_t size);
void oracle_begin(void);
void oracle_forget_process(const struct process *process);
void oracle_released(uint8_t address);
void oracle_process_comes(const struct process *process);
void oracle_process_gone(const struct process *process);
/* Whether the chip at an address answers as that device expects. */
bool chip_is(uint8_t address, unsigned device);

/* --- state.c --- */

/* After each step: lists, claims, pointers, counters. */
void state_check(void);
