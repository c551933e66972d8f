// SPDX-License-Identifier: GPL-2.0-only
/*
 * rgbsim: simulated I2C adapters with RGB controllers and plain chips, for tests.
 *
 * The adapters work at the level of I2C messages (.master_xfer), so the kernel
 * emulates SMBus on top of them and the chips see nothing but bytes. What the
 * chips hold outlives unbinding and binding of an adapter, as it would on a
 * board that keeps its power.
 *
 * Platform devices rgbsim-chipset.N and rgbsim-plain.N, driver "rgbsim", one
 * debugfs directory rgbsim/{chipset,chipset2,..,plain,plain2,..} each:
 *
 *   log       one line per message: SEQUENCE MICROSECONDS I/N ADDRESS R|W RESULT BYTES
 *             (I/N: message I of N of its transfer); any write clears it
 *   leds      ADDRESS LED RRGGBB, as lit
 *   eeprom    hex dump and CRC32 of the chip at 0x50
 *   fault     write "ADDRESS ERRNO COUNT": the next COUNT transfers there fail
 *   hang      milliseconds each transfer takes, or "forever"; 0 lets all go
 *   delay_us  wire time of one byte
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
#define RGBSIM_LOG_ENTRIES	4096
#define RGBSIM_LOG_BYTES	64
#define RGBSIM_HANG_FOREVER	UINT_MAX

#define EEPROM_ADDRESS		0x50
#define VENGEANCE_ADDRESS	0x58

/* ENE controllers: their registers, and the commands that reach them */
#define ENE_REGISTERS		0x10000
#define ENE_NAME		0x1000
#define ENE_CONFIG		0x1c00
#define ENE_CONFIG_LEDS		(ENE_CONFIG + 0x02)
#define ENE_CONFIG_LEDS_2	(ENE_CONFIG + 0x03)
#define ENE_CONFIG_CHANNEL	(ENE_CONFIG + 0x13)
#define ENE_WRITABLE		0x8000
#define ENE_DIRECT		0x8020
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
MODULE_PARM_DESC(ene_address, "where the ENE controllers answer at first");

struct rgbsim_chip;

struct rgbsim_model {
	size_t size;
	void (*reset)(struct rgbsim_chip *chip);
	void (*start)(struct rgbsim_chip *chip);
	void (*write)(struct rgbsim_chip *chip, const u8 *bytes, size_t len);
	u8 (*read)(struct rgbsim_chip *chip);
	void (*show_leds)(struct rgbsim_chip *chip, struct seq_file *s);
};

struct rgbsim_chip {
	const struct rgbsim_model *model;
	u8 address;
	u8 command;	/* ENE: of the transfer under way */
	u16 pointer;
	u8 *mem;
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

struct rgbsim_bus {
	struct i2c_adapter adapter;
	struct platform_device *pdev;
	struct mutex lock;	/* chips, log and faults */

	struct rgbsim_chip chips[RGBSIM_ADDRESSES];
	unsigned int chip_count;

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

static void ene_reset(struct rgbsim_chip *chip)
{
	memcpy(chip->mem + ENE_NAME, "AUDA0-E6K5-0101", 15);
	chip->mem[ENE_CONFIG_LEDS] = leds;
	chip->mem[ENE_CONFIG_LEDS_2] = leds;
	chip->mem[ENE_CONFIG_CHANNEL] = 0x05;
	/* lit from the start by what is written to the direct colours */
	chip->mem[ENE_DIRECT] = 1;
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
	/* the danger of these chips: told so, one moves onto another's address */
	if (chip->pointer == ENE_ADDRESS)
		chip->address = value >> 1;
	chip->pointer++;
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
	for (i = 0; i < leds; i++, color += 3)
		seq_printf(s, "0x%02x %u %02x%02x%02x\n", chip->address, i,
			   color[0], color[2], color[1]);
}

static const struct rgbsim_model ene_model = {
	.size = ENE_REGISTERS,
	.reset = ene_reset,
	.start = ene_start,
	.write = ene_write,
	.read = ene_read,
	.show_leds = ene_show_leds,
};

/* ---- the wire ---- */

static struct rgbsim_chip *rgbsim_find(struct rgbsim_bus *bus, u16 address)
{
	unsigned int i;

