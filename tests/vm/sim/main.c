// SPDX-License-Identifier: GPL-2.0-only
/*
 * rgbsim: simulated I2C adapters with RGB controllers and plain chips, for tests.
 *
 * The adapters work at the level of I2C messages (.master_xfer), so the kernel
 * emulates SMBus on top of them and the chips see nothing but bytes. What the
 * chips hold outlives unbinding and binding of an adapter, as it would on a
 * board that keeps its power; LED controllers have none while the machine sleeps.
 *
 * How many there are of each kind is a parameter of that name:
 *
 *   chipset   0x50 EEPROM, 0x58 Corsair Vengeance, ene_address ENE
 *   plain     0x10 to 0x6f register chips
 *   amd       a DDR4 board: 0x50 0x51 SPD, 0x36 0x37 their page select, 0x30 0x31
 *             0x33-0x35 their protection, amd_ene ENE; more by parameters
 *   ddr5      0x50 0x51 SPD hubs, 0x48 0x49 PMICs, 0x60 0x61 Kingston Fury
 *   gpu       0x67 ENE; a display's 0x50 EDID, 0x30, 0x37 and 0x3a; more by parameters
 *
 * Platform devices rgbsim-KIND.N, of drivers "rgbsim", "rgbsim-board" (amd, ddr5)
 * and "rgbsim-card" (gpu): programs that ask for a driver's name find the one
 * they know if board_driver and card_driver say so. Those of the last three kinds
 * have the attributes vendor, device, subsystem_vendor and subsystem_device that a
 * PCI device has. Adapters "rgbsim KIND", "rgbsim KIND 2"..; a gpu's are called
 * as NVIDIA's are. One debugfs directory rgbsim/{KIND,KIND2,..} each:
 *
 *   log       one line per message: SEQUENCE MICROSECONDS I/N ADDRESS R|W RESULT BYTES
 *             (I/N: message I of N of its transfer); any write clears it
 *   leds      ADDRESS LED RRGGBB, as lit
 *   fault     write "ADDRESS ERRNO COUNT": the next COUNT transfers there fail
 *   hang      milliseconds each transfer takes, or "forever"; 0 lets all go
 *   khz       the wire's clock, for transfers that take their time; 0: none
 *
 * chipset and plain only:
 *
 *   eeprom    hex dump and CRC32 of the chip at 0x50
 *
 * the others, of all that nobody who lights LEDs may change:
 *
 *   memory    ADDRESS KIND CRC32 WRITES (how many bytes were ever written there)
 *   dump      ADDRESS KIND OFFSET: BYTES
 *   display   gpu only: whether there is a display; 0 or 1 may be written
 *
 * Where a register number is not explained otherwise it is OpenRGB's; the file in
 * its Controllers/ is named with it. EE1004, JESD300 and EDID are the standards of
 * DDR4 SPD EEPROMs, of DDR5 SPD hubs and of displays.
 */

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "rgbsim.h"

#define VENGEANCE_ADDRESS	0x58
#define PMIC_ADDRESS		0x48
#define FURY_DDR5_ADDRESS	0x60
#define ENE_GPU_ADDRESS		0x67

static unsigned int chipset = 1;
module_param(chipset, uint, 0444);
MODULE_PARM_DESC(chipset, "number of chipset-like adapters");

static unsigned int plain = 2;
module_param(plain, uint, 0444);
MODULE_PARM_DESC(plain, "number of adapters full of plain register chips");

unsigned int rgbsim_leds = 8;
module_param_named(leds, rgbsim_leds, uint, 0444);
MODULE_PARM_DESC(leds, "LEDs of an ENE controller (1 to 10)");

static unsigned int ene_address = 0x70;
module_param(ene_address, uint, 0444);
MODULE_PARM_DESC(ene_address, "where a chipset's ENE controller answers at first");

unsigned int rgbsim_log_entries = 4096;
module_param_named(log_entries, rgbsim_log_entries, uint, 0444);
MODULE_PARM_DESC(log_entries, "messages that each adapter's log keeps");

static unsigned int amd;
module_param(amd, uint, 0444);
MODULE_PARM_DESC(amd, "number of adapters like an AMD chipset's, with DDR4");

static unsigned int amd_ene[RGBSIM_SLOTS] = { 0x70, 0x72 };
static unsigned int amd_ene_count = 2;
module_param_array(amd_ene, uint, &amd_ene_count, 0444);
MODULE_PARM_DESC(amd_ene, "where amd's ENE controllers answer at first, one per slot; may be the same");

