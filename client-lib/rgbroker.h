/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * @file rgbroker.h
 * @brief Transfers on an I2C bus through its broker.
 *
 * The calls are shaped like libi2c's, with the address in each of them: there is no "current
 * address" that an ignored error could leave pointing at another chip.
 *
 * Common to all calls:
 * - Failure is a negative errno, errno itself is not touched. What the bus said (-ENXIO, -EIO,
 *   -EAGAIN, -ETIMEDOUT ...) comes through unchanged. Besides:
 *   - EACCES: no rule allows it, or the socket may not be opened; nothing went on the wire
 *   - EBUSY: a kernel driver or another process has the chip; rgbroker_last_reason() tells which
 *   - ENODEV: the adapter is gone, or was never brokered
 *   - ETIMEDOUT, also: the deadline of rgbroker_set_timeout() passed; the outcome is unknown. With
 *     RGBROKER_BUS_SAID: the adapter timed out, or did so three times in a row and is left alone
 * for a while (1 s, doubling up to 60 s)
 *   - EIO, also: the broker was killed while it worked on this request; the outcome is unknown, and
 *     it is not repeated
 *   - EPROTO: the broker speaks another version of the protocol (RGBROKER_OTHER_VERSION: one of the
 *     two was upgraded while the other was running, start the program again), or refused the
 *     message
 *   - EAGAIN, also: the chip's register pointer was lost; set it again, nothing was carried out (of
 *     a batch, what is told to be done)
 *   - EINVAL: an argument is out of range; nothing was sent
 * - A broker that restarts, is upgraded or went to sleep is not seen: the library connects again
 *   and repeats what was surely not carried out.
 * - A handle may be used by several threads: requests are carried out one after the other.
 *   rgbroker_close() needs that nobody else uses it any more. After fork() a child opens its own.
 * - Nothing is allocated after rgbroker_open(), nothing is logged, no signal is raised.
 */
#ifndef RGBROKER_H
#define RGBROKER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One open bus. */
struct rgbroker;

/** Why the last request of the calling thread was not, or not wholly, carried out. */
enum rgbroker_reason_code {
	RGBROKER_OK = 0,
	RGBROKER_BUS_SAID = 1,         /**< the kernel's answer for the transfer itself */
	RGBROKER_OTHER_VERSION = 2,    /**< broker and library do not match */
	RGBROKER_DOOR = 3,             /**< this socket gives no right to it */
	RGBROKER_FLOOR = 4,            /**< closed for good by the broker's built-in table */
	RGBROKER_NO_RULE = 5,          /**< no device file allows it */
	RGBROKER_NOT_RECOGNISED = 6,   /**< a device file would, but that chip is not there */
	RGBROKER_KERNEL_OWNED = 7,     /**< a kernel driver has the address */
	RGBROKER_CLAIMED_BY_OTHER = 8, /**< another process has the chip */
	RGBROKER_POINTER_LOST = 9, /**< its register pointer is unknown, and not remembered here */
	RGBROKER_BROKER_STOPPING = 10, /**< never the last word: the library connects again */
	RGBROKER_MALFORMED = 11,       /**< the broker did not understand the message */
	RGBROKER_LOCAL = 100 /**< no answer from the broker: connection, deadline, argument */
};

/**
 * List the brokered buses.
 * @param ret_buses  array of @p size numbers N (of /dev/i2c-N), filled in ascending order
 * @param size       its room
 * @return how many there are (may be more than @p size; then the smallest were stored), or a
 *         negative errno. Without a socket directory there are none.
 *
 * RGBROKER_SOCKET_DIR in the environment names another directory than /run/rgbroker.
 */
int rgbroker_list(int *ret_buses, size_t size);

/**
 * Open a bus.
 * @param ret_handle  the new handle; untouched on failure. Ends with rgbroker_close().
 * @param bus         N of /dev/i2c-N, 0 or more
 * @return 0, -ENODEV (no such bus, or not brokered), -EACCES (not in the socket's group), -ENOMEM,
 *         -EINVAL, -EMFILE
 */
int rgbroker_open(struct rgbroker **ret_handle, int bus);

/** As rgbroker_open(), by the path of a socket: another door, or one mounted elsewhere. */
int rgbroker_open_path(struct rgbroker **ret_handle, const char *path);

/** Close a handle and free it. NULL is allowed. */
void rgbroker_close(struct rgbroker *handle);

/**
 * How long a call may take in all, reconnecting included.
 * @param milliseconds  1 or more; 10000 at first, or RGBROKER_TIMEOUT_MS of the environment
 * @return 0 or -EINVAL
 */
int rgbroker_set_timeout(struct rgbroker *handle, int milliseconds);

/** Reason of this thread's last failed call on any handle; RGBROKER_OK after a success. */
enum rgbroker_reason_code rgbroker_last_reason(void);

