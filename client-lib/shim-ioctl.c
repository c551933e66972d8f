/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ioctl(): which one, and those that need no transfer. */
#include "client-lib/shim-next.h"
#include "client-lib/shim.h"

#include <errno.h>
#include <limits.h>
#include <linux/i2c-dev.h>
#include <stdarg.h>
#include <sys/ioctl.h>

int shim_slave(const struct shim_call *call)
{
	unsigned note = atomic_load(&call->file->connection.note);

	return note & NOTE_FAILED ? -EBUSY : (int)(note & NOTE_ADDRESS);
}

/*
 * i2c-dev keeps the previous address after a failure, and a program that ignores the failure then
 * talks to the wrong chip. Here its transfers fail instead.
 */
static int set_slave(struct shim_call *call, unsigned long address, int error)
{
	struct connection *connection = &call->file->connection;
	unsigned note = atomic_load(&connection->note) & ~(NOTE_ADDRESS | NOTE_FAILED);

	if (error == 0 && address > NOTE_ADDRESS)
		error = -EINVAL;
	if (error == 0 && shim_address_is_bound(call->file->bus, (unsigned)address))
		error = -EBUSY;
	note |= error == 0 ? (unsigned)address : NOTE_FAILED;
	connection_set_note(connection, call->fd, note);
	return error;
}

static int functionality(struct shim_call *call, void *argument)
{
	struct rgbroker_info info;
	uint16_t reason;
	unsigned long value;
	int r = connection_info(&call->file->connection, call->fd, &info, &reason);

	if (r < 0)
		return r;
	value = info.functionality;
	return shim_copy_out(call->fd, argument, &value, sizeof(value));
}

/* Adapter-wide settings: they would change the bus for everybody. */
static int adapter_setting(unsigned long value)
{
	return value > INT_MAX ? -EINVAL : -EPERM;
}

int shim_ioctl(struct shim_call *call, unsigned long request, void *argument)
{
	unsigned long value = (unsigned long)argument;

	switch (request) {
	case I2C_SLAVE:
		return set_slave(call, value, 0);
	case I2C_SLAVE_FORCE:
		return set_slave(call, value, -EPERM);
	case I2C_TENBIT:
	case I2C_PEC:
		return value == 0 ? 0 : -EOPNOTSUPP;
	case I2C_RETRIES:
	case I2C_TIMEOUT:
		return adapter_setting(value);
	case I2C_FUNCS:
		return functionality(call, argument);
	case I2C_SMBUS:
		return shim_smbus(call, argument);
	case I2C_RDWR:
		return shim_rdwr(call, argument);
	default:
		return -ENOTTY;
	}
}

/* What the kernel answers for any file, before it asks the driver. */
static bool belongs_to_every_file(unsigned long request)
{
	return request == FIOCLEX || request == FIONCLEX || request == FIONBIO ||
	       request == FIOASYNC;
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	struct shim_call call;
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	/* The kernel looks at 32 bits of it; a program may have put it into an int. */
	if (belongs_to_every_file((unsigned)request) || !shim_begin(&call, fd))
		return next()->ioctl(fd, request, argument);
	return (int)shim_end(&call, shim_ioctl(&call, (unsigned)request, argument));
}