static unsigned int amd_vengeance;
module_param(amd_vengeance, uint, 0444);
MODULE_PARM_DESC(amd_vengeance, "address of a Corsair Vengeance on amd, usually 0x58; 0: none");

static unsigned int amd_corsair;
module_param(amd_corsair, uint, 0444);
MODULE_PARM_DESC(amd_corsair, "address of a classic Corsair controller on amd, usually 0x59; 0: none");

static unsigned int amd_crucial;
module_param(amd_crucial, uint, 0444);
MODULE_PARM_DESC(amd_crucial, "address of a Crucial Ballistix on amd, usually 0x39; 0: none");

static unsigned int amd_fury;
module_param(amd_fury, uint, 0444);
MODULE_PARM_DESC(amd_fury, "address of a Kingston Fury DDR4 on amd, usually 0x5a; 0: none");

static unsigned int ddr5;
module_param(ddr5, uint, 0444);
MODULE_PARM_DESC(ddr5, "number of adapters like an Intel chipset's, with DDR5");

bool rgbsim_registered;
module_param_named(registered, rgbsim_registered, bool, 0444);
MODULE_PARM_DESC(registered, "the modules of amd and ddr5 are registered ones");

unsigned int rgbsim_maker = 0x0198;
module_param_named(maker, rgbsim_maker, uint, 0444);
MODULE_PARM_DESC(maker, "JEDEC id of who made the modules, as two bytes; default Kingston");

char *rgbsim_part = "KF432C16BBA/8";
module_param_named(part, rgbsim_part, charp, 0444);
MODULE_PARM_DESC(part, "part number of amd's modules, up to 20 characters");

static unsigned int gpu;
module_param(gpu, uint, 0444);
MODULE_PARM_DESC(gpu, "number of adapters like an NVIDIA card's");

static unsigned int display = 1;
module_param(display, uint, 0444);
MODULE_PARM_DESC(display, "a display is plugged into each gpu at first");

static unsigned int gpu_aura;
module_param(gpu_aura, uint, 0444);
MODULE_PARM_DESC(gpu_aura, "address of an older ASUS Aura controller on gpu, usually 0x29; 0: none");

static unsigned int gpu_evga;
module_param(gpu_evga, uint, 0444);
MODULE_PARM_DESC(gpu_evga, "address of an EVGA controller (Pascal) on gpu, usually 0x49; 0: none");

static char *board_driver = "rgbsim-board";
module_param(board_driver, charp, 0444);
MODULE_PARM_DESC(board_driver, "what the driver of amd and ddr5 is called");

static char *card_driver = "rgbsim-card";
module_param(card_driver, charp, 0444);
MODULE_PARM_DESC(card_driver, "what the driver of gpu is called");

/* vendor, device, subsystem vendor, subsystem device */
static const unsigned int amd_ids[] = { 0x1022, 0x790b, 0x1849, 0xffff };
static const unsigned int ddr5_ids[] = { 0x8086, 0x7aa3, 0x1462, 0x7d25 };
static unsigned int gpu_ids[] = { 0x10de, 0x2206, 0x1043, 0x87b2 };
module_param_named(gpu_vendor, gpu_ids[0], uint, 0444);
module_param_named(gpu_device, gpu_ids[1], uint, 0444);
module_param_named(gpu_subvendor, gpu_ids[2], uint, 0444);
module_param_named(gpu_subdevice, gpu_ids[3], uint, 0444);

static struct rgbsim_bus *buses[RGBSIM_MAX_BUSES];
static unsigned int bus_count;
static struct dentry *debugfs_root;

/* ---- buses and their platform devices ---- */

static int rgbsim_add_slot(struct rgbsim_bus *bus, u8 address, u8 slot,
			   const struct rgbsim_model *model)
{
	struct rgbsim_chip *chip = &bus->chips[bus->chip_count];

	chip->mem = kvzalloc(model->size, GFP_KERNEL);
	if (!chip->mem)
		return -ENOMEM;
	chip->model = model;
	chip->bus = bus;
	chip->address = address;
	chip->home = address;
	chip->slot = slot;
	bus->chip_count++;
	if (model->reset)
		model->reset(chip);
	return 0;
}

