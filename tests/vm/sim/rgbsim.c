// SPDX-License-Identifier: GPL-2.0-only
/*
 * rgbsim: simulated I2C adapters with RGB controllers and plain chips, for tests.
 *
 * The adapters work at the level of I2C messages (.master_xfer), so the kernel
 * emulates SMBus on top of them and the chips see nothing but bytes. What the
 * chips hold outlives unbinding and binding of an adapter, as it would on a
 * board that keeps its power.
 *
 * How many there are of each kind is a parameter of that name:
 *
 *   chipset   0x50 EEPROM, 0x58 Corsair Vengeance, ene_address ENE
 *   plain     0x10 to 0x6f register chips
 *   amd       a DDR4 board: 0x50 0x51 SPD, 0x36 0x37 their page select, 0x30 0x31
 *             0x33-0x35 their protection, amd_ene ENE; more by parameters
 *   ddr5      0x50 0x51 SPD hubs, 0x48 0x49 PMICs, 0x60 0x61 Kingston Fury
 *   gpu       0x67 ENE; a display's 0x50 EDID, 0x30, 0x37 and 0x3a
 *
 * Platform devices rgbsim-KIND.N, driver "rgbsim"; those of the last three have
 * the attributes vendor, device, subsystem_vendor and subsystem_device that a
 * PCI device has. Adapters "rgbsim KIND", "rgbsim KIND 2"..; a gpu's are called
 * as NVIDIA's are. One debugfs directory rgbsim/{KIND,KIND2,..} each:
 *
 *   log       one line per message: SEQUENCE MICROSECONDS I/N ADDRESS R|W RESULT BYTES
 *             (I/N: message I of N of its transfer); any write clears it
 *   leds      ADDRESS LED RRGGBB, as lit
 *   fault     write "ADDRESS ERRNO COUNT": the next COUNT transfers there fail
 *   hang      milliseconds each transfer takes, or "forever"; 0 lets all go
 *   delay_us  wire time of one byte
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

#include <linux/crc32.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/i2c.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#define RGBSIM_ADDRESSES	128
#define RGBSIM_MAX_BUSES	16
#define RGBSIM_MAX_LOG_ENTRIES	1000000
#define RGBSIM_LOG_BYTES	64
#define RGBSIM_HANG_FOREVER	UINT_MAX
#define RGBSIM_SLOTS		8
#define RGBSIM_NO_SLOT		0xff
#define RGBSIM_AREAS		2

#define EEPROM_ADDRESS		0x50
#define VENGEANCE_ADDRESS	0x58
#define PMIC_ADDRESS		0x48
#define FURY_DDR5_ADDRESS	0x60
#define ENE_GPU_ADDRESS		0x67

/* ENE controllers: their registers, and the commands that reach them (ENESMBusController) */
#define ENE_REGISTERS		0x10000
#define ENE_NAME		0x1000
#define ENE_MAKER		0x1030
#define ENE_CONFIG		0x1c00
#define ENE_CONFIG_LEDS		(ENE_CONFIG + 0x02)
#define ENE_CONFIG_LEDS_2	(ENE_CONFIG + 0x03)
#define ENE_CONFIG_CHANNEL	(ENE_CONFIG + 0x13)
#define ENE_CONFIG_CHANNEL_2	(ENE_CONFIG + 0x1b)
#define ENE_WRITABLE		0x8000
#define ENE_DIRECT		0x8020
#define ENE_SLOT		0x80f8
#define ENE_ADDRESS		0x80f9
#define ENE_COLORS_DIRECT	0x8100
#define ENE_COLORS_EFFECT	0x8160

#define ENE_CMD_POINTER		0x00
#define ENE_CMD_WRITE		0x01
#define ENE_CMD_WRITE_BLOCK	0x03
#define ENE_CMD_READ		0x81
#define ENE_CMD_FINGERPRINT	0xa0

static unsigned int chipset = 1;
module_param(chipset, uint, 0444);
MODULE_PARM_DESC(chipset, "number of chipset-like adapters");

static unsigned int plain = 2;
module_param(plain, uint, 0444);
MODULE_PARM_DESC(plain, "number of adapters full of plain register chips");

static unsigned int leds = 8;
module_param(leds, uint, 0444);
MODULE_PARM_DESC(leds, "LEDs of an ENE controller (1 to 10)");

static unsigned int ene_address = 0x70;
module_param(ene_address, uint, 0444);
MODULE_PARM_DESC(ene_address, "where a chipset's ENE controller answers at first");

static unsigned int log_entries = 4096;
module_param(log_entries, uint, 0444);
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

static bool registered;
module_param(registered, bool, 0444);
MODULE_PARM_DESC(registered, "the modules of amd and ddr5 are registered ones");

static unsigned int maker = 0x0198;
module_param(maker, uint, 0444);
MODULE_PARM_DESC(maker, "JEDEC id of who made the modules, as two bytes; default Kingston");

static unsigned int gpu;
module_param(gpu, uint, 0444);
MODULE_PARM_DESC(gpu, "number of adapters like an NVIDIA card's");

static unsigned int display = 1;
module_param(display, uint, 0444);
MODULE_PARM_DESC(display, "a display is plugged into each gpu at first");

/* vendor, device, subsystem vendor, subsystem device */
static const unsigned int amd_ids[] = { 0x1022, 0x790b, 0x1849, 0xffff };
static const unsigned int ddr5_ids[] = { 0x8086, 0x7aa3, 0x1462, 0x7d25 };
static unsigned int gpu_ids[] = { 0x10de, 0x2206, 0x1043, 0x87b2 };
module_param_named(gpu_vendor, gpu_ids[0], uint, 0444);
module_param_named(gpu_device, gpu_ids[1], uint, 0444);
module_param_named(gpu_subvendor, gpu_ids[2], uint, 0444);
module_param_named(gpu_subdevice, gpu_ids[3], uint, 0444);

struct rgbsim_bus;
struct rgbsim_chip;

/* A part of a chip's memory that must not change */
struct rgbsim_area {
	const char *kind;
	u16 start;
	u16 len;
};

struct rgbsim_model {
	size_t size;
	struct rgbsim_area areas[RGBSIM_AREAS];
	void (*reset)(struct rgbsim_chip *chip);
	void (*start)(struct rgbsim_chip *chip);
	/* absent: always */
	bool (*acknowledges)(struct rgbsim_chip *chip, bool read);
	void (*write)(struct rgbsim_chip *chip, const u8 *bytes, size_t len);
	/* ENE: after a byte was stored where the pointer is */
	void (*stored)(struct rgbsim_chip *chip);
	u8 (*read)(struct rgbsim_chip *chip);
	void (*show_leds)(struct rgbsim_chip *chip, struct seq_file *s);
};

