/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Adapters with the files that are shipped, and with those of the daemon tests. */
#include "policy/config.h"

#include "tests/fuzz/world.h"

#define DAEMON_CONFIG SOURCE_ROOT "/tests/daemon/config"
#define FUZZ_CONFIG SOURCE_ROOT "/tests/fuzz/config"

static const struct {
	struct adapter adapter;
	const char *folder;
	const char *everywhere; /* a family that is let be at all addresses, as no file can */
} plans[] = {
	{{.number = 7,
		 .class = BUS_SMBUS,
		 .name = "SMBus PIIX4 adapter port 0 at 0b00",
		 .pci = true,
		 .pci_ids = {0x1022, 0x790b, 0x1849, 0xffff}},
		SOURCE_ROOT},
	{{.number = 7,
		 .class = BUS_SMBUS,
		 .name = "SMBus I801 adapter at efa0",
		 .pci = true,
		 .pci_ids = {0x8086, 0xa323, 0x1043, 0x8694}},
		SOURCE_ROOT},
	{{.number = 7,
		 .class = BUS_GPU,
		 .name = "NVIDIA i2c adapter 1 at 1:00.0",
		 .pci = true,
		 .pci_ids = {0x10de, 0x2206, 0x1043, 0x87b2}},
		SOURCE_ROOT},
	{{.number = 7,
		 .class = BUS_GPU,
		 .name = "AMDGPU DM i2c OEM bus",
		 .pci = true,
		 .pci_ids = {0x1002, 0x73bf, 0x148c, 0x2406}},
		SOURCE_ROOT},
	{{.number = 7, .class = BUS_SMBUS, .name = "simulated"}, DAEMON_CONFIG},
	{{.number = 7, .class = BUS_GPU, .name = "simulated"}, DAEMON_CONFIG},
	{{.number = 7, .class = BUS_SMBUS, .name = "simulated"}, DAEMON_CONFIG, "plain"},
	{{.number = 7, .class = BUS_GPU, .name = "simulated"}, DAEMON_CONFIG, "card"},
};

#define N_SCENES (sizeof(plans) / sizeof(plans[0]))

struct scene scenes[N_SCENES];
const size_t n_scenes = N_SCENES;

static void on_problem(void *userdata, const char *file, int line, const char *why)
{
	must(false, "%s:%d: %s", file, line, why);
}

static const struct family *find(const struct family *families, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(families[i].name, name) == 0)
			return &families[i];
	must(false, "no file %s", name);
	return NULL;
}

/* What the reader of files refuses, the floor still has to. */
static void put_everywhere(struct scene *scene, const char *name)
{
	for (size_t i = 0; i < scene->policy.n_devices; i++) {
		struct family *family = malloc(sizeof(*family));

		if (strcmp(scene->policy.devices[i]->name, name) != 0) {
			free(family);
			continue;
		}
		must(family, "out of memory");
		*family = *scene->families[i];
		memset(family->address, true, sizeof(family->address));
		scene->families[i] = family;
		memset(scene->policy.devices[i]->addresses, 0xff,
			sizeof(scene->policy.devices[i]->addresses));
	}
}

void scenes_load(void)
{
	size_t n_shipped, n_daemon;
	const struct family *shipped = reread(SOURCE_ROOT "/devices", false, &n_shipped);
	const struct family *daemon = reread(DAEMON_CONFIG "/devices", false, &n_daemon);

	for (size_t i = 0; i < N_SCENES; i++) {
		bool of_daemon = strcmp(plans[i].folder, DAEMON_CONFIG) == 0;
		const char *const folders[] = {FUZZ_CONFIG, plans[i].folder, NULL};
		struct policy *policy = &scenes[i].policy;

		must(policy_load(policy, &plans[i].adapter, folders, on_problem, NULL) == 0,
			"scene %zu", i);
		must(policy->n_devices > 0 && policy->n_doors == 4, "scene %zu: %zu, %zu", i,
			policy->n_devices, policy->n_doors);
		for (size_t k = 0; k < policy->n_devices; k++)
			scenes[i].families[k] = find(of_daemon ? daemon : shipped,
				of_daemon ? n_daemon : n_shipped, policy->devices[k]->name);
		if (plans[i].everywhere)
			put_everywhere(&scenes[i], plans[i].everywhere);
	}
}
