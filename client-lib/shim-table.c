/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which sockets are i2c descriptors of this process. */
#include "client-lib/link.h"
#include "client-lib/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 1024
#define SWEEP_EACH 64 /* how many may be opened until the closed ones are looked for */

/* state: how many calls hold it, plus one. Only a free or idle one may become CHANGING. */
#define FREE 0
#define IDLE 1
#define CHANGING -1

atomic_bool shim_active;

static struct shim_file files[FILES_MAX];
static atomic_int highest; /* one above the highest slot ever used */
static atomic_int owner;   /* whose memory this is, once used; another pid is a vfork child */
static unsigned opened;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER; /* changes; look-ups need none */

/* Never for ever: a vfork child may have been killed while it had the lock. */
static int lock_table(void)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 1 + shim_timeout_ms() / 1000;
	return -pthread_mutex_clocklock(&table_lock, CLOCK_MONOTONIC, &until);
}

static bool matches(struct shim_file *file, uint64_t inode, int pid)
{
	return atomic_load(&file->pid) == pid && connection_knows(&file->connection, inode);
}

static bool hold(struct shim_file *file)
{
	int state = atomic_load(&file->state);

	while (state >= IDLE)
		if (atomic_compare_exchange_weak(&file->state, &state, state + 1))
			return true;
	return false;
}

static void release(struct shim_file *file)
{
	atomic_fetch_sub(&file->state, 1);
}

static struct shim_file *find(uint64_t inode, int pid)
{
	int end = atomic_load(&highest);

	for (int i = 0; i < end; i++) {
		if (!matches(&files[i], inode, pid) || !hold(&files[i]))
			continue;
		if (matches(&files[i], inode, pid))
			return &files[i]; /* and it stays so while it is held */
		release(&files[i]);
	}
	return NULL;
}

static bool is_closed(struct shim_file *file)
{
	return link_inode(atomic_load(&file->connection.descriptor)) !=
	       atomic_load(&file->connection.inode);
}

/*
 * A number that was closed while a dup of it lives is taken for closed: the dup is then recognised
 * anew. A vfork child sees its own numbers only, and so must leave its parent's files alone.
 */
static void sweep(int pid)
{
	bool is_owner = pid == atomic_load(&owner);
	int end = atomic_load(&highest);

	for (int i = 0; i < end; i++) {
		int idle = IDLE;

		if (atomic_load(&files[i].state) != IDLE || !is_closed(&files[i]))
			continue;
		if (!is_owner && atomic_load(&files[i].pid) != pid)
			continue;
		if (!atomic_compare_exchange_strong(&files[i].state, &idle, CHANGING))
			continue;
		atomic_store(&files[i].pid, 0);
		atomic_store(&files[i].state, FREE);
	}
}

static struct shim_file *take_slot(int pid)
{
	if (opened++ % SWEEP_EACH == SWEEP_EACH - 1)
		sweep(pid);
	for (int i = 0; i < FILES_MAX; i++) {
		int free = FREE;

		if (!atomic_compare_exchange_strong(&files[i].state, &free, CHANGING))
			continue;
		if (i >= atomic_load(&highest))
			atomic_store(&highest, i + 1);
		return &files[i];
	}
	return NULL;
}

/* Fill a slot; it is held. With the table locked. connected: the socket is this process's own. */
static int add(
	struct shim_file **ret_file, int bus, int fd, uint64_t inode, unsigned note, bool connected)
{
	char path[sizeof((*ret_file)->connection.path)];
	int pid = getpid();
	int r = shim_socket_path(path, sizeof(path), bus);
	struct shim_file *file;
	int nobody = 0;

	if (r < 0)
		return r;
	atomic_compare_exchange_strong(&owner, &nobody, pid);
	file = take_slot(pid);
	if (file == NULL) {
		sweep(pid);
		file = take_slot(pid);
	}
	if (file == NULL)
		return -EMFILE;
	connection_init(&file->connection, path, fd, inode, shim_timeout_ms());
	file->connection.usable = connected;
	file->connection.linked_before = connected;
	atomic_store(&file->connection.note, note);
	file->connection.own = connected;
	file->connection.left_note = NOTE_FAILED;
	file->bus = bus;
	atomic_store(&file->state, IDLE + 1);
	atomic_store(&file->pid, pid);
	atomic_store(&shim_active, true);
	*ret_file = file;
	return 0;
}