struct rgbsim_chip {
	const struct rgbsim_model *model;
	struct rgbsim_bus *bus;
	u8 address;
	u8 slot;	/* of the memory module the chip is on */
	u8 command;	/* ENE: of the transfer under way; others: see there */
	u16 pointer;
	u8 *mem;
	unsigned int writes[RGBSIM_AREAS];
};

struct rgbsim_entry {
	u64 sequence;
	s64 us;
	int result;
	u16 len;
	u16 index;
	u16 count;
	u8 address;
	bool read;
	u8 bytes[RGBSIM_LOG_BYTES];
};

struct rgbsim_fault {
	int error;
	unsigned int count;
};

struct rgbsim_kind {
	const char *name;
	const char *adapter;		/* its name, as a format of its number; NULL: see rgbsim_add_bus */
	const unsigned int *count;
	const unsigned int *ids;	/* what the parent's attributes tell; NULL: there are none */
	int (*populate)(struct rgbsim_bus *bus);
	bool display;			/* there may be one */
};

struct rgbsim_bus {
	const struct rgbsim_kind *kind;
	struct i2c_adapter adapter;
	struct platform_device *pdev;
	struct mutex lock;	/* chips, log and faults */

	struct rgbsim_chip chips[RGBSIM_ADDRESSES];
	unsigned int chip_count;
	struct rgbsim_chip *answering[RGBSIM_ADDRESSES];	/* to the message under way */

	u8 spd_page;		/* EE1004: of all SPD EEPROMs */
	u32 display;

	struct rgbsim_entry *log;
	u64 sequence;		/* of the next entry */
	u64 cleared;		/* entries before this one were cleared away */

	struct rgbsim_fault faults[RGBSIM_ADDRESSES];

	wait_queue_head_t hung;
	unsigned int hang_ms;
	unsigned int released;	/* changes whenever hung transfers are let go */

	u32 delay_us;
};

static struct rgbsim_bus *buses[RGBSIM_MAX_BUSES];
static unsigned int bus_count;
static struct dentry *debugfs_root;

/* ---- plain chips: 256 registers behind a pointer, like a 24C02 ---- */

static void regs_reset(struct rgbsim_chip *chip)
{
	unsigned int i;

	for (i = 0; i < chip->model->size; i++)
		chip->mem[i] = chip->address + i;
}

static void regs_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->pointer = bytes[0];
	while (--len) {
		chip->mem[chip->pointer] = *++bytes;
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

static u8 regs_read(struct rgbsim_chip *chip)
{
	u8 value = chip->mem[chip->pointer];

	chip->pointer = (chip->pointer + 1) & 0xff;
	return value;
}

static const struct rgbsim_model plain_model = {
	.size = 256,
	.reset = regs_reset,
	.write = regs_write,
	.read = regs_read,
};

/* ---- SPD EEPROM without write protection: what there is to lose ---- */

static void spd_reset(struct rgbsim_chip *chip)
{
	static const u8 head[] = {
		0x23, 0x11,	/* 384 bytes used of 512, revision 1.1 */
		0x0c,		/* DDR4 */
		0x02,		/* UDIMM */
	};
	unsigned int i;

	for (i = 0; i < chip->model->size; i++)
		chip->mem[i] = i * 7 + 3;
	memcpy(chip->mem, head, sizeof(head));
}

static const struct rgbsim_model spd_model = {
	.size = 256,
	.reset = spd_reset,
	.write = regs_write,
	.read = regs_read,
};

/* ---- Corsair Vengeance RGB: fingerprint 0xba over 0xa0-0xaf ---- */

static void vengeance_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->pointer = bytes[0];
	while (--len) {
		u8 reg = chip->pointer;

		bytes++;
		if ((reg >= 0xa4 && reg <= 0xa7) || (reg >= 0xb0 && reg <= 0xc4))
			chip->mem[reg] = *bytes;
		chip->pointer = (reg + 1) & 0xff;
	}
}

static u8 vengeance_read(struct rgbsim_chip *chip)
{
	u8 reg = chip->pointer;
	u8 value = regs_read(chip);

	/* programs know the chip by these even after having written to 0xa4-0xa7 */
	return (reg & 0xf0) == 0xa0 ? 0xba : value;
}

static void vengeance_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	seq_printf(s, "0x%02x 0 %02x%02x%02x\n", chip->address,
		   chip->mem[0xb0], chip->mem[0xb1], chip->mem[0xb2]);
}

static const struct rgbsim_model vengeance_model = {
	.size = 256,
	.write = vengeance_write,
	.read = vengeance_read,
	.show_leds = vengeance_show_leds,
};

/* ---- ENE: a 16 bit pointer sent as data, registers behind it ---- */

static void ene_init(struct rgbsim_chip *chip, const char *name, u8 count)
{
	memcpy(chip->mem + ENE_NAME, name, strlen(name));
	chip->mem[ENE_CONFIG_LEDS] = count;
	chip->mem[ENE_CONFIG_LEDS_2] = count;
	/* lit from the start by what is written to the direct colours */
	chip->mem[ENE_DIRECT] = 1;
}

static void ene_reset(struct rgbsim_chip *chip)
{
	ene_init(chip, "AUDA0-E6K5-0101", leds);
	chip->mem[ENE_CONFIG_CHANNEL] = 0x05;
	if (chip->slot != RGBSIM_NO_SLOT)
		chip->mem[ENE_SLOT] = RGBSIM_NO_SLOT;
}

static void ene_reset_gpu(struct rgbsim_chip *chip)
{
	ene_init(chip, "AUMA0-E6K5-0107", 4);
	chip->mem[ENE_CONFIG_CHANNEL_2] = 0x83;
}

/* The command of one transfer says nothing about the next. */
static void ene_start(struct rgbsim_chip *chip)
{
	chip->command = 0;
}

static void ene_store(struct rgbsim_chip *chip, u8 value)
{
	if (chip->pointer >= ENE_WRITABLE)
		chip->mem[chip->pointer] = value;
	if (chip->model->stored)
		chip->model->stored(chip);
	chip->pointer++;
}

/*
 * The danger of these chips: told so, one moves onto another's address. Those of
 * several modules that still share an address are told apart by their slots.
 */
static void ene_stored(struct rgbsim_chip *chip)
{
	if (chip->pointer != ENE_ADDRESS)
		return;
	if (chip->slot == RGBSIM_NO_SLOT || chip->slot == chip->mem[ENE_SLOT])
		chip->address = chip->mem[ENE_ADDRESS] >> 1;
}