static int rgbsim_add_chip(struct rgbsim_bus *bus, u8 address,
			   const struct rgbsim_model *model)
{
	return rgbsim_add_slot(bus, address, RGBSIM_NO_SLOT, model);
}

static int rgbsim_populate_chipset(struct rgbsim_bus *bus)
{
	return rgbsim_add_chip(bus, EEPROM_ADDRESS, &spd_model) ?:
	       rgbsim_add_chip(bus, VENGEANCE_ADDRESS, &vengeance_model) ?:
	       rgbsim_add_chip(bus, ene_address, &ene_model);
}

/* 0x10 to 0x6f; addresses that end in f do not acknowledge. */
static int rgbsim_populate_plain(struct rgbsim_bus *bus)
{
	u8 address;
	int err = 0;

	for (address = 0x10; address < 0x70 && !err; address++)
		if ((address & 0x0f) != 0x0f)
			err = rgbsim_add_chip(bus, address, &plain_model);
	return err;
}

static int rgbsim_populate_amd(struct rgbsim_bus *bus)
{
	static const u8 protection[] = { 0x30, 0x31, EE1004_CWP, 0x34, 0x35 };
	const struct {
		unsigned int address;
		const struct rgbsim_model *model;
	} wanted[] = {
		{ amd_vengeance, &vengeance_model },
		{ amd_corsair, &corsair_model },
		{ amd_fury, &fury_ddr4_model },
	};
	unsigned int i;
	int err;

	err = rgbsim_add_chip(bus, EEPROM_ADDRESS, &ee1004_model) ?:
	      rgbsim_add_chip(bus, EEPROM_ADDRESS + 1, &ee1004_model) ?:
	      rgbsim_add_chip(bus, EE1004_PAGE_0, &page_model) ?:
	      rgbsim_add_chip(bus, EE1004_PAGE_0 + 1, &page_model);
	for (i = 0; i < ARRAY_SIZE(protection) && !err; i++)
		err = rgbsim_add_chip(bus, protection[i], &protect_model);
	for (i = 0; i < amd_ene_count && !err; i++)
		err = rgbsim_add_slot(bus, amd_ene[i], i, &ene_model);
	if (!err && amd_crucial)
		err = rgbsim_add_slot(bus, amd_crucial, 0, &crucial_model);
	for (i = 0; i < ARRAY_SIZE(wanted) && !err; i++)
		if (wanted[i].address)
			err = rgbsim_add_chip(bus, wanted[i].address, wanted[i].model);
	return err;
}

static int rgbsim_populate_ddr5(struct rgbsim_bus *bus)
{
	unsigned int slot;
	int err = 0;

	for (slot = 0; slot < 2 && !err; slot++)
		err = rgbsim_add_chip(bus, EEPROM_ADDRESS + slot, &hub_model) ?:
		      rgbsim_add_chip(bus, PMIC_ADDRESS + slot, &pmic_model) ?:
		      rgbsim_add_chip(bus, FURY_DDR5_ADDRESS + slot, &fury_ddr5_model);
	return err;
}

static int rgbsim_populate_gpu(struct rgbsim_bus *bus)
{
	static const u8 companions[] = {
		0x30,	/* E-DDC: which 256 bytes of a longer EDID */
		0x37,	/* DDC/CI: brightness and all that */
		0x3a,	/* HDCP */
	};
	unsigned int i;
	int err;

	bus->display = display;
	err = rgbsim_add_chip(bus, ENE_GPU_ADDRESS, &ene_gpu_model) ?:
	      rgbsim_add_chip(bus, EEPROM_ADDRESS, &edid_model);
	for (i = 0; i < ARRAY_SIZE(companions) && !err; i++)
		err = rgbsim_add_chip(bus, companions[i], &companion_model);
	if (!err && gpu_aura)
		err = rgbsim_add_chip(bus, gpu_aura, &aura_gpu_model);
	if (!err && gpu_evga)
		err = rgbsim_add_chip(bus, gpu_evga, &evga_gpu_model);
	return err;
}

/* ---- what a PCI device tells of itself ---- */

static struct rgbsim_bus *rgbsim_bus_of(struct device *dev)
{
	return *(struct rgbsim_bus **)dev_get_platdata(dev);
}

#define RGBSIM_ID(name, n)						\
static ssize_t name##_show(struct device *dev,				\
			   struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "0x%04x\n", rgbsim_bus_of(dev)->kind->ids[n]);	\
}									\
static DEVICE_ATTR_RO(name)

