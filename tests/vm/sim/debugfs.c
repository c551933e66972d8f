// SPDX-License-Identifier: GPL-2.0-only
#include <linux/crc32.h>
#include <linux/debugfs.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "rgbsim.h"

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
	if (bus->sequence > first + rgbsim_log_entries)
		first = bus->sequence - rgbsim_log_entries;
	seq_printf(s, "# lost %llu\n", first - bus->cleared);
	for (i = first; i < bus->sequence; i++)
		log_show_entry(s, &bus->log[i % rgbsim_log_entries]);
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

void rgbsim_debugfs(struct rgbsim_bus *bus, const char *name, struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir(name, root);

	debugfs_create_file("log", 0600, dir, bus, &log_fops);
	debugfs_create_file("leds", 0400, dir, bus, &leds_fops);
	debugfs_create_file("fault", 0600, dir, bus, &fault_fops);
	debugfs_create_file("hang", 0600, dir, bus, &hang_fops);
	debugfs_create_u32("khz", 0600, dir, &bus->khz);
	if (bus->kind->ids) {
		debugfs_create_file("memory", 0400, dir, bus, &memory_fops);
		debugfs_create_file("dump", 0400, dir, bus, &dump_fops);
	} else {
		debugfs_create_file("eeprom", 0400, dir, bus, &eeprom_fops);
	}
	if (bus->kind->display)
		debugfs_create_u32("display", 0600, dir, &bus->display);
}