static void ene_store_block(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	size_t count;

	if (len == 0)
		return;
	for (count = min_t(size_t, bytes[0], len - 1); count; count--)
		ene_store(chip, *++bytes);
}

static void ene_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->command = bytes[0];
	if (chip->command == ENE_CMD_POINTER && len == 3)
		chip->pointer = bytes[1] << 8 | bytes[2];
	else if (chip->command == ENE_CMD_WRITE && len == 2)
		ene_store(chip, bytes[1]);
	else if (chip->command == ENE_CMD_WRITE_BLOCK)
		ene_store_block(chip, bytes + 1, len - 1);
}

static u8 ene_read(struct rgbsim_chip *chip)
{
	if (chip->command == ENE_CMD_READ)
		return chip->mem[chip->pointer++];
	if ((chip->command & 0xf0) == ENE_CMD_FINGERPRINT)
		return chip->command++ & 0x0f;
	return 0;
}

static void ene_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	const u8 *color = chip->mem + (chip->mem[ENE_DIRECT] ?
				       ENE_COLORS_DIRECT : ENE_COLORS_EFFECT);
	unsigned int i;

	/* the chip's order is red, blue, green */
	for (i = 0; i < chip->mem[ENE_CONFIG_LEDS]; i++, color += 3)
		seq_printf(s, "0x%02x %u %02x%02x%02x\n", chip->address, i,
			   color[0], color[2], color[1]);
}

static const struct rgbsim_model ene_model = {
	.size = ENE_REGISTERS,
	.reset = ene_reset,
	.start = ene_start,
	.write = ene_write,
	.stored = ene_stored,
	.read = ene_read,
	.show_leds = ene_show_leds,
};

static const struct rgbsim_model ene_gpu_model = {
	.size = ENE_REGISTERS,
	.reset = ene_reset_gpu,
	.start = ene_start,
	.write = ene_write,
	.stored = ene_stored,
	.read = ene_read,
	.show_leds = ene_show_leds,
};

/* ---- Crucial Ballistix: ENE's core, other registers (CrucialController) ---- */

#define CRUCIAL_LEDS		8
#define CRUCIAL_SLOT		0x82ee
#define CRUCIAL_ADDRESS		0x82ef
#define CRUCIAL_DO		0x82f0
#define CRUCIAL_DO_MOVE		0xf0
#define CRUCIAL_RED		0x8300
#define CRUCIAL_GREEN		0x8340
#define CRUCIAL_BLUE		0x8380

static void crucial_reset(struct rgbsim_chip *chip)
{
	/* whoever looks for other ENE controllers leaves it alone because of this */
	memcpy(chip->mem + ENE_MAKER, "Micron", 6);
}

static void crucial_stored(struct rgbsim_chip *chip)
{
	if (chip->pointer == CRUCIAL_DO && chip->mem[CRUCIAL_DO] == CRUCIAL_DO_MOVE &&
	    chip->mem[CRUCIAL_SLOT] == chip->slot)
		chip->address = chip->mem[CRUCIAL_ADDRESS] >> 1;
}

static void crucial_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	unsigned int i;

	for (i = 0; i < CRUCIAL_LEDS; i++)
		seq_printf(s, "0x%02x %u %02x%02x%02x\n", chip->address, i,
			   chip->mem[CRUCIAL_RED + i], chip->mem[CRUCIAL_GREEN + i],
			   chip->mem[CRUCIAL_BLUE + i]);
}

static const struct rgbsim_model crucial_model = {
	.size = ENE_REGISTERS,
	.reset = crucial_reset,
	.start = ene_start,
	.write = ene_write,
	.stored = crucial_stored,
	.read = ene_read,
	.show_leds = crucial_show_leds,
};

/* ---- classic Corsair memory: commands around a buffer (CorsairDRAMController) ---- */

#define CORSAIR_LEDS		10
#define CORSAIR_RESET		0x0b
#define CORSAIR_APPEND		0x20
#define CORSAIR_REWIND		0x21
#define CORSAIR_STATUS		0x30
#define CORSAIR_DIRECT		0x31
#define CORSAIR_DIRECT_2	0x32
#define CORSAIR_NEXT		0x40
#define CORSAIR_CHECKSUM	0x42
#define CORSAIR_ID		0x43	/* 0x1a, 0x1b or 0x1c; protocol 1, 3 or 4 behind it */
#define CORSAIR_GET_INFO	0x61
#define CORSAIR_TAKE		0x82
#define CORSAIR_TAKE_COLORS	0x02

/* where in the chip's memory what is: 256 registers that are commands have no use for any */
#define CORSAIR_BUFFER		0x00
#define CORSAIR_BUFFER_SIZE	0x80
#define CORSAIR_USED		0x80
#define CORSAIR_PACKET		0x90
#define CORSAIR_LIT		0xd0

static u8 corsair_crc8(const u8 *bytes, size_t len)
{
	u8 crc = 0;
	int bit;

	while (len--) {
		crc ^= *bytes++;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 0x80 ? crc << 1 ^ 0x07 : crc << 1;
	}
	return crc;
}

static void corsair_info(struct rgbsim_chip *chip)
{
	/* vendor and product id, then nothing of use up to the protocol's version */
	static const u8 info[32] = { 0x1c, 0x1b, 0x01, 0x01, [28] = 0x04 };

	memcpy(chip->mem + CORSAIR_BUFFER, info, sizeof(info));
	chip->mem[CORSAIR_USED] = sizeof(info);
}

static void corsair_append(struct rgbsim_chip *chip, u8 value)
{
	if (chip->pointer >= CORSAIR_BUFFER_SIZE)
		return;
	chip->mem[CORSAIR_BUFFER + chip->pointer++] = value;
	chip->mem[CORSAIR_USED] = chip->pointer;
}

/* red, green, blue and 0xff each */
static void corsair_take_colors(struct rgbsim_chip *chip)
{
	unsigned int i;

	for (i = 0; i < CORSAIR_LEDS; i++)
		memcpy(chip->mem + CORSAIR_LIT + 3 * i, chip->mem + CORSAIR_BUFFER + 4 * i, 3);
}

/* How many LEDs, their colours, CRC: 32 bytes in all, so the second block is for longer ones. */
static void corsair_direct(struct rgbsim_chip *chip, const u8 *block, size_t len)
{
	u8 *packet = chip->mem + CORSAIR_PACKET;

	if (len != 33 || block[0] != 32)
		return;
	memcpy(packet, block + 1, 32);
	if (packet[0] == CORSAIR_LEDS && packet[31] == corsair_crc8(packet, 31))
		memcpy(chip->mem + CORSAIR_LIT, packet + 1, 3 * CORSAIR_LEDS);
}

