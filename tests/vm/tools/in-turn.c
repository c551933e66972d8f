/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * in-turn NAME=BUS...
 *
 * A program of up to eight threads on the same opened nodes, with one mutex around each transfer as
 * OpenRGB has it: who is next is not left to chance but said on standard input, a line each. The
 * first line of output is its pid; then one line for each of input.
 *
 *   THREAD NAME ADDRESS R|W OPERATION COMMAND DATA    a transfer by that thread (a to h)
 *   open NAME                                         opens the node again, and leaks the old one
 *
 * OPERATION is quick, byte, byte_data, word_data, block_data or i2c_block; DATA is in wire order,
 * "-" where there is none, as in tests/traces. The answer is "DATA RESULT", RESULT 0 or -errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define THREADS 8
#define BUSES 4

struct step {
	int descriptor;
	unsigned long address;
	uint8_t direction, command;
	uint32_t size;
	union i2c_smbus_data data;
	int result;
};

static struct {
	char name[8];
	int number, descriptor;
} buses[BUSES];

static struct step step;
static sem_t turns[THREADS], done;
static pthread_mutex_t transfer_lock = PTHREAD_MUTEX_INITIALIZER;

static const struct {
	const char *name;
	uint32_t size;
} operations[] = {
	{"quick", I2C_SMBUS_QUICK},
	{"byte", I2C_SMBUS_BYTE},
	{"byte_data", I2C_SMBUS_BYTE_DATA},
	{"word_data", I2C_SMBUS_WORD_DATA},
	{"block_data", I2C_SMBUS_BLOCK_DATA},
	{"i2c_block", I2C_SMBUS_I2C_BLOCK_DATA},
};

static int transfer(struct step *asked)
{
	struct i2c_smbus_ioctl_data arguments = {.read_write = asked->direction,
		.command = asked->command,
		.size = asked->size,
		.data = &asked->data};

	/* As OpenRGB does: whether that worked nobody looks. */
	(void)ioctl(asked->descriptor, I2C_SLAVE, asked->address);
	return ioctl(asked->descriptor, I2C_SMBUS, &arguments) < 0 ? -errno : 0;
}

static void *take_turns(void *turn)
{
	for (;;) {
		sem_wait(turn);
		pthread_mutex_lock(&transfer_lock);
		step.result = transfer(&step);
		pthread_mutex_unlock(&transfer_lock);
		sem_post(&done);
	}
	return NULL;
}

static int open_bus(size_t bus)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/i2c-%d", buses[bus].number);
	buses[bus].descriptor = open(path, O_RDWR);
	return buses[bus].descriptor < 0 ? -errno : 0;
}

static size_t bus_called(const char *name)
{
	for (size_t i = 0; i < BUSES; i++)
		if (strcmp(buses[i].name, name) == 0)
			return i;
	fprintf(stderr, "in-turn: there is no bus %s\n", name);
	exit(2);
}

/* Wire order is memory order but for words, whose low byte comes first on the wire. */
static void put_data(struct step *to, const char *text)
{
	uint8_t bytes[I2C_SMBUS_BLOCK_MAX];
	uint8_t count = 0;

	while (count < sizeof(bytes) && sscanf(text + 2 * count, "%2hhx", &bytes[count]) == 1)
		count++;
	if (to->size == I2C_SMBUS_BLOCK_DATA || to->size == I2C_SMBUS_I2C_BLOCK_DATA) {
		to->data.block[0] = count;
		memcpy(to->data.block + 1, bytes, count);
	} else if (to->size == I2C_SMBUS_WORD_DATA && count == 2) {
		to->data.word = (uint16_t)(bytes[0] | bytes[1] << 8);
	} else if (count) {
		to->data.byte = bytes[0];
	}
}

static void print_answer(const struct step *of)
{
	if (of->result < 0 || of->direction == I2C_SMBUS_WRITE || of->size == I2C_SMBUS_QUICK) {
		printf("-");
	} else if (of->size == I2C_SMBUS_WORD_DATA) {
		printf("%02x%02x", of->data.word & 0xff, of->data.word >> 8);
	} else if (of->size == I2C_SMBUS_BYTE || of->size == I2C_SMBUS_BYTE_DATA) {
		printf("%02x", of->data.byte);
	} else {
		for (uint8_t i = 1; i <= of->data.block[0]; i++)
			printf("%02x", of->data.block[i]);
	}
	printf(" %d\n", of->result);
}

static bool read_step(const char *line, unsigned *ret_thread)
{
	char thread, name[8], way, operation[16], command[8], data[80];
	unsigned address;

	if (sscanf(line, "%c %7s %x %c %15s %7s %79s", &thread, name, &address, &way, operation,
		    command, data) != 7 ||
		thread < 'a' || thread >= 'a' + THREADS)
		return false;
	*ret_thread = (unsigned)(thread - 'a');
	step = (struct step){.descriptor = buses[bus_called(name)].descriptor,
		.address = address,
		.direction = way == 'R' ? I2C_SMBUS_READ : I2C_SMBUS_WRITE,
		.command = (uint8_t)strtoul(command, NULL, 16),
		.size = UINT32_MAX};
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		if (strcmp(operations[i].name, operation) == 0)
			step.size = operations[i].size;
	put_data(&step, data);
	return step.size != UINT32_MAX;
}

static void do_line(const char *line)
{
	char name[8];
	unsigned thread;

	if (sscanf(line, "open %7s", name) == 1) {
		printf("- %d\n", open_bus(bus_called(name)));
		return;
	}
	if (!read_step(line, &thread)) {
		fprintf(stderr, "in-turn: what is %s", line);
		exit(2);
	}
	sem_post(&turns[thread]);
	sem_wait(&done);
	print_answer(&step);
}

int main(int argc, char **argv)
{
	char line[256];
	pthread_t id;

	setlinebuf(stdout);
	for (int i = 1; i < argc && i <= BUSES; i++) {
		int r = sscanf(argv[i], "%7[^=]=%d", buses[i - 1].name, &buses[i - 1].number);

		if (r == 2 && (r = open_bus((size_t)i - 1)) == 0)
			continue;
		fprintf(stderr, "in-turn: %s: %s\n", argv[i], strerror(-r));
		return 2;
	}
	sem_init(&done, 0, 0);
	for (size_t i = 0; i < THREADS; i++) {
		sem_init(&turns[i], 0, 0);
		pthread_create(&id, NULL, take_turns, &turns[i]);
	}
	printf("%d\n", getpid());
	while (fgets(line, sizeof(line), stdin))
		do_line(line);
	return 0;
}