/** A reason as a sentence in English; never NULL, never freed. */
const char *rgbroker_reason_text(enum rgbroker_reason_code reason);

/** I2C_FUNC_* bits (linux/i2c.h) of what can be asked for on this bus. */
int rgbroker_functionality(struct rgbroker *handle, unsigned long *ret_functionality);

/**
 * The adapter's name as in sysfs, cut to fit.
 * @param ret_name  @p size bytes, 1 or more, NUL-terminated on success
 */
int rgbroker_name(struct rgbroker *handle, char *ret_name, size_t size);

/*
 * SMBus transfers. address: 0..0x7f. Reads return the value (0 or more), writes return 0.
 * Words are in host order, low byte first on the wire. Blocks are 0..32 bytes; reads return how
 * many bytes were stored in ret_values, which has room for 32.
 */
int rgbroker_smbus_quick(struct rgbroker *handle, uint8_t address, int read_bit);
int rgbroker_smbus_read_byte(struct rgbroker *handle, uint8_t address);
int rgbroker_smbus_write_byte(struct rgbroker *handle, uint8_t address, uint8_t value);
int rgbroker_smbus_read_byte_data(struct rgbroker *handle, uint8_t address, uint8_t command);
int rgbroker_smbus_write_byte_data(
	struct rgbroker *handle, uint8_t address, uint8_t command, uint8_t value);
int rgbroker_smbus_read_word_data(struct rgbroker *handle, uint8_t address, uint8_t command);
int rgbroker_smbus_write_word_data(
	struct rgbroker *handle, uint8_t address, uint8_t command, uint16_t value);
int rgbroker_smbus_read_block_data(
	struct rgbroker *handle, uint8_t address, uint8_t command, uint8_t *ret_values);
int rgbroker_smbus_write_block_data(struct rgbroker *handle, uint8_t address, uint8_t command,
	size_t length, const uint8_t *values);
/** @param length  bytes wanted, 1..32 */
int rgbroker_smbus_read_i2c_block_data(struct rgbroker *handle, uint8_t address, uint8_t command,
	size_t length, uint8_t *ret_values);
int rgbroker_smbus_write_i2c_block_data(struct rgbroker *handle, uint8_t address, uint8_t command,
	size_t length, const uint8_t *values);

/** What an operation of a batch is; the numbers are the kernel's I2C_SMBUS_*, and one for plain
 * I2C. */
enum rgbroker_operation_kind {
	RGBROKER_OP_QUICK = 0,
	RGBROKER_OP_BYTE = 1,
	RGBROKER_OP_BYTE_DATA = 2,
	RGBROKER_OP_WORD_DATA = 3,
	RGBROKER_OP_BLOCK_DATA = 5,
	RGBROKER_OP_I2C_BLOCK = 8,
	RGBROKER_OP_I2C = 16
};

/**
 * One operation of a batch.
 *
 * kind QUICK: read is the bit. BYTE: a write sends command. BYTE_DATA, WORD_DATA: 1 or 2 bytes in
 * data, low byte first. BLOCK_DATA, I2C_BLOCK: length bytes in data; a read needs room for 32
 * (BLOCK_DATA) or length (I2C_BLOCK) bytes and sets length to what came. I2C: one plain message of
 * length bytes; with joined set, the next operation follows without a stop in between.
 */
struct rgbroker_op {
	uint8_t kind;
	uint8_t read;
	uint8_t address;
	uint8_t command;
	uint8_t joined;
	uint16_t length;
	uint8_t *data; /**< owned by the caller; not changed by writes */
};

/**
 * Run operations back to back, with no other client of the broker in between (the kernel's own
 * drivers may slip in), and stop at the first failure. All are judged before the first is run.
 *
 * A broker that is told to stop in the middle finishes the operation in hand. The library goes on
 * with the rest at the next broker, each operation once and in order; then others may come in
 * between, and the rest is judged anew.
 * @param ops       1..64 operations, 2112 bytes of data in all (a block counts one more)
 * @param ret_done  how many were carried out, also on failure, and their reads are filled in; may
 * be NULL. With -EIO and -ETIMEDOUT of RGBROKER_LOCAL one or more behind these may have been
 * carried out, too
 * @return 0 or the first failure
 */
int rgbroker_batch(
	struct rgbroker *handle, struct rgbroker_op *ops, size_t count, size_t *ret_done);

/**
 * Plain I2C: messages joined by repeated starts, one stop at the end, as I2C_RDWR does.
 * @param messages  1..8 operations of kind RGBROKER_OP_I2C, 1024 bytes in all; joined is set here
 * @return 0 or a negative errno
 */
int rgbroker_i2c_transfer(struct rgbroker *handle, struct rgbroker_op *messages, size_t count);

#ifdef __cplusplus
}
#endif

#endif