static void corsair_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->command = bytes[0];
	if (len == 1)
		return;
	switch (chip->command) {
	case CORSAIR_RESET:
		chip->mem[CORSAIR_USED] = 0;
		fallthrough;
	case CORSAIR_REWIND:
		chip->pointer = 0;
		break;
	case CORSAIR_GET_INFO:
		corsair_info(chip);
		break;
	case CORSAIR_APPEND:
		corsair_append(chip, bytes[1]);
		break;
	case CORSAIR_TAKE:
		if (bytes[1] == CORSAIR_TAKE_COLORS)
			corsair_take_colors(chip);
		break;
	case CORSAIR_DIRECT:
		corsair_direct(chip, bytes + 1, len - 1);
		break;
	}
}

static u8 corsair_read(struct rgbsim_chip *chip)
{
	switch (chip->command) {
	case CORSAIR_NEXT:
		chip->pointer %= CORSAIR_BUFFER_SIZE;
		return chip->mem[CORSAIR_BUFFER + chip->pointer++];
	case CORSAIR_CHECKSUM:
		return corsair_crc8(chip->mem + CORSAIR_BUFFER, chip->mem[CORSAIR_USED]);
	case CORSAIR_ID:
		chip->command++;
		return 0x1a;
	case CORSAIR_ID + 1:
		chip->command++;
		return 0x04;
	}
	/* CORSAIR_STATUS among them: never busy */
	return 0;
}

static void corsair_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	unsigned int i;

	for (i = 0; i < CORSAIR_LEDS; i++)
		seq_printf(s, "0x%02x %u %3phN\n", chip->address, i,
			   chip->mem + CORSAIR_LIT + 3 * i);
}

static const struct rgbsim_model corsair_model = {
	.size = 256,
	.write = corsair_write,
	.read = corsair_read,
	.show_leds = corsair_show_leds,
};

/* ---- Kingston Fury: written by bytes, read by words (KingstonFuryDRAMController) ---- */

#define FURY_NAME		0x01	/* to 0x04 */
#define FURY_MODEL		0x06
#define FURY_APPLY		0x08
#define FURY_APPLY_BEGIN	0x53
#define FURY_APPLY_END		0x44
#define FURY_COLORS		0x50
#define FURY_MODEL_DDR4		0x23
#define FURY_MODEL_DDR5		0x10
#define FURY_LEDS_DDR4		10
#define FURY_LEDS_DDR5		12

/* behind the registers: what has been applied, and whether anybody ever began */
#define FURY_LIT		0x100
#define FURY_AWAKE		0x1ff

static void fury_reset_ddr4(struct rgbsim_chip *chip)
{
	memcpy(chip->mem + FURY_NAME, "FURY", 4);
	chip->mem[FURY_MODEL] = FURY_MODEL_DDR4;
}

static void fury_reset_ddr5(struct rgbsim_chip *chip)
{
	memcpy(chip->mem + FURY_NAME, "FURY", 4);
	chip->mem[FURY_MODEL] = FURY_MODEL_DDR5;
}

static void fury_store(struct rgbsim_chip *chip, u8 value)
{
	u8 *mem = chip->mem;

	if (chip->pointer > FURY_MODEL)
		mem[chip->pointer] = value;
	if (chip->pointer != FURY_APPLY)
		return;
	if (value == FURY_APPLY_BEGIN)
		mem[FURY_AWAKE] = 1;
	else if (value == FURY_APPLY_END)
		memcpy(mem + FURY_LIT, mem + FURY_COLORS, 3 * FURY_LEDS_DDR5);
}

