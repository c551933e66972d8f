// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "rgbsim.h"

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
	struct rgbsim_entry *e = &bus->log[bus->sequence % rgbsim_log_entries];

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

/*
 * What a message takes on the wire: a start, nine bits for each byte with the
 * address among them, and for the last one a stop. Waits until then, so that the
 * time that the simulation itself takes is not added.
 */
static void rgbsim_wire_time(struct rgbsim_bus *bus, const struct i2c_msg *msg, bool last,
			     ktime_t *due)
{
	u32 khz = READ_ONCE(bus->khz);
	u64 bits = 1 + 9 * (msg->len + 1) + last;

	if (!khz)
		return;
	*due = ktime_add_ns(*due, div_u64(bits * NSEC_PER_MSEC, khz));
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_hrtimeout(due, HRTIMER_MODE_ABS);
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
	ktime_t due;
	int err = 0;
	int i;

	rgbsim_hang(bus);
	mutex_lock(&bus->lock);
	due = ktime_get();
	rgbsim_start(bus);
	for (i = 0; i < num && !err; i++) {
		err = rgbsim_message(bus, &msgs[i]);
		rgbsim_wire_time(bus, &msgs[i], err || i + 1 == num, &due);
		rgbsim_log(bus, &msgs[i], i, num, err);
	}
	mutex_unlock(&bus->lock);
	return err ?: num;
}

static u32 rgbsim_functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL_ALL;
}

const struct i2c_algorithm rgbsim_algorithm = {
	.master_xfer = rgbsim_xfer,
	.functionality = rgbsim_functionality,
};