/* Inherited from another process: it needs a connection of its own, which its first transfer
 * makes, and takes the state along that lies on the socket. */
static struct shim_file *adopt(int fd, uint64_t inode)
{
	int bus = shim_bus_of_peer(fd);
	struct shim_file *file;

	if (bus < 0 || lock_table() < 0)
		return NULL;
	file = find(inode, getpid());
	if (file == NULL)
		(void)add(&file, bus, fd, inode, connection_read_note(fd), false);
	pthread_mutex_unlock(&table_lock);
	return file;
}

static void block_signals(struct shim_call *call)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &call->saved_mask);
}

bool shim_begin(struct shim_call *call, int fd)
{
	if (!atomic_load_explicit(&shim_active, memory_order_relaxed))
		return false;
	call->fd = fd;
	call->saved_errno = errno;
	call->file = NULL;
	call->inode = link_inode(fd);
	if (call->inode != 0) {
		block_signals(call);
		call->file = find(call->inode, shim_caller(&call->thread));
		if (call->file == NULL)
			call->file = adopt(fd, call->inode);
		if (call->file == NULL)
			pthread_sigmask(SIG_SETMASK, &call->saved_mask, NULL);
	}
	errno = call->saved_errno;
	return call->file != NULL;
}

ssize_t shim_end(struct shim_call *call, ssize_t result)
{
	release(call->file);
	pthread_sigmask(SIG_SETMASK, &call->saved_mask, NULL);
	errno = result < 0 ? (int)-result : call->saved_errno;
	return result < 0 ? -1 : result;
}

static int register_new(int bus, int fd, unsigned note)
{
	struct shim_file *file;
	int r = lock_table();

	if (r < 0)
		return r;
	r = add(&file, bus, fd, link_inode(fd), note, true);
	pthread_mutex_unlock(&table_lock);
	if (r < 0)
		return r;
	connection_set_note(&file->connection, fd, note);
	release(file);
	return 0;
}

int shim_connect(int bus, int open_flags)
{
	static const unsigned access_notes[] = {
		[O_RDONLY] = NOTE_NO_WRITE, [O_WRONLY] = NOTE_NO_READ, [O_ACCMODE] = 0};
	char path[sizeof(((struct connection *)0)->path)];
	struct shim_call call;
	int r = shim_socket_path(path, sizeof(path), bus);
	int fd;

	if (r < 0)
		return r;
	block_signals(&call);
	fd = link_connect(path, link_now() + shim_timeout_ms());
	r = fd;
	if (fd >= 0)
		r = register_new(bus, fd, NOTE_MAGIC | access_notes[open_flags & O_ACCMODE]);
	if (r == 0 && !(open_flags & O_CLOEXEC))
		(void)fcntl(fd, F_SETFD, 0);
	if (fd >= 0 && r < 0)
		close(fd);
	pthread_sigmask(SIG_SETMASK, &call.saved_mask, NULL);
	return r < 0 ? r : fd;
}

int shim_bus_of(int fd)
{
	int saved_errno = errno;
	struct shim_file *file;
	uint64_t inode;
	int bus = -1;

	if (!atomic_load_explicit(&shim_active, memory_order_relaxed))
		return -1;
	inode = link_inode(fd);
	file = inode != 0 ? find(inode, getpid()) : NULL;
	if (file != NULL) {
		bus = file->bus;
		release(file);
	} else if (inode != 0) {
		bus = shim_bus_of_peer(fd);
	}
	errno = saved_errno;
	return bus;
}

/* All state is on the sockets: a child begins with an empty table and recognises them again. */
static void forget_all(void)
{
	int end = atomic_load(&highest);

	for (int i = 0; i < end; i++) {
		atomic_store(&files[i].pid, 0);
		atomic_store(&files[i].state, FREE);
	}
	atomic_store(&highest, 0);
	pthread_mutex_init(&table_lock, NULL);
	/* No system call here: a program without I2C is to pay nothing for its forks. */
	atomic_store(&owner, 0);
}

__attribute__((constructor)) static void begin(void)
{
	pthread_atfork(NULL, NULL, forget_all);
}