static void fury_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	/* here it counts the bytes read since */
	chip->command = 0;
	chip->pointer = bytes[0];
	while (--len) {
		fury_store(chip, *++bytes);
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

/* A word's high byte is the register's. */
static u8 fury_read(struct rgbsim_chip *chip)
{
	if (chip->command++ % 2 == 0)
		return 0;
	if (chip->pointer <= FURY_MODEL && !chip->mem[FURY_AWAKE])
		return 0;
	return chip->mem[chip->pointer];
}

static void fury_show_leds(struct rgbsim_chip *chip, struct seq_file *s)
{
	unsigned int count = chip->mem[FURY_MODEL] == FURY_MODEL_DDR5 ?
			     FURY_LEDS_DDR5 : FURY_LEDS_DDR4;
	unsigned int i;

	for (i = 0; i < count; i++)
		seq_printf(s, "0x%02x %u %3phN\n", chip->address, i,
			   chip->mem + FURY_LIT + 3 * i);
}

static const struct rgbsim_model fury_ddr4_model = {
	.size = 512,
	.reset = fury_reset_ddr4,
	.write = fury_write,
	.read = fury_read,
	.show_leds = fury_show_leds,
};

static const struct rgbsim_model fury_ddr5_model = {
	.size = 512,
	.reset = fury_reset_ddr5,
	.write = fury_write,
	.read = fury_read,
	.show_leds = fury_show_leds,
};

/* ---- what must not change: every byte written is counted, the same one again too ---- */

static void rgbsim_count_write(struct rgbsim_chip *chip, u16 at)
{
	const struct rgbsim_area *area = chip->model->areas;
	unsigned int i;

	for (i = 0; i < RGBSIM_AREAS; i++)
		if (at >= area[i].start && at - area[i].start < area[i].len)
			chip->writes[i]++;
}

static void rgbsim_store(struct rgbsim_chip *chip, u16 at, u8 value)
{
	chip->mem[at] = value;
	rgbsim_count_write(chip, at);
}

static void guarded_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->pointer = bytes[0];
	while (--len) {
		rgbsim_store(chip, chip->pointer, *++bytes);
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

/* ---- DDR4 SPD EEPROMs (EE1004), their bus-wide page, their protection ---- */

#define EE1004_PAGE_0		0x36	/* SPA0; 0x37 is SPA1 */
#define EE1004_PAGE_SIZE	256
#define EE1004_CWP		0x33	/* clears what SWP3 (0x30), SWP0, SWP1, SWP2 (0x31, 0x34, 0x35) set */

#define SPD_TYPE_RDIMM		0x01
#define SPD_TYPE_UDIMM		0x02

/* JEDEC's CRC16 of the bytes before it: polynomial 0x1021, low byte first */
static void spd_crc16(u8 *mem, unsigned int len)
{
	u16 crc = 0;
	unsigned int i, bit;

	for (i = 0; i < len; i++) {
		crc ^= mem[i] << 8;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
	}
	mem[len] = crc;
	mem[len + 1] = crc >> 8;
}

/* made up, so that no byte is like the next one and no page like the other */
static void spd_fill(u8 *mem, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		mem[i] = i * 7 + 3 + (i >> 8);
}

/* as SPD has it: the maker's two bytes at 320, 20 characters from 329, blanks at their end */
static void ee1004_reset(struct rgbsim_chip *chip)
{
	const u8 head[] = {
		0x23, 0x11,	/* 384 bytes used of 512, revision 1.1 */
		0x0c,		/* DDR4 */
		registered ? SPD_TYPE_RDIMM : SPD_TYPE_UDIMM,
	};
	u8 *mem = chip->mem;

	spd_fill(mem, chip->model->size);
	memcpy(mem, head, sizeof(head));
	spd_crc16(mem, 126);
	mem[320] = maker >> 8;
	mem[321] = maker;
	memcpy(mem + 329, "KF432C16BBA/8       ", 20);
}

static u16 ee1004_at(struct rgbsim_chip *chip)
{
	return chip->bus->spd_page * EE1004_PAGE_SIZE + chip->pointer;
}

static void ee1004_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		return;
	chip->pointer = bytes[0];
	while (--len) {
		rgbsim_store(chip, ee1004_at(chip), *++bytes);
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

static u8 ee1004_read(struct rgbsim_chip *chip)
{
	u8 value = chip->mem[ee1004_at(chip)];

	chip->pointer = (chip->pointer + 1) & 0xff;
	return value;
}

static const struct rgbsim_model ee1004_model = {
	.size = 2 * EE1004_PAGE_SIZE,
	.areas = {
		{ "spd-page0", 0, EE1004_PAGE_SIZE },
		{ "spd-page1", EE1004_PAGE_SIZE, EE1004_PAGE_SIZE },
	},
	.reset = ee1004_reset,
	.write = ee1004_write,
	.read = ee1004_read,
};

static u8 nothing_read(struct rgbsim_chip *chip)
{
	return 0;
}

/* A read asks for page 0; page 1 cannot be asked for. */
static bool page_acknowledges(struct rgbsim_chip *chip, bool read)
{
	return !read || (chip->address == EE1004_PAGE_0 && chip->bus->spd_page == 0);
}

static void page_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	chip->bus->spd_page = chip->address - EE1004_PAGE_0;
}

static const struct rgbsim_model page_model = {
	.size = 1,
	.acknowledges = page_acknowledges,
	.write = page_write,
	.read = nothing_read,
};

/* A read asks whether the block is still unprotected. */
static bool protect_acknowledges(struct rgbsim_chip *chip, bool read)
{
	return !read || (chip->address != EE1004_CWP && !chip->mem[0]);
}

/* No board has the high voltage that this takes; that somebody tried is what is kept. */
static void protect_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	rgbsim_store(chip, 0, 1);
}

static const struct rgbsim_model protect_model = {
	.size = 1,
	.areas = { { "protect", 0, 1 } },
	.acknowledges = protect_acknowledges,
	.write = protect_write,
	.read = nothing_read,
};

/* ---- DDR5 SPD hubs (JESD300): registers MR0 to MR127, 8 pages of memory behind them ---- */

#define HUB_TYPE		0x00	/* MR0, MR1: 0x5118 */
#define HUB_READ_ONLY		0x0a	/* up to MR10: what the hub is */
#define HUB_MODE		0x0b	/* MR11 */
#define HUB_MODE_PAGE		0x07
#define HUB_MODE_TWO_BYTES	0x08
#define HUB_PROTECT		0x0c	/* MR12, MR13: a bit for every 64 bytes */
#define HUB_PROTECT_LAST	0x0d
#define HUB_IS_MEMORY		0x80	/* of an address byte */
#define HUB_PAGE_SIZE		128
#define HUB_MEMORY		128	/* where it begins behind the registers */
#define HUB_MEMORY_SIZE		1024

static void hub_reset(struct rgbsim_chip *chip)
{
	const u8 head[] = {
		0x30, 0x10,	/* 1024 bytes, revision 1.0 */
		0x12,		/* DDR5 */
		registered ? SPD_TYPE_RDIMM : SPD_TYPE_UDIMM,
	};
	u8 *nvm = chip->mem + HUB_MEMORY;

	chip->mem[HUB_TYPE] = 0x51;
	chip->mem[HUB_TYPE + 1] = 0x18;
	spd_fill(nvm, HUB_MEMORY_SIZE);
	memcpy(nvm, head, sizeof(head));
	spd_crc16(nvm, 510);
	nvm[512] = maker >> 8;
	nvm[513] = maker;
	memcpy(nvm + 521, "KF560C40BBA-16                ", 30);
}

/*
 * Sets the pointer; returns how many bytes the address took, 0 if it is not
 * complete. Of two, the first has 6 bits of the place in a block of 64 bytes and
 * the block's lowest bit, the second its other bits.
 */
static size_t hub_address(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	u8 mode = chip->mem[HUB_MODE];

	if (mode & HUB_MODE_TWO_BYTES) {
		if (len < 2)
			return 0;
		chip->pointer = bytes[0] & 0x7f;
		if (bytes[0] & HUB_IS_MEMORY)
			chip->pointer += HUB_MEMORY + (bytes[1] & 0x07) * HUB_PAGE_SIZE;
		return 2;
	}
	if (len < 1)
		return 0;
	chip->pointer = bytes[0] & 0x7f;
	if (bytes[0] & HUB_IS_MEMORY)
		chip->pointer += HUB_MEMORY + (mode & HUB_MODE_PAGE) * HUB_PAGE_SIZE;
	return 1;
}

/* Registers and memory have an end each, and go on at their start. */
static void hub_advance(struct rgbsim_chip *chip)
{
	chip->pointer++;
	if (chip->pointer == HUB_MEMORY)
		chip->pointer = 0;
	else if (chip->pointer == HUB_MEMORY + HUB_MEMORY_SIZE)
		chip->pointer = HUB_MEMORY;
}

static bool hub_protected(struct rgbsim_chip *chip, u16 at)
{
	unsigned int block = (at - HUB_MEMORY) / 64;

	return chip->mem[HUB_PROTECT + block / 8] & 1 << block % 8;
}

static void hub_store(struct rgbsim_chip *chip, u8 value)
{
	u16 at = chip->pointer;

	if (at <= HUB_READ_ONLY || (at >= HUB_MEMORY && hub_protected(chip, at)))
		return;
	/* neither is ever taken back before the power goes */
	if (at == HUB_MODE)
		value = (value & 0x0f) | (chip->mem[at] & HUB_MODE_TWO_BYTES);
	else if (at == HUB_PROTECT || at == HUB_PROTECT_LAST)
		value |= chip->mem[at];
	rgbsim_store(chip, at, value);
}

static void hub_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	size_t i = hub_address(chip, bytes, len);

	if (i == 0)
		return;
	for (; i < len; i++) {
		hub_store(chip, bytes[i]);
		hub_advance(chip);
	}
}

