/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everybody's share of a broker: places for connections, and turns. It is a process's, however many
 * connections it has; those of other pid namespaces, who cannot be told apart, share their user's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#define CLIENTS_MAX 512
#define CLIENTS_OF_ONE_MAX 128 /* of a process; more than programs leak that never close a bus */

#define USERS_GONE_MAX 16 /* that are remembered */

struct broker;

/* Up to where a user has been served, by those of its accounts that have gone. */
struct user_gone {
	uid_t uid;
	int64_t finish;
};

struct account {
	uid_t uid;
	bool shared; /* by all of that user who are of another pid namespace */
	bool told;   /* that it has all the places it may have */
	unsigned clients;
	int64_t last;                 /* the latest turn that one of its connections has */
	int64_t finish;               /* not before: what it has been served is worth that much */
	int64_t cost;                 /* of its last request */
	struct account *next, **link; /* in broker->accounts */
};

/* One more client of it; a new one, or the user's if shared. NULL: no memory. */
struct account *account_enter(struct broker *broker, uid_t uid, bool shared);
struct account *account_join(struct account *account);
void account_leave(struct broker *broker, struct account *account);

/* --- places.c --- */

/* After a client has come, the first of the list: if there are too many now, one has to go. */
void place_taken(struct broker *broker);

/* --- turns.c --- */

/*
 * Turns are event priorities: the moments, in bytes on the wire, at which a request is due if all
 * accounts that ask get the same share of the bus. (Start-time fair queueing: Goyal, Vin, Cheng,
 * SIGCOMM 1996.) With one connection each that is one after the other; who has a hundred, or sends
 * batches, has as much of the bus as others, and no more.
 */

#define TURN_COST 4 /* of a request without its transfers, and of letting somebody in */

/* A connection, or listening socket, that is new. 0 or a negative errno. */
int turn_begin(struct broker *broker, struct account *account, sd_event_source *source);
/*
 * An account that is new begins where one of its user's that has gone was served up to: else who
 * comes as another process for each request would be first each time.
 */
void turn_enter(struct broker *broker, struct account *account);
void turn_leave(struct broker *broker, const struct account *account);
/* Whether it is due. False: it comes up again by itself, when others have had theirs. */
bool turn_is_due(struct broker *broker, struct account *account, sd_event_source *source);
/* It was served, at that cost. */
void turn_taken(
	struct broker *broker, struct account *account, sd_event_source *source, int64_t cost);