RGBSIM_ID(vendor, 0);
RGBSIM_ID(device, 1);
RGBSIM_ID(subsystem_vendor, 2);
RGBSIM_ID(subsystem_device, 3);

static struct attribute *rgbsim_attrs[] = {
	&dev_attr_vendor.attr,
	&dev_attr_device.attr,
	&dev_attr_subsystem_vendor.attr,
	&dev_attr_subsystem_device.attr,
	NULL
};
ATTRIBUTE_GROUPS(rgbsim);

/* ---- the platform devices ---- */

static void rgbsim_free_bus(struct rgbsim_bus *bus)
{
	unsigned int i;

	for (i = 0; i < bus->chip_count; i++)
		kvfree(bus->chips[i].mem);
	kvfree(bus->log);
	kvfree(bus);
}

static struct rgbsim_bus *rgbsim_new_bus(const struct rgbsim_kind *kind)
{
	struct rgbsim_bus *bus = kvzalloc(sizeof(*bus), GFP_KERNEL);

	if (!bus)
		return NULL;
	bus->kind = kind;
	mutex_init(&bus->lock);
	init_waitqueue_head(&bus->hung);
	bus->adapter.owner = THIS_MODULE;
	bus->adapter.algo = &rgbsim_algorithm;
	i2c_set_adapdata(&bus->adapter, bus);
	bus->log = kvcalloc(rgbsim_log_entries, sizeof(*bus->log), GFP_KERNEL);
	if (!bus->log) {
		rgbsim_free_bus(bus);
		return NULL;
	}
	return bus;
}

/*
 * The platform device carries a pointer to its bus: the chips belong to the
 * module, not to the binding, and are found again after an unbind.
 */
static int rgbsim_add_device(struct rgbsim_bus *bus, unsigned int index)
{
	char name[24];
	int err;

	snprintf(name, sizeof(name), "rgbsim-%s", bus->kind->name);
	bus->pdev = platform_device_alloc(name, index);
	if (!bus->pdev)
		return -ENOMEM;
	if (bus->kind->ids)
		bus->pdev->dev.groups = rgbsim_groups;
	err = platform_device_add_data(bus->pdev, &bus, sizeof(bus)) ?:
	      platform_device_add(bus->pdev);
	if (err)
		platform_device_put(bus->pdev);
	return err;
}

static int rgbsim_add_bus(const struct rgbsim_kind *kind, unsigned int index)
{
	struct rgbsim_bus *bus = rgbsim_new_bus(kind);
	char name[24], dir[24];
	int err;

	if (!bus)
		return -ENOMEM;
	snprintf(name, sizeof(name), index ? "%s %u" : "%s", kind->name, index + 1);
	snprintf(dir, sizeof(dir), index ? "%s%u" : "%s", kind->name, index + 1);
	if (kind->adapter)
		snprintf(bus->adapter.name, sizeof(bus->adapter.name), kind->adapter, index + 1);
	else
		snprintf(bus->adapter.name, sizeof(bus->adapter.name), "rgbsim %s", name);
	err = kind->populate(bus) ?: rgbsim_add_device(bus, index);
	if (err) {
		rgbsim_free_bus(bus);
		return err;
	}
	rgbsim_debugfs(bus, dir, debugfs_root);
	buses[bus_count++] = bus;
	return 0;
}

static int rgbsim_probe(struct platform_device *pdev)
{
	struct rgbsim_bus *bus = rgbsim_bus_of(&pdev->dev);

	i2c_set_adapdata(&bus->adapter, bus);
	bus->adapter.dev.parent = &pdev->dev;
	return devm_i2c_add_adapter(&pdev->dev, &bus->adapter);
}

/* LED controllers have no power while the machine sleeps; the rest keeps what it holds. */
static int __maybe_unused rgbsim_resume(struct device *dev)
{
	struct rgbsim_bus *bus = rgbsim_bus_of(dev);
	unsigned int i;

	mutex_lock(&bus->lock);
	for (i = 0; i < bus->chip_count; i++) {
		struct rgbsim_chip *chip = &bus->chips[i];

		if (!chip->model->show_leds)
			continue;
		memset(chip->mem, 0, chip->model->size);
		chip->address = chip->home;
		if (chip->model->reset)
			chip->model->reset(chip);
	}
	mutex_unlock(&bus->lock);
	return 0;
}