static u8 hub_read(struct rgbsim_chip *chip)
{
	u8 value = chip->mem[chip->pointer];

	hub_advance(chip);
	return value;
}

static const struct rgbsim_model hub_model = {
	.size = HUB_MEMORY + HUB_MEMORY_SIZE,
	.areas = {
		{ "hub-registers", 0, HUB_MEMORY },
		{ "hub-memory", HUB_MEMORY, HUB_MEMORY_SIZE },
	},
	.reset = hub_reset,
	.write = hub_write,
	.read = hub_read,
};

/* The module's voltages. Its registers are made up: none may be written. */
static const struct rgbsim_model pmic_model = {
	.size = 256,
	.areas = { { "pmic", 0, 256 } },
	.reset = regs_reset,
	.write = guarded_write,
	.read = regs_read,
};

/* ---- a display (EDID, E-DDC, DDC/CI): answers while it is plugged in ---- */

#define EDID_BLOCK		128
#define EDID_EXTENSIONS		126	/* how many blocks follow */
#define EDID_CHECKSUM		127	/* a block's bytes add up to 0 */

static void edid_checksum(u8 *block)
{
	u8 sum = 0;
	unsigned int i;

	for (i = 0; i < EDID_CHECKSUM; i++)
		sum += block[i];
	block[EDID_CHECKSUM] = -sum;
}

static void edid_reset(struct rgbsim_chip *chip)
{
	static const u8 head[] = {
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
		0x4d, 0x2d, 0x01, 0x00,		/* maker "SIM", product 1 */
		0x01, 0x00, 0x00, 0x00,		/* serial number 1 */
		0x01, 0x22, 0x01, 0x04,		/* week 1 of 2024, EDID 1.4 */
		0xa5, 0x3c, 0x22, 0x78,		/* DisplayPort, 60 cm by 34 cm, gamma 2.2 */
	};
	static const u8 extension[] = { 0x02, 0x03, 0x04 };	/* CTA-861, revision 3, empty */

	memcpy(chip->mem, head, sizeof(head));
	chip->mem[EDID_EXTENSIONS] = 1;
	edid_checksum(chip->mem);
	memcpy(chip->mem + EDID_BLOCK, extension, sizeof(extension));
	edid_checksum(chip->mem + EDID_BLOCK);
}

static bool display_acknowledges(struct rgbsim_chip *chip, bool read)
{
	return chip->bus->display;
}

static const struct rgbsim_model edid_model = {
	.size = 2 * EDID_BLOCK,
	.areas = { { "edid", 0, 2 * EDID_BLOCK } },
	.reset = edid_reset,
	.acknowledges = display_acknowledges,
	.write = guarded_write,
	.read = regs_read,
};

/* Keeps the last 256 bytes it was sent, each a write; one without any counts as well. */
static void companion_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len)
{
	if (len == 0)
		rgbsim_count_write(chip, 0);
	while (len--) {
		rgbsim_store(chip, chip->pointer, *bytes++);
		chip->pointer = (chip->pointer + 1) & 0xff;
	}
}

static const struct rgbsim_model companion_model = {
	.size = 256,
	.areas = { { "display", 0, 256 } },
	.acknowledges = display_acknowledges,
	.write = companion_write,
	.read = nothing_read,
};

/* ---- the wire ---- */

static int rgbsim_take_fault(struct rgbsim_bus *bus, u16 address)
{
	struct rgbsim_fault *fault;

	if (address >= RGBSIM_ADDRESSES)
		return 0;
	fault = &bus->faults[address];
	if (!fault->count)
		return 0;
	fault->count--;
	return fault->error;
}

static bool rgbsim_answers(struct rgbsim_chip *chip, const struct i2c_msg *msg)
{
	return chip->address == msg->addr &&
	       (!chip->model->acknowledges ||
		chip->model->acknowledges(chip, msg->flags & I2C_M_RD));
}

/*
 * The chips that answer to a message, in their order. Chips at the same address
 * all do, but on a chipset or plain adapter the first one keeps the others out.
 */
static unsigned int rgbsim_find(struct rgbsim_bus *bus, const struct i2c_msg *msg,
				struct rgbsim_chip **found)
{
	unsigned int i, count = 0;

	for (i = 0; i < bus->chip_count; i++) {
		if (!rgbsim_answers(&bus->chips[i], msg))
			continue;
		found[count++] = &bus->chips[i];
		if (!bus->kind->ids)
			break;
	}
	return count;
}

/* The wire is low if any of them pulls it down. */
static u8 rgbsim_read_byte(struct rgbsim_chip **chips, unsigned int count)
{
	u8 value = 0xff;

	for (; count; count--, chips++)
		value &= (*chips)->model->read(*chips);
	return value;
}

static int rgbsim_read(struct rgbsim_chip **chips, unsigned int count, struct i2c_msg *msg)
{
	u16 i;

	for (i = 0; i < msg->len; i++) {
		msg->buf[i] = rgbsim_read_byte(chips, count);
		if (i || !(msg->flags & I2C_M_RECV_LEN))
			continue;
		if (msg->buf[0] == 0 || msg->buf[0] > I2C_SMBUS_BLOCK_MAX)
			return -EPROTO;
		msg->len += msg->buf[0];
	}
	return 0;
}

static int rgbsim_message(struct rgbsim_bus *bus, struct i2c_msg *msg)
{
	struct rgbsim_chip **chips = bus->answering;
	unsigned int count;
	int err;

	if (msg->flags & ~(I2C_M_RD | I2C_M_RECV_LEN | I2C_M_DMA_SAFE))
		return -EOPNOTSUPP;
	err = rgbsim_take_fault(bus, msg->addr);
	if (err)
		return err;
	count = rgbsim_find(bus, msg, chips);
	if (!count)
		return -ENXIO;
	if (msg->flags & I2C_M_RD)
		return rgbsim_read(chips, count, msg);
	for (; count; count--, chips++)
		(*chips)->model->write(*chips, msg->buf, msg->len);
	return 0;
}

