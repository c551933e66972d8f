/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A family, and on which adapters it may be. */
#include "policy/config.h"

#include <fnmatch.h>
#include <stdlib.h>

static void globs_free(struct globs *globs)
{
	for (size_t i = 0; i < globs->count; i++)
		free(globs->items[i]);
	free(globs->items);
}

void device_free(struct device *device)
{
	if (!device)
		return;
	for (size_t i = 0; i < device->n_rules; i++) {
		free(device->rules[i].file);
		free(device->rules[i].text);
	}
	for (size_t i = 0; i < device->n_registers; i++) {
		free(device->registers[i].file);
		free(device->registers[i].text);
	}
	free(device->rules);
	free(device->registers);
	free(device->expectations);
	free(device->pci);
	globs_free(&device->adapters);
	globs_free(&device->boards);
	free(device->description);
	free(device->file);
	free(device->name);
	free(device);
}

bool device_sends(const struct device *device)
{
	for (size_t i = 0; i < device->n_expectations; i++)
		if (device->expectations[i].n_send)
			return true;
	return false;
}

static bool globs_match(const struct globs *globs, const char *text)
{
	for (size_t i = 0; i < globs->count; i++)
		if (fnmatch(globs->items[i], text, 0) == 0)
			return true;
	return globs->count == 0;
}

static bool pci_matches(const struct pci_match *match, const uint16_t *ids)
{
	for (unsigned i = 0; i < PCI_IDS; i++)
		if (!match->any[i] && match->id[i] != ids[i])
			return false;
	return true;
}

bool device_matches(const struct device *device, const struct adapter *adapter)
{
	bool pci = device->n_pci == 0;

	for (size_t i = 0; adapter->pci && !pci && i < device->n_pci; i++)
		pci = pci_matches(&device->pci[i], adapter->pci_ids);
	return pci && device->classes & (1U << adapter->class) &&
	       globs_match(&device->adapters, adapter->name) &&
	       globs_match(&device->boards, adapter->board);
}