static SIMPLE_DEV_PM_OPS(rgbsim_pm, NULL, rgbsim_resume);

static const struct platform_device_id bare_ids[] = {
	{ "rgbsim-chipset" },
	{ "rgbsim-plain" },
	{ }
};

static const struct platform_device_id board_ids[] = {
	{ "rgbsim-amd" },
	{ "rgbsim-ddr5" },
	{ }
};

static const struct platform_device_id card_ids[] = {
	{ "rgbsim-gpu" },
	{ }
};

static struct platform_driver bare = {
	.driver.name = "rgbsim",
	.driver.pm = &rgbsim_pm,
	.probe = rgbsim_probe,
	.id_table = bare_ids,
};

static struct platform_driver board = {
	.driver.pm = &rgbsim_pm,
	.probe = rgbsim_probe,
	.id_table = board_ids,
};

static struct platform_driver card = {
	.driver.pm = &rgbsim_pm,
	.probe = rgbsim_probe,
	.id_table = card_ids,
};

static struct platform_driver * const drivers[] = { &bare, &board, &card };

static const struct rgbsim_kind kinds[] = {
	{ .name = "chipset", .count = &chipset, .populate = rgbsim_populate_chipset,
	  .driver = &bare },
	{ .name = "plain", .count = &plain, .populate = rgbsim_populate_plain,
	  .driver = &bare },
	{ .name = "amd", .count = &amd, .ids = amd_ids, .populate = rgbsim_populate_amd,
	  .driver = &board },
	{ .name = "ddr5", .count = &ddr5, .ids = ddr5_ids, .populate = rgbsim_populate_ddr5,
	  .driver = &board },
	{ .name = "gpu", .count = &gpu, .ids = gpu_ids, .populate = rgbsim_populate_gpu,
	  .driver = &card, .adapter = "NVIDIA i2c adapter %u at 1:00.0", .display = true },
};

static void rgbsim_remove_buses(void)
{
	debugfs_remove(debugfs_root);
	while (bus_count) {
		struct rgbsim_bus *bus = buses[--bus_count];

		platform_device_unregister(bus->pdev);
		rgbsim_free_bus(bus);
	}
}

static int rgbsim_add_buses(void)
{
	unsigned int kind, i;
	int err = 0;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (i = 0; i < *kinds[kind].count && !err; i++)
			err = rgbsim_add_bus(&kinds[kind], i);
	return err;
}

static bool rgbsim_address_valid(unsigned int address)
{
	return address >= 0x08 && address < 0x78;
}

static bool rgbsim_parameters_valid(void)
{
	const unsigned int optional[] = { amd_vengeance, amd_corsair, amd_crucial, amd_fury,
					  gpu_aura, gpu_evga };
	unsigned int i, free = RGBSIM_MAX_BUSES;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (*kinds[i].count > free)
			return false;
		free -= *kinds[i].count;
	}
	for (i = 0; i < amd_ene_count; i++)
		if (!rgbsim_address_valid(amd_ene[i]))
			return false;
	for (i = 0; i < ARRAY_SIZE(optional); i++)
		if (optional[i] && !rgbsim_address_valid(optional[i]))
			return false;
	return rgbsim_leds >= 1 && rgbsim_leds <= 10 && ene_address < RGBSIM_ADDRESSES &&
	       rgbsim_log_entries >= 1 && rgbsim_log_entries <= RGBSIM_MAX_LOG_ENTRIES;
}

static int __init rgbsim_init(void)
{
	int err;

	if (!rgbsim_parameters_valid())
		return -EINVAL;
	board.driver.name = board_driver;
	card.driver.name = card_driver;
	err = platform_register_drivers(drivers, ARRAY_SIZE(drivers));
	if (err)
		return err;
	debugfs_root = debugfs_create_dir("rgbsim", NULL);
	err = rgbsim_add_buses();
	if (err) {
		rgbsim_remove_buses();
		platform_unregister_drivers(drivers, ARRAY_SIZE(drivers));
	}
	return err;
}
module_init(rgbsim_init);

static void __exit rgbsim_exit(void)
{
	rgbsim_remove_buses();
	platform_unregister_drivers(drivers, ARRAY_SIZE(drivers));
}
module_exit(rgbsim_exit);

MODULE_DESCRIPTION("Simulated I2C adapters with RGB controllers, for tests");
MODULE_LICENSE("GPL");