static void rgbsim_log(struct rgbsim_bus *bus, const struct i2c_msg *msg,
		       int index, int count, int result)
{
	struct rgbsim_entry *e = &bus->log[bus->sequence % log_entries];

	e->sequence = bus->sequence++;
	e->us = ktime_to_us(ktime_get());
	e->result = result;
	e->index = index + 1;
	e->count = count;
	e->address = msg->addr;
	e->read = msg->flags & I2C_M_RD;
	/* what a failed read would have brought never was on the wire */
	e->len = e->read && result ? 0 : msg->len;
	memcpy(e->bytes, msg->buf, min_t(u16, e->len, RGBSIM_LOG_BYTES));
}

/* Uninterruptible on purpose: a wedged controller does not heed SIGKILL. */
static void rgbsim_hang(struct rgbsim_bus *bus)
{
	unsigned int released = READ_ONCE(bus->released);
	unsigned int ms = READ_ONCE(bus->hang_ms);

	if (ms == RGBSIM_HANG_FOREVER)
		wait_event(bus->hung, READ_ONCE(bus->released) != released);
	else if (ms)
		wait_event_timeout(bus->hung, READ_ONCE(bus->released) != released,
				   msecs_to_jiffies(ms));
}

static void rgbsim_wire_time(struct rgbsim_bus *bus, const struct i2c_msg *msg)
{
	u32 delay = READ_ONCE(bus->delay_us);

	/* the address is a byte too */
	if (delay)
		fsleep((unsigned long)delay * (msg->len + 1));
}

static void rgbsim_start(struct rgbsim_bus *bus)
{
	unsigned int i;

	for (i = 0; i < bus->chip_count; i++)
		if (bus->chips[i].model->start)
			bus->chips[i].model->start(&bus->chips[i]);
}

static int rgbsim_xfer(struct i2c_adapter *adapter, struct i2c_msg *msgs, int num)
{
	struct rgbsim_bus *bus = i2c_get_adapdata(adapter);
	int err = 0;
	int i;

	rgbsim_hang(bus);
	mutex_lock(&bus->lock);
	rgbsim_start(bus);
	for (i = 0; i < num && !err; i++) {
		err = rgbsim_message(bus, &msgs[i]);
		rgbsim_wire_time(bus, &msgs[i]);
		rgbsim_log(bus, &msgs[i], i, num, err);
	}
	mutex_unlock(&bus->lock);
	return err ?: num;
}

static u32 rgbsim_functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL_ALL;
}

static const struct i2c_algorithm rgbsim_algorithm = {
	.master_xfer = rgbsim_xfer,
	.functionality = rgbsim_functionality,
};

/* ---- debugfs ---- */

static void log_show_entry(struct seq_file *s, const struct rgbsim_entry *e)
{
	u16 shown = min_t(u16, e->len, RGBSIM_LOG_BYTES);

	seq_printf(s, "%llu %lld %u/%u 0x%02x %c %d ", e->sequence, e->us,
		   e->index, e->count, e->address, e->read ? 'R' : 'W', e->result);
	if (shown)
		seq_printf(s, "%*phN", shown, e->bytes);
	else
		seq_putc(s, '-');
	if (e->len > shown)
		seq_printf(s, "+%u", e->len - shown);
	seq_putc(s, '\n');
}

static int log_show(struct seq_file *s, void *unused)
{
	struct rgbsim_bus *bus = s->private;
	u64 first, i;

	mutex_lock(&bus->lock);
	first = bus->cleared;
	if (bus->sequence > first + log_entries)
		first = bus->sequence - log_entries;
	seq_printf(s, "# lost %llu\n", first - bus->cleared);
	for (i = first; i < bus->sequence; i++)
		log_show_entry(s, &bus->log[i % log_entries]);
	mutex_unlock(&bus->lock);
	return 0;
}

static ssize_t log_write(struct file *file, const char __user *data, size_t len,
			 loff_t *pos)
{
	struct rgbsim_bus *bus = file_inode(file)->i_private;

	mutex_lock(&bus->lock);
	bus->cleared = bus->sequence;
	mutex_unlock(&bus->lock);
	return len;
}

