/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clients: what they send is kept, and what they get is held against it. */
#include "tests/fuzz/world.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client-lib/reply.h"

struct connection_of *connection_by_broker_fd(int fd)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (world.connections[i].used && world.connections[i].accepted &&
			!world.connections[i].cut && world.connections[i].broker_fd == fd)
			return &world.connections[i];
	return NULL;
}

struct sent *sent_at(struct connection_of *connection, unsigned index)
{
	return &connection->sent[(connection->first + index) % OUTSTANDING];
}

uint64_t checksum(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t sum = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
	return sum;
}

/* No reply is of this size and carries no data; an event's time has no such high bits. */
bool is_event(const void *bytes, size_t size)
{
	const struct rgbroker_reply *reply = bytes;

	static_assert(sizeof(struct rgbroker_event) == 144, "told from replies by its size");
	return size == sizeof(struct rgbroker_event) && reply->length == 0;
}

struct connection_of *peer_connect(unsigned door, struct person *person)
{
	static unsigned age;
	struct connection_of *connection = world.connections;
	struct sockaddr_un address;
	socklen_t size = sizeof(address);

	while (connection->used)
		if (++connection == world.connections + CONNECTIONS)
			return NULL;
	connection->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(connection->fd >= 0, "%s", strerror(errno));
	must(getsockname(world.doors[door], (struct sockaddr *)&address, &size) == 0, "%s",
		strerror(errno));
	must(connect(connection->fd, (struct sockaddr *)&address, size) == 0, "%s",
		strerror(errno));
	connection->used = connection->reads = true;
	connection->accepted = connection->closed = connection->cut = false;
	connection->choked = connection->monitors = connection->dropped_ok = false;
	connection->broker_fd = -1;
	connection->door = door;
	connection->age = ++age;
	connection->pid = person->pid;
	connection->uid = person->uid;
	connection->person = person;
	connection->person_number = person->number;
	connection->had_pidfd = false;
	connection->process = NULL;
	connection->events = 0;
	connection->first = connection->n_sent = connection->n_coming = 0;
	connection->ended = false;
	return connection;
}

static void let_go(struct connection_of *connection)
{
	if (connection->closed && connection->cut)
		connection->used = false;
}

void peer_close(struct connection_of *connection)
{
	if (!connection->closed)
		close(connection->fd);
	connection->closed = true;
	let_go(connection);
}

static bool is_clean(const struct sent *sent)
{
	struct request request;

	return decode(sent->bytes, sent->size, &request) == 0;
}

static bool send_message(int fd, const void *bytes, size_t size, unsigned descriptors)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {0};
	struct iovec vector = {(void *)(uintptr_t)bytes, size};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

	if (descriptors) {
		struct cmsghdr *head;
		int *fds;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
		fds = (int *)(void *)CMSG_DATA(head);
		for (unsigned i = 0; i < descriptors; i++)
			fds[i] = STDERR_FILENO;
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;
}

bool peer_send(
	struct connection_of *connection, const void *bytes, size_t size, unsigned descriptors)
{
	struct sent *sent = sent_at(connection, connection->n_sent);
	const struct rgbroker_request *header = bytes;
	size_t kept = size < sizeof(sent->bytes) ? size : sizeof(sent->bytes);

	if (connection->closed || connection->n_sent == OUTSTANDING || size == 0)
		return false;
	memset(sent, 0, offsetof(struct sent, bytes));
	memset(&sent->n_spans, 0, offsetof(struct sent, read) - offsetof(struct sent, n_spans));
	memcpy(sent->bytes, bytes, kept);
	sent->size = size;
	if (size >= DECODE_FROZEN)
		sent->serial = header->serial;
	sent->broken = descriptors > 0 || size > RGBROKER_REQUEST_MAX;
	sent->foreign = !sent->broken && size >= DECODE_FROZEN &&
			header->version != RGBROKER_PROTOCOL_VERSION;
	sent->clean = !sent->broken && is_clean(sent);
	if (sent->clean)
		sent->opcode = header->opcode;
	if (!send_message(connection->fd, bytes, size, descriptors))
		return false; /* it has no room, or the broker has cut it off */
	connection->n_sent++;
	return true;
}

/* --- what comes back --- */

