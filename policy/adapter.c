/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy/adapter.h"

#include <errno.h>
#include <libudev.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const class_names[] = {
	[BUS_NONE] = "none",
	[BUS_SMBUS] = "smbus",
	[BUS_GPU] = "gpu",
	[BUS_CUSTOM] = "custom",
};

enum bus_class bus_class_from_name(const char *name)
{
	for (enum bus_class class = BUS_SMBUS; name && class <= BUS_CUSTOM; class ++)
		if (strcmp(name, class_names[class]) == 0)
			return class;
	return BUS_NONE;
}

const char *bus_class_name(enum bus_class class)
{
	return class_names[class];
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
	to[strcspn(to, "\n")] = '\0';
}

/* The nearest ancestor that has ids: a PCI device, mostly. */
static void find_pci_ids(struct adapter *adapter, struct udev_device *device)
{
	static const char *const names[] = {
		"vendor", "device", "subsystem_vendor", "subsystem_device"};

	for (; device && !adapter->pci; device = udev_device_get_parent(device)) {
		adapter->pci = true;
		for (unsigned i = 0; i < 4; i++) {
			const char *text = udev_device_get_sysattr_value(device, names[i]);

			adapter->pci &= text != NULL;
			adapter->pci_ids[i] = (uint16_t)(text ? strtoul(text, NULL, 16) : 0);
		}
	}
}

static void find_board(struct adapter *adapter, struct udev *udev)
{
	struct udev_device *dmi = udev_device_new_from_subsystem_sysname(udev, "dmi", "id");

	if (dmi)
		copy_text(adapter->board, sizeof(adapter->board),
			udev_device_get_sysattr_value(dmi, "board_name"));
	udev_device_unref(dmi);
}

/* The class is taken from udev's database only: a sysfs entry alone says nothing about rights. */
static void fill(struct adapter *adapter, unsigned number, struct udev_device *device)
{
	*adapter = (struct adapter){.number = number};
	adapter->class =
		bus_class_from_name(udev_device_get_property_value(device, "RGBROKER_CLASS"));
	copy_text(adapter->name, sizeof(adapter->name),
		udev_device_get_sysattr_value(device, "name"));
	copy_text(adapter->why, sizeof(adapter->why),
		udev_device_get_property_value(device, "RGBROKER_WHY"));
	find_pci_ids(adapter, device);
	find_board(adapter, udev_device_get_udev(device));
}

int adapter_find(unsigned number, struct adapter *ret_adapter)
{
	char name[32];
	struct udev *udev = udev_new();
	struct udev_device *device = NULL;
	int r = udev ? 0 : -ENOMEM;

	snprintf(name, sizeof(name), "i2c-%u", number);
	if (udev)
		device = udev_device_new_from_subsystem_sysname(udev, "i2c-dev", name);
	if (udev && !device)
		r = -ENODEV;
	if (device)
		fill(ret_adapter, number, device);
	udev_device_unref(device);
	udev_unref(udev);
	return r;
}

static int by_number(const void *a, const void *b)
{
	const struct adapter *left = a, *right = b;

	return left->number < right->number ? -1 : left->number > right->number;
}

/* -1 for a name that is not i2c-N. */
static int number_of(const char *sysname)
{
	int number = -1, end = 0;

	if (sysname && sscanf(sysname, "i2c-%d%n", &number, &end) == 1 && !sysname[end])
		return number;
	return -1;
}

static int collect(
	struct udev *udev, struct udev_enumerate *found, struct adapter *ret, size_t size)
{
	struct udev_list_entry *entry;
	size_t count = 0;

	udev_enumerate_add_match_subsystem(found, "i2c-dev");
	if (udev_enumerate_scan_devices(found) < 0)
		return -EIO;
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(found))
	{
		const char *path = udev_list_entry_get_name(entry);
		struct udev_device *device = udev_device_new_from_syspath(udev, path);
		int number = device ? number_of(udev_device_get_sysname(device)) : -1;

		if (number >= 0 && count++ < size)
			fill(&ret[count - 1], (unsigned)number, device);
		udev_device_unref(device);
	}
	qsort(ret, count < size ? count : size, sizeof(*ret), by_number);
	return (int)count;
}

int adapter_list(struct adapter *ret_adapters, size_t size)
{
	struct udev *udev = udev_new();
	struct udev_enumerate *found = udev ? udev_enumerate_new(udev) : NULL;
	int r = found ? collect(udev, found, ret_adapters, size) : -ENOMEM;

	udev_enumerate_unref(found);
	udev_unref(udev);
	return r;
}