static int leds_show(struct seq_file *s, void *unused)
{
	struct rgbsim_bus *bus = s->private;
	unsigned int i;

	mutex_lock(&bus->lock);
	for (i = 0; i < bus->chip_count; i++)
		if (bus->chips[i].model->show_leds)
			bus->chips[i].model->show_leds(&bus->chips[i], s);
	mutex_unlock(&bus->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(leds);

static int eeprom_show(struct seq_file *s, void *unused)
{
	struct rgbsim_bus *bus = s->private;
	struct rgbsim_chip *chip = NULL;
	unsigned int i;

	mutex_lock(&bus->lock);
	/* by kind: an ENE controller may have been moved onto the address */
	for (i = 0; i < bus->chip_count; i++)
		if (bus->chips[i].address == EEPROM_ADDRESS &&
		    bus->chips[i].model->size == 256)
			chip = &bus->chips[i];
	for (i = 0; chip && i < 256; i += 16)
		seq_printf(s, "%02x: %16ph\n", i, chip->mem + i);
	if (chip)
		seq_printf(s, "crc32 %08x\n", ~crc32_le(~0, chip->mem, 256));
	mutex_unlock(&bus->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(eeprom);

static int rgbsim_each_area(struct rgbsim_bus *bus, struct seq_file *s,
			    void (*show)(struct seq_file *s, const struct rgbsim_chip *chip,
					 unsigned int area))
{
	unsigned int i, area;

	mutex_lock(&bus->lock);
	for (i = 0; i < bus->chip_count; i++)
		for (area = 0; area < RGBSIM_AREAS; area++)
			if (bus->chips[i].model->areas[area].len)
				show(s, &bus->chips[i], area);
	mutex_unlock(&bus->lock);
	return 0;
}

static void memory_show_area(struct seq_file *s, const struct rgbsim_chip *chip,
			     unsigned int area)
{
	const struct rgbsim_area *a = &chip->model->areas[area];

	seq_printf(s, "0x%02x %s %08x %u\n", chip->address, a->kind,
		   ~crc32_le(~0, chip->mem + a->start, a->len), chip->writes[area]);
}

static int memory_show(struct seq_file *s, void *unused)
{
	return rgbsim_each_area(s->private, s, memory_show_area);
}
DEFINE_SHOW_ATTRIBUTE(memory);

static void dump_show_area(struct seq_file *s, const struct rgbsim_chip *chip,
			   unsigned int area)
{
	const struct rgbsim_area *a = &chip->model->areas[area];
	unsigned int i;

	for (i = 0; i < a->len; i += 16)
		seq_printf(s, "0x%02x %s %03x: %*ph\n", chip->address, a->kind, i,
			   min_t(int, a->len - i, 16), chip->mem + a->start + i);
}

static int dump_show(struct seq_file *s, void *unused)
{
	return rgbsim_each_area(s->private, s, dump_show_area);
}
DEFINE_SHOW_ATTRIBUTE(dump);

/* What was written, as a string without its newline. */
static int rgbsim_copy_text(char *text, size_t size, const char __user *data, size_t len)
{
	if (len >= size)
		return -EINVAL;
	if (copy_from_user(text, data, len))
		return -EFAULT;
	text[len] = '\0';
	strim(text);
	return 0;
}

static int fault_show(struct seq_file *s, void *unused)
{
	struct rgbsim_bus *bus = s->private;
	unsigned int i;

	mutex_lock(&bus->lock);
	for (i = 0; i < RGBSIM_ADDRESSES; i++)
		if (bus->faults[i].count)
			seq_printf(s, "0x%02x %d %u\n", i, -bus->faults[i].error,
				   bus->faults[i].count);
	mutex_unlock(&bus->lock);
	return 0;
}

static ssize_t fault_write(struct file *file, const char __user *data, size_t len,
			   loff_t *pos)
{
	struct rgbsim_bus *bus = file_inode(file)->i_private;
	unsigned int count;
	int address, error;
	char text[48];
	int err;

	err = rgbsim_copy_text(text, sizeof(text), data, len);
	if (err)
		return err;
	if (sscanf(text, "%i %i %u", &address, &error, &count) != 3)
		return -EINVAL;
	if (address < 0 || address >= RGBSIM_ADDRESSES || error < 1 || error > 4095)
		return -EINVAL;
	mutex_lock(&bus->lock);
	bus->faults[address].error = -error;
	bus->faults[address].count = count;
	mutex_unlock(&bus->lock);
	return len;
}

static int hang_show(struct seq_file *s, void *unused)
{
	struct rgbsim_bus *bus = s->private;

	if (bus->hang_ms == RGBSIM_HANG_FOREVER)
		seq_puts(s, "forever\n");
	else
		seq_printf(s, "%u\n", bus->hang_ms);
	return 0;
}

static ssize_t hang_write(struct file *file, const char __user *data, size_t len,
			  loff_t *pos)
{
	struct rgbsim_bus *bus = file_inode(file)->i_private;
	unsigned int ms = RGBSIM_HANG_FOREVER;
	char text[16];
	int err;

	err = rgbsim_copy_text(text, sizeof(text), data, len);
	if (!err && strcmp(text, "forever"))
		err = kstrtouint(text, 10, &ms);
	if (err)
		return err;
	WRITE_ONCE(bus->hang_ms, ms);
	if (!ms) {
		WRITE_ONCE(bus->released, bus->released + 1);
		wake_up_all(&bus->hung);
	}
	return len;
}

#define RGBSIM_WRITABLE(name)						\
static int name##_open(struct inode *inode, struct file *file)		\
{									\
	return single_open(file, name##_show, inode->i_private);	\
}									\
static const struct file_operations name##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = name##_open,						\
	.read = seq_read,						\
	.write = name##_write,						\
	.llseek = seq_lseek,						\
	.release = single_release,					\
}

RGBSIM_WRITABLE(log);
RGBSIM_WRITABLE(fault);
RGBSIM_WRITABLE(hang);

static void rgbsim_debugfs(struct rgbsim_bus *bus, const char *name)
{
	struct dentry *dir = debugfs_create_dir(name, debugfs_root);

	debugfs_create_file("log", 0600, dir, bus, &log_fops);
	debugfs_create_file("leds", 0400, dir, bus, &leds_fops);
	debugfs_create_file("fault", 0600, dir, bus, &fault_fops);
	debugfs_create_file("hang", 0600, dir, bus, &hang_fops);
	debugfs_create_u32("delay_us", 0600, dir, &bus->delay_us);
	if (bus->kind->ids) {
		debugfs_create_file("memory", 0400, dir, bus, &memory_fops);
		debugfs_create_file("dump", 0400, dir, bus, &dump_fops);
	} else {
		debugfs_create_file("eeprom", 0400, dir, bus, &eeprom_fops);
	}
	if (bus->kind->display)
		debugfs_create_u32("display", 0600, dir, &bus->display);
}

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
	return err;
}

static const struct rgbsim_kind kinds[] = {
	{ .name = "chipset", .count = &chipset, .populate = rgbsim_populate_chipset },
	{ .name = "plain", .count = &plain, .populate = rgbsim_populate_plain },
	{ .name = "amd", .count = &amd, .ids = amd_ids, .populate = rgbsim_populate_amd },
	{ .name = "ddr5", .count = &ddr5, .ids = ddr5_ids, .populate = rgbsim_populate_ddr5 },
	{ .name = "gpu", .count = &gpu, .ids = gpu_ids, .populate = rgbsim_populate_gpu,
	  .adapter = "NVIDIA i2c adapter %u at 1:00.0", .display = true },
};

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
	bus->log = kvcalloc(log_entries, sizeof(*bus->log), GFP_KERNEL);
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
	rgbsim_debugfs(bus, dir);
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

static const struct platform_device_id rgbsim_ids[] = {
	{ "rgbsim-chipset" },
	{ "rgbsim-plain" },
	{ "rgbsim-amd" },
	{ "rgbsim-ddr5" },
	{ "rgbsim-gpu" },
	{ }
};

static struct platform_driver rgbsim_driver = {
	.driver.name = "rgbsim",
	.probe = rgbsim_probe,
	.id_table = rgbsim_ids,
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
	const unsigned int optional[] = { amd_vengeance, amd_corsair, amd_crucial, amd_fury };
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
	return leds >= 1 && leds <= 10 && ene_address < RGBSIM_ADDRESSES &&
	       log_entries >= 1 && log_entries <= RGBSIM_MAX_LOG_ENTRIES;
}

static int __init rgbsim_init(void)
{
	int err;

	if (!rgbsim_parameters_valid())
		return -EINVAL;
	err = platform_driver_register(&rgbsim_driver);
	if (err)
		return err;
	debugfs_root = debugfs_create_dir("rgbsim", NULL);
	err = rgbsim_add_buses();
	if (err) {
		rgbsim_remove_buses();
		platform_driver_unregister(&rgbsim_driver);
	}
	return err;
}
module_init(rgbsim_init);

static void __exit rgbsim_exit(void)
{
	rgbsim_remove_buses();
	platform_driver_unregister(&rgbsim_driver);
}
module_exit(rgbsim_exit);

MODULE_DESCRIPTION("Simulated I2C adapters with RGB controllers, for tests");
MODULE_LICENSE("GPL");