static void check_event(struct connection_of *connection, const struct rgbroker_event *event)
{
	const struct rgbroker_operation *operation = &event->operation;

	must(connection->door == DOOR_ADMIN || connection->door == DOOR_LOOK,
		"an event by a door without the right");
	must(event->version == RGBROKER_PROTOCOL_VERSION &&
			event->reason <= RGBROKER_REASON_POINTER,
		"an event of version %u, reason %u", event->version, event->reason);
	must((event->reason == RGBROKER_REASON_NONE) == (event->result == 0), "result %d",
		event->result);
	must(operation->address < ADDRESSES && operation->read <= 1 &&
			operation->kind <= RGBROKER_I2C && event->own <= 1,
		"an event of nothing");
	must(event->length <= sizeof(event->data) && event->index < event->count,
		"event: %u bytes, %u of %u", event->length, event->index, event->count);
	must(memchr(event->door, 0, sizeof(event->door)) &&
			memchr(event->device, 0, sizeof(event->device)),
		"an event with a name that does not end");
}

/* As the client library sees it: the reply is good, and answers the oldest request. */
static void check_reply(
	struct connection_of *connection, const struct connection_reply *reply, size_t size)
{
	struct sent *sent = sent_at(connection, 0);
	const struct rgbroker_request *header = (const void *)sent->bytes;
	struct connection_request request;

	must(connection->n_sent > 0 && sent->answered, "a reply too many");
	must(checksum(reply, size) == sent->answer, "the answer to another request");
	if (sent->clean) {
		request = (struct connection_request){
			.header = *header, .operations = (const void *)(header + 1)};
		must(reply_judge(&request, reply, size) == REPLY_OURS,
			"the client library would not take it");
	}
	connection->first = (connection->first + 1) % OUTSTANDING;
	connection->n_sent--;
}

static void check_end(struct connection_of *connection)
{
	must(connection->cut && connection->n_coming == 0, "the end, while there is more");
	connection->ended = true;
	for (unsigned i = 0; i < connection->n_sent; i++) {
		const struct sent *sent = sent_at(connection, i);

		must(!sent->seen || connection->choked, "cut off without an answer");
	}
}

void peer_receive(struct connection_of *connection)
{
	_Alignas(8) static uint8_t bytes[sizeof(struct connection_reply) + 64];

	while (connection->n_coming || connection->cut) {
		ssize_t size = recv(connection->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (size < 0) {
			must(errno == ECONNRESET, "%s", strerror(errno));
			continue; /* told once; what is queued comes behind it */
		}
		if (size == 0) {
			check_end(connection);
			return;
		}
		must(connection->n_coming-- > 0, "more has come than was sent");
		if (is_event(bytes, (size_t)size))
			check_event(connection, (const void *)bytes);
		else
			check_reply(connection, (const void *)bytes, (size_t)size);
	}
}

void peers_receive(void)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct connection_of *connection = &world.connections[i];

		if (connection->used && !connection->closed && !connection->ended &&
			connection->reads)
			peer_receive(connection);
	}
}

static bool broker_has(int fd)
{
	for (const struct client *client = world.broker.clients; client; client = client->next)
		if (sd_event_source_get_io_fd(client->source) == fd)
			return true;
	return false;
}

/* Nobody is cut off but for a reason: malformed, gone, or not taking replies. */
void peers_look(void)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct connection_of *connection = &world.connections[i];

		if (!connection->used || !connection->accepted || connection->cut ||
			broker_has(connection->broker_fd))
			continue;
		must(connection->closed || connection->dropped_ok || connection->choked ||
				!connection->process || world.stopped,
			"somebody was cut off for nothing");
		connection->cut = true;
		connection->broker_fd = -1;
		connection->process = NULL;
		let_go(connection);
	}
}

/* --- processes --- */

void person_exits(struct person *person, bool same_pid, bool closes)
{
	pid_t pid = person->pid;

	if (world.n_ended == ENDED_MAX)
		return;
	must(eventfd_write(person->exit_fd, 1) == 0, "%s", strerror(errno));
	world.ended[world.n_ended].number = person->number;
	world.ended[world.n_ended++].exit_fd = person->exit_fd;
	for (unsigned i = 0; closes && i < CONNECTIONS; i++)
		if (world.connections[i].used && world.connections[i].person == person)
			peer_close(&world.connections[i]);
	if (pid > 0 && !same_pid)
		pid += 100;
	person_is_born(person, pid);
}
