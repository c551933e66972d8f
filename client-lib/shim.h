/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The i2c-dev shim: makes an unmodified program's /dev/i2c-N a connection to that bus's broker.
 *
 * A descriptor is recognised by its socket's inode, so close() and dup() need no hooks. The state
 * that i2c-dev keeps in an open file (the slave address) is kept in the socket's note, so it is
 * where the open file is: in dup()s, in children, behind exec. A process other than the one that
 * connected gets a connection of its own, on the same number, with the same note.
 *
 * Nothing here calls a function that this library replaces, allocates, or exits.
 */
#pragma once

#include "client-lib/connection.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define EXPORT __attribute__((visibility("default")))

#define NOTE_MAGIC 0x52470000u /* whose socket it is: librgbroker's have none */
#define NOTE_MAGIC_MASK 0xffff0000u
#define NOTE_ADDRESS 0x7fu
#define NOTE_FAILED 0x80u    /* the last I2C_SLAVE failed: transfers fail until one succeeds */
#define NOTE_NO_READ 0x100u  /* opened O_WRONLY */
#define NOTE_NO_WRITE 0x200u /* opened O_RDONLY */

/** False until this process had an i2c descriptor: then every hook is one load and a jump. */
extern atomic_bool shim_active;

struct shim_file {
	atomic_int state; /* see shim-table.c */
	atomic_int pid;   /* whose connection; a vfork child shares this table */
	int bus;
	struct connection connection;
};

/** One call on an i2c descriptor. Signals wait meanwhile, as they do for a real one. */
struct shim_call {
	struct shim_file *file;
	int fd;
	uint64_t inode;  /* of its socket */
	uint32_t thread; /* whose: the context of its requests */
	int saved_errno;
	sigset_t saved_mask;
};

/**
 * The calling process, and its thread. The thread is asked for each time: a child has the memory of
 * its parent, and one of vfork even shares it.
 */
pid_t shim_caller(uint32_t *ret_thread);

/** Is fd an i2c descriptor? Then shim_end() must follow. False: errno is as it was. */
bool shim_begin(struct shim_call *call, int fd);

/** Let go. @return result, or -1 with errno set from a negative one; success leaves errno alone */
ssize_t shim_end(struct shim_call *call, ssize_t result);

/** Connect to a bus. @return the descriptor or a negative errno; -ENODEV: it has no broker */
int shim_connect(int bus, int open_flags);

/** The bus behind a descriptor, or -1. Leaves it and errno as they are. */
int shim_bus_of(int fd);

/** The bus of a socket that a shim opened, here or in another process, by the broker's address; or
 *  -1. Disturbs errno. */
int shim_bus_of_peer(int fd);

/** N of /dev/i2c-N; -1 for all other paths, and for NULL. Not of devfs' /dev/i2c/N: there is none,
 *  and i2c-tools, which try it first, print the name of the one that opened. */
int shim_node(const char *path);

/** Path of a bus's socket. @return 0 or a negative errno */
int shim_socket_path(char *ret_path, size_t size, int bus);

/** Whether a kernel driver is bound to an address, as sysfs shows it. */
bool shim_address_is_bound(int bus, unsigned address);

/* What the environment said when the library was loaded. */
const char *shim_socket_directory(void);
int shim_timeout_ms(void);

/** Copy from and to the program. @return 0 or -EFAULT, where the kernel would say so */
int shim_copy_in(void *ret_copy, const void *from, size_t size);
int shim_copy_out(int fd, void *to, const void *from, size_t size);

/** Is all of it readable? */
bool shim_readable(const void *memory, size_t size);

/** The slave address of a transfer, or -EBUSY after a failed I2C_SLAVE. */
int shim_slave(const struct shim_call *call);

/* The calls. @return what the system call would: a number, or a negative errno */
int shim_ioctl(struct shim_call *call, unsigned long request, void *argument);
int shim_smbus(struct shim_call *call, void *argument);
int shim_rdwr(struct shim_call *call, void *argument);
ssize_t shim_read(struct shim_call *call, void *ret_buffer, size_t count);
ssize_t shim_write(struct shim_call *call, const void *buffer, size_t count);
