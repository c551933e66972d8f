/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An I2C adapter as udev knows it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bus_class { BUS_NONE, BUS_SMBUS, BUS_GPU, BUS_CUSTOM };

struct adapter {
	unsigned number;
	enum bus_class class; /* RGBROKER_CLASS of the udev rule; BUS_NONE: not brokered */
	char name[64];        /* as in sysfs */
	char why[64];         /* RGBROKER_WHY: why it has no class, or empty */
	char board[64];       /* the mainboard's name as DMI has it, or empty */
	bool pci;             /* whether the next line is known */
	uint16_t pci_ids[4];  /* of the parent: vendor, device, subsystem vendor and device */
};

/* 0, -ENODEV if there is no such adapter, another negative errno from udev. */
int adapter_find(unsigned number, struct adapter *ret_adapter);
/* All adapters in the order of their numbers: how many (at most size are filled), or an errno. */
int adapter_list(struct adapter *ret_adapters, size_t size);

/* BUS_NONE for a name that is none. */
enum bus_class bus_class_from_name(const char *name);
const char *bus_class_name(enum bus_class class);
