/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the simulated bus and the tests share: memory of this form, passed as a descriptor. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "policy/adapter.h"

#define FAKE_BUS_VARIABLE "RGBROKER_FAKE_BUS" /* the descriptor's number, in the environment */
#define FAKE_LOG_SIZE 16384

struct fake_chip {
	uint8_t present, owned;
	int32_t error; /* what every operation answers, or 0 */
	uint8_t registers[256];
	uint8_t ene;          /* 0, or 1 + which of fake_bus.behind its pointer shows; see below */
	uint16_t pointer;     /* of an ENE controller */
	uint8_t deaf_from;    /* commands from this one on are not acknowledged; 0: all are */
	uint8_t block_length; /* that block_data reads bring; 0: 32 */
};

/*
 * An ENE controller: word data to command 0x00 set its pointer, high byte first; byte data to 0x01
 * and blocks to 0x03 write behind it, byte data from 0x81 reads; each byte moves it on.
 */
#define FAKE_ENE_MAX 4

/* One operation that reached the wire. */
struct fake_entry {
	uint8_t kind, read, address, command;
	uint16_t length;
	uint8_t position, count; /* of joined messages: this is number position of count */
	uint8_t data[34];        /* the head of what was written */
};

struct fake_bus {
	enum bus_class class;
	char name[64]; /* of the adapter; empty: "simulated" */
	int32_t find_error, open_error;
	int32_t opened_fd;                     /* as handed to bus_open() */
	int32_t stdin_adapter, passed_adapter; /* whose nodes are open there; -1: none's */
	struct fake_chip chips[128];
	uint8_t behind[FAKE_ENE_MAX][65536];
	uint16_t kernel_spd_size[8]; /* 0: no SPD driver is bound in that slot */
	uint8_t kernel_spd[8][1024];
	uint32_t delay_usec;
	uint32_t khz;        /* the wire's clock; 0: transfers take no time */
	uint32_t node_calls; /* 1: make the system calls that a real node needs */
	/* 1: operations wait in the middle; more: that many less one pass first */
	atomic_uint hold;
	atomic_uint waiting; /* one does */
	struct {
		atomic_uint armed; /* set: the next operation begins with this system call */
		long number, arguments[6];
		long result; /* of failures a negative errno */
	} call;
	atomic_uint count;
	struct fake_entry log[FAKE_LOG_SIZE];
};
