/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bus in memory that the tests can see and change, in place of bus-i2c-dev.c. */
#include "tests/daemon/fake-bus.h"

#include <errno.h>
#include <linux/i2c-dev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "broker/bus.h"

static int nothing; /* an epoll that waits for nothing */

static struct fake_bus *fake(void)
{
	static struct fake_bus *bus;

	if (!bus) {
		int fd = atoi(getenv(FAKE_BUS_VARIABLE));

		bus = mmap(NULL, sizeof(*bus), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (bus == MAP_FAILED)
			abort();
		close(fd);
		nothing = epoll_create1(EPOLL_CLOEXEC);
	}
	return bus;
}

/* Linked in place of adapter_find(): no udev knows this bus. */
int __wrap_adapter_find(unsigned number, struct adapter *ret_adapter);
int __wrap_adapter_find(unsigned number, struct adapter *ret_adapter)
{
	*ret_adapter = (struct adapter){.number = number, .class = fake()->class};
	snprintf(ret_adapter->name, sizeof(ret_adapter->name), "%s",
		fake()->name[0] ? fake()->name : "simulated");
	return fake()->find_error;
}

int bus_adapter(int fd)
{
	return fd == STDIN_FILENO ? fake()->stdin_adapter : fake()->passed_adapter;
}

int bus_open(struct bus *ret_bus, unsigned number, int fd)
{
	fake()->opened_fd = fd;
	*ret_bus = (struct bus){.fd = -1, .functionality = 0x0eff0001};
	return fake()->open_error;
}

/* As bus-i2c-dev.c does, but nobody is there to answer. */
static void call_node(unsigned times)
{
	while (fake()->node_calls && times-- > 0)
		ioctl(STDIN_FILENO, I2C_SLAVE, 0);
}

int bus_owner(struct bus *bus, uint8_t address, bool *ret_owned)
{
	call_node(1);
	*ret_owned = fake()->chips[address].owned;
	return 0;
}

static void log_operation(const struct rgbroker_operation *operation, size_t position, size_t count,
	const uint8_t *data)
{
	unsigned at = atomic_load(&fake()->count);
	struct fake_entry *entry = &fake()->log[at % FAKE_LOG_SIZE];

	*entry = (struct fake_entry){.kind = operation->kind,
		.read = operation->read,
		.address = operation->address,
		.command = operation->command,
		.length = operation->length,
		.position = (uint8_t)position,
		.count = (uint8_t)count};
	if (data)
		memcpy(entry->data, data,
			operation->length < sizeof(entry->data) ? operation->length
								: sizeof(entry->data));
	atomic_store(&fake()->count, at + 1);
}

/* By one of the calls that the broker's sandbox leaves; usleep() makes another. */
static void pass_time(uint64_t nsec)
{
	const struct timespec time = {
		.tv_sec = (time_t)(nsec / 1000000000), .tv_nsec = (long)(nsec % 1000000000)};
	struct epoll_event none;

	epoll_pwait2(nothing, &none, 1, &time, NULL);
}

static uint64_t now_nsec(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Bytes on the wire, the address of each start among them. */
static unsigned wire_bytes(const struct rgbroker_operation *operation, bool *ret_starts_again)
{
	uint8_t kind = operation->kind;
	bool plain = kind == RGBROKER_QUICK || kind == RGBROKER_I2C;
	bool has_command = !plain && (kind != RGBROKER_BYTE || !operation->read);
	unsigned bytes = 1U + operation->length + has_command;

	*ret_starts_again = has_command && operation->read;
	if (kind == RGBROKER_BLOCK_DATA && !operation->read)
		bytes++; /* the count; of reads it is in the length */
	if (kind == RGBROKER_I2C_BLOCK && operation->read)
		bytes--; /* its count is the reply's only */
	return bytes + *ret_starts_again;
}

/* A start, nine bits a byte, a stop. */
static uint64_t wire_nsec(const struct rgbroker_operation *operations, size_t count)
{
	uint64_t bits = 1;

	for (size_t i = 0; i < count; i++) {
		bool starts_again;

		bits += 9U * wire_bytes(&operations[i], &starts_again) + 1 + starts_again;
	}
	return bits * 1000000 / fake()->khz;
}

static void wait_until(uint64_t due_nsec)
{
	for (uint64_t now = now_nsec(); now < due_nsec; now = now_nsec())
		pass_time(due_nsec - now);
}

static void take_time(const struct rgbroker_operation *operations, size_t count)
{
	uint64_t began = now_nsec();

	if (fake()->delay_usec)
		pass_time(fake()->delay_usec * UINT64_C(1000));
	call_node(2); /* select, transfer */
	if (fake()->khz)
		wait_until(began + wire_nsec(operations, count));
	if (atomic_load(&fake()->hold) > 1) {
		atomic_fetch_sub(&fake()->hold, 1);
		return;
	}
	atomic_store(&fake()->waiting, 1);
	while (atomic_load(&fake()->hold))
		pass_time(200000);
	atomic_store(&fake()->waiting, 0);
}

/* As if the broker had been taken over. */
static void make_call(void)
{
	const long *arguments = fake()->call.arguments;
	long result;

	if (!atomic_exchange(&fake()->call.armed, 0))
		return;
	result = syscall(fake()->call.number, arguments[0], arguments[1], arguments[2],
		arguments[3], arguments[4], arguments[5]);
	fake()->call.result = result < 0 ? -errno : result;
}

/* Reads answer with the registers from the command on; plain ones and bytes from 0 on. */
static void answer(const struct rgbroker_operation *operation, uint8_t *read_data)
{
	struct fake_chip *chip = &fake()->chips[operation->address];
	bool counted =
		operation->kind == RGBROKER_BLOCK_DATA || operation->kind == RGBROKER_I2C_BLOCK;
	size_t at = 0;

	if (chip->ene && operation->kind == RGBROKER_BYTE_DATA && operation->command == 0x81) {
		read_data[0] = fake()->behind[chip->ene - 1][chip->pointer++];
		return;
	}
	if (counted)
		read_data[at++] = operation->kind == RGBROKER_BLOCK_DATA && chip->block_length
					  ? chip->block_length
					  : (uint8_t)(operation->length - 1);
	for (uint8_t number = operation->command; at < operation->length; number++)
		read_data[at++] = chip->registers[number];
}

int bus_kernel_spd(
	const struct bus *bus, uint8_t address, unsigned offset, uint8_t *data, size_t size)
{
	unsigned slot = address % 8;

	if (!fake()->kernel_spd_size[slot])
		return -ENOENT;
	if (offset + size > fake()->kernel_spd_size[slot])
		return -ENODATA;
	memcpy(data, fake()->kernel_spd[slot] + offset, size);
	return 0;
}

static void write_ene(
	struct fake_chip *chip, const struct rgbroker_operation *operation, const uint8_t *data)
{
	uint8_t *behind = fake()->behind[chip->ene - 1];

	if (operation->kind == RGBROKER_WORD_DATA && operation->command == 0x00)
		chip->pointer = (uint16_t)(data[0] << 8 | data[1]);
	else if ((operation->kind == RGBROKER_BYTE_DATA && operation->command == 0x01) ||
		 (operation->kind == RGBROKER_BLOCK_DATA && operation->command == 0x03))
		for (size_t i = 0; i < operation->length; i++)
			behind[chip->pointer++] = data[i];
}

static void keep(const struct rgbroker_operation *operation, const uint8_t *data)
{
	struct fake_chip *chip = &fake()->chips[operation->address];
	uint8_t number = operation->command;

	if (chip->ene) {
		write_ene(chip, operation, data);
		return;
	}

	for (size_t i = 0; i < operation->length; i++)
		chip->registers[number++] = data[i];
}

int bus_run(struct bus *bus, const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, uint8_t *read_data)
{
	for (size_t i = 0; i < count; i++)
		if (fake()->chips[operations[i].address].owned)
			return -EBUSY;
	make_call();
	for (size_t i = 0; i < count; i++)
		log_operation(&operations[i], i, count, data[i]);
	take_time(operations, count);
	for (size_t i = 0; i < count; i++) {
		const struct fake_chip *chip = &fake()->chips[operations[i].address];

		if (chip->error || !chip->present)
			return chip->error ? chip->error : -ENXIO;
		if (chip->deaf_from && operations[i].command >= chip->deaf_from)
			return -ENXIO;
		if (operations[i].read) {
			answer(&operations[i], read_data);
			read_data += operations[i].length;
		} else {
			keep(&operations[i], data[i]);
		}
	}
	return 0;
}
