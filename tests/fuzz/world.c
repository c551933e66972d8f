/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker's life, and what it is told in the kernel's place. */
#include "tests/fuzz/world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define LINE_MAX_LENGTH 600
#define SECOND UINT64_C(1000000)

struct world world;

static int first_free_fd; /* as it was before there was a broker */

/* --- in the kernel's place --- */

int __real_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __wrap_usleep(useconds_t usec);
int __wrap_sd_event_now(sd_event *event, clockid_t clock, uint64_t *usec);
void __wrap_log_line(int priority, const char *const *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int __real_process_enter(
	struct broker *broker, int fd, const struct ucred *peer, struct process **ret_process);
int __wrap_quarantine_answer(struct quarantine *quarantine,
	const struct rgbroker_operation *operations, size_t count, uint64_t now_usec);
int __wrap_process_enter(
	struct broker *broker, int fd, const struct ucred *peer, struct process **ret_process);
void __real_process_leave(struct process *process);
void __wrap_process_leave(struct process *process);
void __real_pointers_forget_process(struct pointers *pointers, const struct process *process);
void __wrap_pointers_forget_process(struct pointers *pointers, const struct process *process);
bool __wrap_claim_release(struct broker *broker, uint8_t address);
bool __real_claim_release(struct broker *broker, uint8_t address);

/* It has tests of its own; here every transfer that is allowed is to reach the bus. */
int __wrap_quarantine_answer(struct quarantine *quarantine,
	const struct rgbroker_operation *operations, size_t count, uint64_t now_usec)
{
	return 0;
}

/* Connections are accepted in the order in which they were made. */
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	int peer = __real_accept4(fd, address, size, flags);
	struct connection_of *oldest = NULL;

	for (unsigned i = 0; peer >= 0 && i < CONNECTIONS; i++) {
		struct connection_of *connection = &world.connections[i];

		if (connection->used && !connection->accepted &&
			world.doors[connection->door] == fd &&
			(!oldest || connection->age < oldest->age))
			oldest = connection;
	}
	if (oldest) {
		oldest->accepted = true;
		oldest->broker_fd = peer;
	}
	must(peer < 0 || oldest, "somebody was accepted whom nobody knows");
	must(flags == (SOCK_CLOEXEC | SOCK_NONBLOCK), "flags of accept4()");
	return peer;
}

static int answer_pidfd(int exit_fd)
{
	if (world.no_pidfd || exit_fd < 0) {
		errno = world.no_pidfd ? world.no_pidfd : ESRCH;
		return -1;
	}
	return fcntl(exit_fd, F_DUPFD_CLOEXEC, 0);
}

static int exit_fd_of(const struct connection_of *connection)
{
	if (connection->person_number == connection->person->number)
		return connection->person->exit_fd;
	for (unsigned i = 0; i < world.n_ended && world.kernel == KERNEL_TELLS; i++)
		if (world.ended[i].number == connection->person_number)
			return world.ended[i].exit_fd;
	return -1;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	struct connection_of *connection = connection_by_broker_fd(fd);
	int pidfd;

	if (!connection || level != SOL_SOCKET || (name != SO_PEERCRED && name != SO_PEERPIDFD))
		return __real_getsockopt(fd, level, name, value, size);
	if (name == SO_PEERCRED && world.no_credentials) {
		world.no_credentials = false;
		errno = ENOMEM;
		return -1;
	}
	if (name == SO_PEERCRED) {
		*(struct ucred *)value =
			(struct ucred){connection->pid, connection->uid, connection->uid};
		return 0;
	}
	if (world.kernel == KERNEL_DOES_NOT_KNOW) {
		errno = ENOPROTOOPT;
		return -1;
	}
	pidfd = answer_pidfd(exit_fd_of(connection));
	if (pidfd < 0)
		return -1;
	*(int *)value = pidfd;
	return 0;
}

/* pidfd_open(): by number, whose ever it is now. */
long __wrap_syscall(long number, ...)
{
	va_list arguments;
	pid_t pid;

	must(number == SYS_pidfd_open, "system call %ld", number);
	va_start(arguments, number);
	pid = va_arg(arguments, pid_t);
	va_end(arguments);
	must(pid > 0, "pidfd_open(%d)", pid);
	for (unsigned i = 0; i < PEOPLE; i++)
		if (world.people[i].pid == pid)
			return answer_pidfd(world.people[i].exit_fd);
	errno = ESRCH;
	return -1;
}

