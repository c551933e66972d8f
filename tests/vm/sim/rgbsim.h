/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of rgbsim share; main.c tells what it is.
 */
#ifndef RGBSIM_H
#define RGBSIM_H

#include <linux/i2c.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/types.h>
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

#define EE1004_PAGE_0		0x36	/* SPA0; 0x37 is SPA1 */
#define EE1004_CWP		0x33	/* clears what SWP3 (0x30), SWP0, SWP1, SWP2 (0x31, 0x34, 0x35) set */

#define SPD_TYPE_RDIMM		0x01
#define SPD_TYPE_UDIMM		0x02

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
	u8 home;	/* its address when it is switched on */
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
	struct platform_driver *driver;
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

	u32 khz;		/* the wire's clock; 0: transfers take no time */
};

/* parameters */
extern unsigned int rgbsim_leds;
extern unsigned int rgbsim_log_entries;
extern unsigned int rgbsim_maker;
extern char *rgbsim_part;
extern bool rgbsim_registered;

/* registers.c */
void regs_reset(struct rgbsim_chip *chip);
u8 regs_read(struct rgbsim_chip *chip);
void rgbsim_count_write(struct rgbsim_chip *chip, u16 at);
void rgbsim_store(struct rgbsim_chip *chip, u16 at, u8 value);
void guarded_write(struct rgbsim_chip *chip, const u8 *bytes, size_t len);
u8 nothing_read(struct rgbsim_chip *chip);

/* wire.c, debugfs.c */
extern const struct i2c_algorithm rgbsim_algorithm;
void rgbsim_debugfs(struct rgbsim_bus *bus, const char *name, struct dentry *root);

/* ddr4.c */
void spd_crc16(u8 *mem, unsigned int len);
void spd_fill(u8 *mem, unsigned int len);

/* the chips, each in its family's file */
extern const struct rgbsim_model plain_model;
extern const struct rgbsim_model spd_model;
extern const struct rgbsim_model vengeance_model;
extern const struct rgbsim_model ene_model;
extern const struct rgbsim_model ene_gpu_model;
extern const struct rgbsim_model crucial_model;
extern const struct rgbsim_model corsair_model;
extern const struct rgbsim_model fury_ddr4_model;
extern const struct rgbsim_model fury_ddr5_model;
extern const struct rgbsim_model ee1004_model;
extern const struct rgbsim_model page_model;
extern const struct rgbsim_model protect_model;
extern const struct rgbsim_model hub_model;
extern const struct rgbsim_model pmic_model;
extern const struct rgbsim_model aura_gpu_model;
extern const struct rgbsim_model evga_gpu_model;
extern const struct rgbsim_model edid_model;
extern const struct rgbsim_model companion_model;

#endif