	for (i = 0; i < bus->chip_count; i++)
		if (bus->chips[i].address == address)
			return &bus->chips[i];
	return NULL;
}

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

static int rgbsim_read(struct rgbsim_chip *chip, struct i2c_msg *msg)
{
	u16 i;

	for (i = 0; i < msg->len; i++) {
		msg->buf[i] = chip->model->read(chip);
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
	struct rgbsim_chip *chip;
	int err;

	if (msg->flags & ~(I2C_M_RD | I2C_M_RECV_LEN | I2C_M_DMA_SAFE))
		return -EOPNOTSUPP;
	err = rgbsim_take_fault(bus, msg->addr);
	if (err)
		return err;
	chip = rgbsim_find(bus, msg->addr);
	if (!chip)
		return -ENXIO;
	if (msg->flags & I2C_M_RD)
		return rgbsim_read(chip, msg);
	chip->model->write(chip, msg->buf, msg->len);
	return 0;
}

static void rgbsim_log(struct rgbsim_bus *bus, const struct i2c_msg *msg,
		       int index, int count, int result)
{
	struct rgbsim_entry *e = &bus->log[bus->sequence % RGBSIM_LOG_ENTRIES];

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
	if (bus->sequence > first + RGBSIM_LOG_ENTRIES)
		first = bus->sequence - RGBSIM_LOG_ENTRIES;
	seq_printf(s, "# lost %llu\n", first - bus->cleared);
	for (i = first; i < bus->sequence; i++)
		log_show_entry(s, &bus->log[i % RGBSIM_LOG_ENTRIES]);
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
	debugfs_create_file("eeprom", 0400, dir, bus, &eeprom_fops);
	debugfs_create_file("fault", 0600, dir, bus, &fault_fops);
	debugfs_create_file("hang", 0600, dir, bus, &hang_fops);
	debugfs_create_u32("delay_us", 0600, dir, &bus->delay_us);
}

/* ---- buses and their platform devices ---- */

static int rgbsim_add_chip(struct rgbsim_bus *bus, u8 address,
			   const struct rgbsim_model *model)
{
	struct rgbsim_chip *chip = &bus->chips[bus->chip_count];

	chip->mem = kvzalloc(model->size, GFP_KERNEL);
	if (!chip->mem)
		return -ENOMEM;
	chip->model = model;
	chip->address = address;
	bus->chip_count++;
	if (model->reset)
		model->reset(chip);
	return 0;
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

static void rgbsim_free_bus(struct rgbsim_bus *bus)
{
	unsigned int i;

	for (i = 0; i < bus->chip_count; i++)
		kvfree(bus->chips[i].mem);
	kvfree(bus->log);
	kvfree(bus);
}

static struct rgbsim_bus *rgbsim_new_bus(const char *name)
{
	struct rgbsim_bus *bus = kvzalloc(sizeof(*bus), GFP_KERNEL);

	if (!bus)
		return NULL;
	mutex_init(&bus->lock);
	init_waitqueue_head(&bus->hung);
	snprintf(bus->adapter.name, sizeof(bus->adapter.name), "rgbsim %s", name);
	bus->adapter.owner = THIS_MODULE;
	bus->adapter.algo = &rgbsim_algorithm;
	i2c_set_adapdata(&bus->adapter, bus);
	bus->log = kvcalloc(RGBSIM_LOG_ENTRIES, sizeof(*bus->log), GFP_KERNEL);
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
static int rgbsim_add_bus(const char *kind, unsigned int index,
			  int (*populate)(struct rgbsim_bus *bus))
{
	struct rgbsim_bus *bus;
	char device[24], name[24], dir[24];
	int err;

	snprintf(device, sizeof(device), "rgbsim-%s", kind);
	snprintf(name, sizeof(name), index ? "%s %u" : "%s", kind, index + 1);
	snprintf(dir, sizeof(dir), index ? "%s%u" : "%s", kind, index + 1);
	bus = rgbsim_new_bus(name);
	if (!bus)
		return -ENOMEM;
	err = populate(bus);
	if (err)
		goto free;
	bus->pdev = platform_device_register_data(NULL, device, index, &bus, sizeof(bus));
	err = PTR_ERR_OR_ZERO(bus->pdev);
	if (err)
		goto free;
	rgbsim_debugfs(bus, dir);
	buses[bus_count++] = bus;
	return 0;
free:
	rgbsim_free_bus(bus);
	return err;
}

static int rgbsim_probe(struct platform_device *pdev)
{
	struct rgbsim_bus *bus = *(struct rgbsim_bus **)dev_get_platdata(&pdev->dev);

	i2c_set_adapdata(&bus->adapter, bus);
	bus->adapter.dev.parent = &pdev->dev;
	return devm_i2c_add_adapter(&pdev->dev, &bus->adapter);
}

static const struct platform_device_id rgbsim_ids[] = {
	{ "rgbsim-chipset" },
	{ "rgbsim-plain" },
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
	unsigned int i;
	int err = 0;

	for (i = 0; i < chipset && !err; i++)
		err = rgbsim_add_bus("chipset", i, rgbsim_populate_chipset);
	for (i = 0; i < plain && !err; i++)
		err = rgbsim_add_bus("plain", i, rgbsim_populate_plain);
	return err;
}

static int __init rgbsim_init(void)
{
	int err;

	if (chipset > RGBSIM_MAX_BUSES || plain > RGBSIM_MAX_BUSES - chipset ||
	    leds < 1 || leds > 10 || ene_address >= RGBSIM_ADDRESSES)
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