/* Which request the broker works on from now on. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t size = __real_recvmsg(fd, message, flags);
	struct connection_of *connection = connection_by_broker_fd(fd);

	must(connection, "a message of nobody's");
	must(!world.request || world.request->answered, "a request without an answer");
	world.current = connection;
	world.request = NULL;
	world.message = message->msg_iov->iov_base;
	if (size <= 0)
		return size;
	world.n_messages += !world.draining;
	for (unsigned i = 0; i < connection->n_sent && !world.request; i++)
		if (!sent_at(connection, i)->seen)
			world.request = sent_at(connection, i);
	must(world.request, "more messages than were sent");
	world.request->seen = true;
	world.request->drained = world.draining;
	must(message->msg_flags & MSG_TRUNC ||
			((size_t)size == world.request->size &&
				memcmp(world.message, world.request->bytes, (size_t)size) == 0),
		"another message than the oldest one");
	return size;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags)
{
	ssize_t sent = __real_send(fd, bytes, size, flags);
	struct connection_of *connection = connection_by_broker_fd(fd);

	must(connection, "something was sent to nobody");
	must(flags == (MSG_DONTWAIT | MSG_NOSIGNAL), "flags of send()");
	if (sent == (ssize_t)size)
		connection->n_coming++;
	else
		connection->choked = true;
	if (is_event(bytes, size)) {
		connection->events++;
		return sent;
	}
	must(connection == world.current && world.request && !world.request->answered,
		"a reply that answers nothing");
	world.request->answered = true;
	world.request->answer = checksum(bytes, size);
	oracle_answered(world.request, bytes, size);
	return sent;
}

int __wrap_usleep(useconds_t usec)
{
	world.monotonic += usec;
	world.boottime += usec;
	return 0;
}

int __wrap_sd_event_now(sd_event *event, clockid_t clock, uint64_t *usec)
{
	*usec = clock == CLOCK_BOOTTIME ? world.boottime : world.monotonic;
	return 0;
}

/* One of the broker's own, and as printable as the line. */
static void must_be_field(const char *field)
{
	must(strncmp(field, "RGBROKER_", 9) == 0
			? strchr(field, '=') != NULL
			: strncmp(field, "MESSAGE_ID=", 11) == 0 &&
				  strspn(field + 11, "0123456789abcdef") == 32,
		"field %s", field);
	for (const char *at = field; *at; at++)
		must(*at >= ' ' && *at < 0x7f, "byte %#x in a field", *at);
}

/* A quarantine lasts a second and more, which pass by themselves here: nothing limits these. */
static bool is_about_quarantine(const char *const *fields)
{
	return fields && fields[0] &&
	       (strcmp(fields[0], LOG_ID_QUARANTINE_BEGINS) == 0 ||
		       strcmp(fields[0], LOG_ID_QUARANTINE_ENDS) == 0);
}

/* A line is for a person: no bytes of a client's choice, and an end. */
void __wrap_log_line(int priority, const char *const *fields, const char *format, ...)
{
	char line[2048];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	must(length > 0 && length < LINE_MAX_LENGTH, "a line of %d characters", length);
	for (int i = 0; i < length; i++)
		must(line[i] >= ' ' && line[i] < 0x7f, "byte %#x in a line", line[i]);
	for (unsigned i = 0; fields && fields[i]; i++)
		must_be_field(fields[i]);
	world.lines += !is_about_quarantine(fields);
}

/* Short of descriptors, a process is still one process. */
static void check_not_split(const struct connection_of *connection, const struct process *process)
{
	for (unsigned i = 0; i < CONNECTIONS && world.no_pidfd == EMFILE; i++) {
		const struct connection_of *other = &world.connections[i];

		if (other != connection && other->used && other->process && other->had_pidfd &&
			other->person_number == connection->person_number &&
			other->person_number == other->person->number)
			must(other->process == process, "one process is taken for two");
	}
}

int __wrap_process_enter(
	struct broker *broker, int fd, const struct ucred *peer, struct process **ret_process)
{
	struct connection_of *connection = connection_by_broker_fd(fd);
	int r = __real_process_enter(broker, fd, peer, ret_process);

	if (r == 0) {
		check_not_split(connection, *ret_process);
		oracle_process_comes(*ret_process);
		connection->process = *ret_process;
		connection->had_pidfd = (*ret_process)->pidfd >= 0;
	}
	return r;
}

void __wrap_process_leave(struct process *process)
{
	if (process->clients == 1)
		oracle_process_gone(process);
	__real_process_leave(process);
}

void __wrap_pointers_forget_process(struct pointers *pointers, const struct process *process)
{
	oracle_forget_process(process);
	__real_pointers_forget_process(pointers, process);
}

bool __wrap_claim_release(struct broker *broker, uint8_t address)
{
	must(world.request && world.request->opcode == RGBROKER_RELEASE, "nobody asked for it");
	must(world.broker.policy.n_doors && world.current->door == DOOR_ADMIN,
		"another door than the administrators' ends claims");
	oracle_released(address);
	return __real_claim_release(broker, address);
}

/* --- a broker's life --- */

static int listen_nameless(void)
{
	const struct sockaddr_un nameless = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	must(fd >= 0 && bind(fd, (const struct sockaddr *)&nameless, sizeof(sa_family_t)) == 0 &&
			listen(fd, 128) == 0,
		"%s", strerror(errno));
	return fd;
}

static int next_fd(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	close(fd);
	return fd;
}

void world_set_up(void)
{
	static const char *const names[DOORS] = {"rgb", "admin", "look", "some", "unknown"};
	char number[16];
	int fd = memfd_create("bus", 0);

	must(fd >= 0 && ftruncate(fd, sizeof(struct fake_bus)) == 0, "%s", strerror(errno));
	sim.bus = mmap(NULL, sizeof(struct fake_bus), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(sim.bus != MAP_FAILED, "%s", strerror(errno));
	snprintf(number, sizeof(number), "%d", fd); /* closed by the bus, once it has it */
	setenv(FAKE_BUS_VARIABLE, number, 1);
	bus_open(&world.broker.bus, 0, -1);
	for (unsigned i = 0; i < DOORS; i++) {
		world.doors[i] = listen_nameless();
		world.door_names[i] = names[i];
	}
}

void person_is_born(struct person *person, pid_t pid)
{
	static unsigned number;

	*person = (struct person){.pid = pid,
		.uid = 1000 + (uid_t)pid,
		.exit_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.number = ++number};
	must(person->exit_fd >= 0, "%s", strerror(errno));
}

void world_begin(const struct scene *scene, struct input *input)
{
	first_free_fd = next_fd();
	world.monotonic = 1000 * SECOND;
	world.boottime = 1500 * SECOND;
	world.kernel = input_byte(input) % 3;
	world.n_ended = 0;
	world.no_pidfd = 0;
	for (unsigned i = 0; i < PEOPLE; i++)
		person_is_born(&world.people[i], i + 1 < PEOPLE ? 100 + (pid_t)i : 0);
	sim_begin(scene, input);
	world_start(scene);
}

void world_start(const struct scene *scene)
{
	static struct rgbroker_live live;
	struct broker *broker = &world.broker;

	*broker = (struct broker){.policy = scene->policy,
		.peer_lines = {.interval_usec = 10 * SECOND, .burst = 20},
		.live = &live};
	must(sd_event_new(&broker->event) == 0, "no event loop");
	must(bus_open(&broker->bus, 7, -1) == 0, "no bus");
	broker->last_request_usec = world.monotonic;
	for (unsigned i = 0; i < DOORS; i++)
		must(door_open(broker, world.doors[i], world.door_names[i]) == 0, "door %u", i);
	world.n_messages = world.n_operations = world.n_own_reads = 0;
	world.n_pointer_set = world.n_refused = world.n_failed = 0;
	world.lines = 0;
	world.stopped = world.slept = false;
	world.started = world.monotonic;
	world.happenings = 0;
	oracle_begin();
}

bool world_step(void)
{
	int r;

	world.current = NULL;
	world.request = NULL;
	r = sd_event_run(world.broker.event, 0);
	must(r >= 0, "the event loop: %s", strerror(-r));
	must(!world.request || world.request->answered, "a request without an answer");
	world.request = NULL;
	if (r == 0)
		return false;
	peers_look();
	peers_receive();
	state_check();
	return true;
}

void world_settle(void)
{
	unsigned steps = 0;

	while (world_step())
		must(++steps < 4096, "it never comes to rest");
}

/* What has no further client must have no further memory, either: the leak checker sees to it. */
void world_stop(void)
{
	struct broker *broker = &world.broker;

	world.current = NULL;
	world.request = NULL;
	world.draining = true;
	broker_drain(broker, "told to stop");
	world.draining = false;
	must(!world.request || world.request->answered, "a request without an answer");
	world.request = NULL;
	must(!broker->clients && !broker->processes && broker->status.clients == 0 &&
			broker->n_monitors == 0,
		"somebody is left");
	for (unsigned at = 0; at < ADDRESSES; at++)
		must(!broker->claims[at], "0x%02x is still claimed", at);
	must(broker->live->since == 0, "it still works on something");
	for (size_t i = 0; i < broker->n_listeners; i++)
		sd_event_source_unref(broker->listeners[i].source);
	sd_event_source_unref(broker->accept_again);
	sd_event_unref(broker->event);
	world.stopped = true;
	peers_look();
	peers_receive();
}

void world_end(void)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (world.connections[i].used)
			peer_close(&world.connections[i]);
	for (unsigned i = 0; i < DOORS; i++)
		for (int fd; (fd = __real_accept4(world.doors[i], NULL, NULL, SOCK_CLOEXEC)) >= 0;)
			close(fd);
	for (unsigned i = 0; i < PEOPLE; i++)
		close(world.people[i].exit_fd);
	for (unsigned i = 0; i < world.n_ended; i++)
		close(world.ended[i].exit_fd);
	must(next_fd() == first_free_fd, "descriptors are left open");
}
