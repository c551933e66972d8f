/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a device file may say: every mistake is told with its line and reason, and takes that one
 * file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config-folder.h"

static const struct adapter smbus = {.number = 4, .class = BUS_SMBUS, .name = "SMBus I801"};

#define GOOD                                                                                       \
	"[Device]\nDescription=good\nBusClass=smbus\nAddress=0x20\n[Control]\n"                    \
	"Write=byte 0x00-0xff\n[Recognise]\nExpect=none\n"

/* Head of four lines; line 5 is the first of what a case adds. */
#define HEAD "[Device]\nDescription=x\nBusClass=smbus\nAddress=0x21\n"

#define NUMBER "not a number of the allowed range (decimal or 0x...)"
#define SECTION                                                                                    \
	"unknown section ([Device], [Detect], [Recognise], [Control], [Pointer], [Registers])"
#define KEY "unknown key in this section, see rgbroker-devices(5)"
#define MET "overlaps with a line above: an operation stands in one line only"
#define REGISTER "overlaps with a line above: a register stands in one line only"
#define FLOOR "the floor closes one of the addresses for good"
#define OPERATION                                                                                  \
	"unknown operation (quick, byte, byte_data, word_data, block_data, i2c_block, i2c)"
#define FINGERPRINT "a fingerprint is read by byte_data, word_data, block_data, i2c_block or i2c"
#define ANSWER "say: length N data BYTE..., up to 32 bytes"
#define PCI "say: VENDOR:DEVICE[:SUBVENDOR[:SUBDEVICE]], four hexadecimal digits or * each"
#define PARTS "[Pointer] needs Set=, Read= or Write=, and [Registers]; none without the others"

/* A whole family behind HEAD: nine lines, up to 13. */
#define KNOWN "[Recognise]\nExpect=byte_data 0xa0 1\n"
#define POINTER                                                                                    \
	KNOWN "[Pointer]\nSet=word_data 0\nRead=byte_data 0x81\nWrite=byte_data 1\n"               \
	      "[Registers]\nRead=0x1000-0x100f\nWrite=0x8000-0x8003\n"

static const struct {
	const char *text;
	int line;
	const char *why;
	unsigned others; /* that are told beside it */
} mistakes[] = {
	/* the file as a whole */
	{"[Device]\nBusClass=smbus\nAddress=0x21\n[Detect]\nRead=byte\n", 0,
		"no Description= in [Device]"},
	{"[Device]\nDescription=x\nAddress=0x21\n[Detect]\nRead=byte\n", 0,
		"no BusClass= in [Device]"},
	{"[Device]\nDescription=x\nBusClass=smbus\n[Detect]\nRead=byte\n", 0,
		"no Address= in [Device]"},
	{HEAD, 0, "no Read= or Write= in [Detect] or [Control]"},
	{HEAD "[Control]\nRead=byte\n", 0,
		"[Control] or [Pointer] without a fingerprint; Expect=none if the family has none"},
	{HEAD "[Detect]\nRead=byte\n[Recognise]\nExpect=none\nExpect=byte_data 0 1\n", 0,
		"Expect=none beside another line in [Recognise]"},
	/* form */
	{HEAD "Description=y\n", 5, "given twice"},
	{HEAD "Slot=any\nSlot=any\n", 6, "given twice"},
	{HEAD "[Recognise]\nPause=1\nPause=1\n", 7, "given twice"},
	{HEAD "[Pointer]\nSet=word_data 0\nSet=word_data 1\n", 7, "given twice"},
	{HEAD "[Pointer]\nAdvance=no\nAdvance=no\n", 7, "given twice"},
	{HEAD "[Recognise]\nExpect=none\nExpect=none\n", 7, "given twice"},
	{HEAD "rubbish\n", 5, "neither [Section], Key=value nor # comment"},
	{HEAD "[Detect\n", 5, "neither [Section], Key=value nor # comment"},
	{HEAD "[Other]\n", 5, SECTION},
	{HEAD "[Other]\nA=b\n", 5, SECTION, 1},
	{HEAD "[Other]\nA=b\n", 6, SECTION, 1},
	{HEAD "[]\n", 5, SECTION},
	{HEAD "[ Detect]\n", 5, SECTION},
	{HEAD "[detect]\nRead=byte\n", 6, SECTION, 1},
	{HEAD "[Detect]\nRead=byte\n[Memory]\n[Control]\n", 7, SECTION},
	{"Description=x\n" HEAD, 1, SECTION},
	{HEAD "Name=x\n", 5, KEY},
	{HEAD "memory=ddr4\n", 5, KEY},
	{HEAD "Expect=none\n", 5, KEY},
	{HEAD "[Recognise]\nRead=byte\n", 6, KEY},
	{HEAD "[Detect]\nread=byte\n", 6, KEY},
	{HEAD "[Detect]\nSet=word_data 0\n", 6, KEY},
	{HEAD "[Control]\nExpect=none\n", 6, KEY},
	{HEAD "[Control]\nMove=0x8000\n", 6, KEY},
	{HEAD "[Pointer]\nMove=0x8000\n", 6, KEY},
	{HEAD "[Registers]\nSet=word_data 0\n", 6, KEY},
	{HEAD "[Registers]\nAdvance=no\n", 6, KEY},
	/* [Device] */
	{HEAD "BusClass=pci\n", 5, "unknown class (smbus, gpu, custom)"},
	{HEAD "BusClass=none\n", 5, "unknown class (smbus, gpu, custom)"},
	{HEAD "BusClass=gpu smbus,custom\n", 5, "unknown class (smbus, gpu, custom)"},
	{HEAD "BusClass=smbus\n", 5, "a class given twice"},
	{HEAD "BusClass=gpu custom gpu\n", 5, "a class given twice"},
	{HEAD "BusClass=\n", 5, "nothing behind the ="},
	{HEAD "Address=0x21\n", 5, "an address given twice"},
	{HEAD "Address=0x20-0x22\n", 5, "an address given twice"},
	{HEAD "Address=0x22 0x22\n", 5, "an address given twice"},
	{HEAD "Address=\n", 5, "nothing behind the ="},
	{HEAD "Adapter=\n", 5, "nothing behind the ="},
	{HEAD "Board=\n", 5, "nothing behind the ="},
	{"[Device]\nDescription=\n", 2, "nothing behind the ="},
	{HEAD "Pci=10de\n", 5, PCI},
	{HEAD "Pci=\n", 5, "nothing behind the ="},
	{HEAD "Pci=10de:\n", 5, PCI},
	{HEAD "Pci=10de:220\n", 5, PCI},
	{HEAD "Pci=10de:22066\n", 5, PCI},
	{HEAD "Pci=10de:220g\n", 5, PCI},
	{HEAD "Pci=0x10de:2206\n", 5, PCI},
	{HEAD "Pci=10de:2206:\n", 5, PCI},
	{HEAD "Pci=10de:2206:1043:\n", 5, PCI},
	{HEAD "Pci=10de:2206:1043:87b2:\n", 5, PCI},
	{HEAD "Pci=10de:2206:1043:87b2:0000\n", 5, PCI},
	{HEAD "Pci=10de::1043:87b2\n", 5, PCI},
	{HEAD "Pci=10de:22*:1043:87b2\n", 5, PCI},
	{HEAD "Pci=10de:**\n", 5, PCI},
	{HEAD "Pci=10de:2206 10de\n", 5, PCI},
	{HEAD "Pci=10de:2206 10DE:2206:*\n", 5, "PCI ids given twice"},
	{HEAD "Pci=10de:2206\nPci=10de:2206:*:*\n", 6, "PCI ids given twice"},
	{HEAD "Memory=ddr3\n", 5, "unknown memory (ddr4, ddr5)"},
	{HEAD "Memory=DDR4\n", 5, "unknown memory (ddr4, ddr5)"},
	{HEAD "Memory=ddr4,ddr5\n", 5, "unknown memory (ddr4, ddr5)"},
	{HEAD "Memory=\n", 5, "nothing behind the ="},
	{HEAD "Memory=ddr4 ddr4\n", 5, "a kind of memory given twice"},
	{HEAD "Memory=ddr4\nMemory=ddr4\n", 6, "a kind of memory given twice"},
	{HEAD "Memory=ddr4\nMaker=0\n", 6, "a maker is one number: the two bytes of the SPD"},
	{HEAD "Memory=ddr4\nMaker=1-2\n", 6, "a maker is one number: the two bytes of the SPD"},
	{HEAD "Memory=ddr4\nMaker=0x10000\n", 6, NUMBER},
	{HEAD "Memory=ddr4\nMaker=Kingston\n", 6, NUMBER},
	{HEAD "Memory=ddr4\nMaker=\n", 6, "nothing behind the ="},
	{HEAD "Memory=ddr4\nMaker=1 2\nMaker=1\n", 7, "a maker given twice"},
	{HEAD "Memory=ddr4\nMaker=1 2 3 4 5 6 7 8 9\n", 6, "more than eight makers"},
	{HEAD "Slot=3\n", 5, "Slot= is address (that at address modulo 8) or any"},
	{HEAD "Slot=\n", 5, "Slot= is address (that at address modulo 8) or any"},
	{HEAD "Maker=1\n[Detect]\nRead=byte\n", 0, "Maker= and Slot= need Memory="},
	{HEAD "Slot=any\n[Detect]\nRead=byte\n", 0, "Maker= and Slot= need Memory="},
	{HEAD "BusClass=gpu\nMemory=ddr4\n[Detect]\nRead=byte\n", 0,
		"Memory= is of BusClass=smbus alone"},
	{"[Device]\nDescription=x\nBusClass=custom\nAddress=0x21\nMemory=ddr5\n[Detect]\n"
	 "Read=byte\n",
		0, "Memory= is of BusClass=smbus alone"},
	{HEAD "Address=0x80\n", 5, NUMBER},
	{HEAD "Address=128\n", 5, NUMBER},
	{HEAD "Address=021\n", 5, NUMBER},
	{HEAD "Address=00\n", 5, NUMBER},
	{HEAD "Address=0x\n", 5, NUMBER},
	{HEAD "Address=0X21\n", 5, NUMBER},
	{HEAD "Address=0x2g\n", 5, NUMBER},
	{HEAD "Address=2a\n", 5, NUMBER},
	{HEAD "Address=0x1000021\n", 5, NUMBER},
	{HEAD "Address=4294967329\n", 5, NUMBER},
	{HEAD "Address=+33\n", 5, NUMBER},
	{HEAD "Address=-33\n", 5, NUMBER},
	{HEAD "Address=0x21-0x20\n", 5, "range the wrong way round"},
	{HEAD "Address=0x21-\n", 5, NUMBER " after '-'"},
	{HEAD "Address=0x21-0x80\n", 5, NUMBER " after '-'"},
	{HEAD "Address=0x21-0x22-0x23\n", 5, NUMBER " after '-'"},
	{HEAD "Address=0x22 - 0x23\n", 5, NUMBER},
	{HEAD "Address=0x21,0x22\n", 5, NUMBER},
	/* what the floor closes for good: of an address that is read there, of a write else */
	{HEAD "Address=0x00\n[Detect]\nRead=byte\n", 5, FLOOR},
	{HEAD "Address=0x0c\n[Detect]\nRead=byte\n", 5, FLOOR},
	{HEAD "Address=0x22\nAddress=0x23-0x36\n[Detect]\nRead=byte\n", 6, FLOOR},
	{HEAD "Address=0x77-0x78\n[Detect]\nRead=byte\n", 5, FLOOR},
	{HEAD "BusClass=gpu\nAddress=0x7f\n[Detect]\nRead=byte\n", 6, FLOOR},
	{HEAD "BusClass=gpu\nAddress=0x30\n[Detect]\nRead=byte\n", 6, FLOOR}, /* on smbus */
	{HEAD "Address=0x50\n[Detect]\nRead=byte\nWrite=quick\n", 8, FLOOR},
	{HEAD "Address=0x57\n[Detect]\nRead=byte\nRead=quick\n", 8, FLOOR},
	{HEAD "Address=0x0b\n[Detect]\nWrite=byte 0\n", 7, FLOOR},
	{HEAD "Address=0x69\n" KNOWN "[Control]\nRead=byte\nWrite=block_data 3\n", 10, FLOOR},
	{HEAD "Address=0x50\n" POINTER, 9, FLOOR}, /* Set= */
	/* [Recognise] */
	{HEAD "[Recognise]\nExpect=byte 0 1\n", 6, FINGERPRINT},
	{HEAD "[Recognise]\nExpect=quick\n", 6, FINGERPRINT},
	{HEAD "[Recognise]\nExpect=None\n", 6, FINGERPRINT},
	{HEAD "[Recognise]\nExpect=none 1\n", 6, FINGERPRINT},
	{HEAD "[Recognise]\nExpect=\n", 6, FINGERPRINT},
	{HEAD "[Recognise]\nExpect=byte_data 0\n", 6, "say: OPERATION COMMAND VALUE..."},
	{HEAD "[Recognise]\nExpect=word_data\n", 6, "say: OPERATION COMMAND VALUE..."},
	{HEAD "[Recognise]\nExpect=byte_data 0 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", 6,
		"more than 16 values"},
	{HEAD "[Recognise]\nExpect=byte_data 0-1 1\n", 6, "one command to a line"},
	{HEAD "[Recognise]\nExpect=byte_data 0x100 1\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=byte_data 0 0x100\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=word_data 0 0x10000\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=byte_data 0 9-8\n", 6, "range the wrong way round"},
	{HEAD "[Recognise]\nExpect=byte_data 0 1\nExpect=byte_data 0 2\n", 7,
		"this is expected already, by another line"},
	{HEAD "[Recognise]\nExpect=block_data 0 length 2 data 1\n"
	      "Expect=block_data 0 length 3 data 1\n",
		7, "this is expected already, by another line"},
	{HEAD "[Recognise]\nExpect=byte_data 0 1/\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=byte_data 0 /1\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=byte_data 0 1/0x100\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=byte_data 0 1/1-2\n", 6, "one value to a mask, and one mask"},
	{HEAD "[Recognise]\nExpect=byte_data 0 1/1 2\n", 6, "one value to a mask, and one mask"},
	{HEAD "[Recognise]\nExpect=byte_data 0 2 1/1\n", 6, "one value to a mask, and one mask"},
	{HEAD "[Recognise]\nExpect=block_data 0 length 2\n", 6, ANSWER},
	{HEAD "[Recognise]\nExpect=i2c_block 0 length 2\n", 6, ANSWER},
	{HEAD "[Recognise]\nExpect=i2c length 33 data 1\n", 6, ANSWER},
	{HEAD "[Recognise]\nExpect=i2c data 1\n", 6, ANSWER},
	{HEAD "[Recognise]\nExpect=block_data 0-1 length 2 data 1\n", 6, "one command to a line"},
	{HEAD "[Recognise]\nExpect=block_data length 2 data 1\n", 6,
		"say which commands (0x00-0xff: all)"},
	{HEAD "[Recognise]\nExpect=block_data 0 length 1 data 1 2\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Recognise]\nExpect=i2c length 9 data 1 2 3 4 5 6 7 8 9\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Recognise]\nExpect=block_data 0 send 1 length 2 data 1\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=block_data send 1 length 2 data 1\n", 6,
		"only i2c sends something first"},
	{HEAD "[Recognise]\nExpect=i2c send length 2 data 1\n", 6, "send: which bytes?"},
	{HEAD "[Recognise]\nExpect=i2c send 0x100 length 2 data 1\n", 6, NUMBER},
	{HEAD "[Recognise]\nExpect=i2c send 1-2 length 2 data 1\n", 6,
		"send: up to eight bytes, each one a number"},
	{HEAD "[Recognise]\nExpect=i2c send 1 2 3 4 5 6 7 8 9 length 2 data 1\n", 6,
		"send: up to eight bytes, each one a number"},
	{HEAD "[Recognise]\nExpect=i2c send 1 2\n", 6, ANSWER},
	{HEAD "[Recognise]\nPause=21\n", 6, "Pause= is a number of milliseconds up to 20"},
	{HEAD "[Recognise]\nPause=1-2\n", 6, "Pause= is a number of milliseconds up to 20"},
	{HEAD "[Recognise]\nPause=\n", 6, "Pause= is a number of milliseconds up to 20"},
	{HEAD "[Detect]\nRead=byte\n[Recognise]\nExpect=none\nPause=1\n", 0,
		"Expect=none beside another line in [Recognise]"},
	/* what is sent in order to recognise has to be allowed to everybody, byte by byte */
	{HEAD "[Detect]\nRead=i2c\n[Recognise]\nExpect=i2c send 1 length 2 data 1\n", 0,
		"Expect= sends what no Write=i2c in [Detect] allows"},
	{HEAD "[Detect]\nWrite=i2c length 2\n[Recognise]\nExpect=i2c send 1 length 2 data 1\n", 0,
		"Expect= sends what no Write=i2c in [Detect] allows"},
	{HEAD "[Detect]\nWrite=i2c length 2 data 1 3\n[Recognise]\n"
	      "Expect=i2c send 1 2 length 2 data 1\n",
		0, "Expect= sends what no Write=i2c in [Detect] allows"},
	{HEAD "[Detect]\nRead=byte\n[Recognise]\nExpect=i2c send 1 length 2 data 1\n[Control]\n"
	      "Write=i2c\n",
		0, "Expect= sends what no Write=i2c in [Detect] allows"},
	{HEAD "Address=0x58\n[Detect]\nWrite=i2c length 1\n[Recognise]\n"
	      "Expect=i2c send 1 length 2 data 1\n",
		0, "Expect= sends where the floor wants a recognised chip for every write"},
	/* rules */
	{HEAD "[Detect]\nRead=\n", 6, OPERATION},
	{HEAD "[Detect]\nRead=proc_call 0\n", 6, OPERATION},
	{HEAD "[Detect]\nWrite=byte\n", 6, "say which commands (0x00-0xff: all)"},
	{HEAD "[Detect]\nRead=byte_data\n", 6, "say which commands (0x00-0xff: all)"},
	{HEAD "[Detect]\nRead=byte_data length 1\n", 6, "say which commands (0x00-0xff: all)"},
	{HEAD "[Detect]\nRead=byte_data *\n", 6, NUMBER},
	{HEAD "[Detect]\nRead=byte_data 0x100\n", 6, NUMBER},
	{HEAD "[Detect]\nRead=byte_data 5-4\n", 6, "range the wrong way round"},
	{HEAD "[Detect]\nRead=quick 0\n", 6, "something is left over at the end of the line"},
	{HEAD "[Detect]\nRead=byte 0\n", 6, "something is left over at the end of the line"},
	{HEAD "[Detect]\nWrite=i2c 0x01\n", 6, "something is left over at the end of the line"},
	{HEAD "[Detect]\nRead=byte_data 0 length 1\n", 6, "this operation has one length only"},
	{HEAD "[Detect]\nWrite=quick length 0\n", 6, "this operation has one length only"},
	{HEAD "[Detect]\nRead=i2c_block 0 length\n", 6, "length: how many bytes?"},
	{HEAD "[Detect]\nRead=i2c_block 0 length 33\n", 6, NUMBER},
	{HEAD "[Detect]\nRead=i2c length 1025\n", 6, NUMBER},
	{HEAD "[Detect]\nRead=i2c length 4-2\n", 6, "range the wrong way round"},
	{HEAD "[Detect]\nRead=i2c length 4 5\n", 6,
		"something is left over at the end of the line"},
	{HEAD "[Detect]\nRead=i2c length 4 length 5\n", 6,
		"something is left over at the end of the line"},
	{HEAD "[Detect]\nRead=byte_data 0 data 1\n", 6, "data: a read carries none"},
	{HEAD "[Detect]\nWrite=byte_data 0 data\n", 6, "data: which bytes?"},
	{HEAD "[Detect]\nWrite=byte_data 0 data 256\n", 6, NUMBER},
	{HEAD "[Detect]\nWrite=byte_data 0 data 1 2\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=word_data 0 data 1 2 3\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=byte 0 data 1\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=i2c data 1 2 3 4 5 6 7 8 9\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=block_data 3 length 1-2 data 1 2 3\n", 6,
		"data: more bytes than the operation carries or a rule can name"},
	{HEAD "[Detect]\nWrite=block_data 3 data 1 length 1\n", 6, NUMBER},
	/* nothing stands twice */
	{HEAD "[Detect]\nRead=byte\nRead=byte\n", 7, MET},
	{HEAD "[Detect]\nWrite=quick\nWrite=quick\n", 7, MET},
	{HEAD "[Detect]\nRead=byte_data 1-5\nRead=byte_data 5\n", 7, MET},
	{HEAD "[Detect]\nWrite=byte_data 1 data 1-5\nWrite=byte_data 0-3 data 5\n", 7, MET},
	{HEAD "[Detect]\nWrite=byte_data 1 data 1\nWrite=byte_data 1\n", 7, MET},
	{HEAD "[Detect]\nWrite=i2c length 1-5\nWrite=i2c length 5-6\n", 7, MET},
	{HEAD "[Detect]\nWrite=byte_data 1\n[Control]\nWrite=byte_data 1\n", 8, MET},
	{HEAD "[Control]\nWrite=byte_data 1\n[Detect]\nWrite=byte_data 1\n", 8, MET},
	{HEAD KNOWN "[Control]\nRead=byte_data 1\nRead=byte_data 1\n", 9, MET},
	{HEAD KNOWN "[Detect]\nRead=byte_data 0x81\n[Pointer]\nRead=byte_data 0x81\n", 10, MET},
	{HEAD KNOWN "[Pointer]\nSet=word_data 0\nWrite=word_data 0\n", 9, MET},
	{HEAD KNOWN "[Control]\nWrite=word_data 0 data 1\n[Pointer]\nSet=word_data 0\n", 10, MET},
	/* [Pointer] and [Registers] */
	{HEAD "[Pointer]\nSet=byte_data 0\n", 6,
		"Set= is word_data with one command; its data are the register"},
	{HEAD "[Pointer]\nSet=word_data 0-1\n", 6,
		"Set= is word_data with one command; its data are the register"},
	{HEAD "[Pointer]\nSet=i2c length 2\n", 6,
		"Set= is word_data with one command; its data are the register"},
	{HEAD "[Pointer]\nRead=byte\n", 6,
		"[Pointer] takes byte_data, word_data, block_data and i2c_block"},
	{HEAD "[Pointer]\nWrite=quick\n", 6,
		"[Pointer] takes byte_data, word_data, block_data and i2c_block"},
	{HEAD "[Pointer]\nWrite=byte 0\n", 6,
		"[Pointer] takes byte_data, word_data, block_data and i2c_block"},
	{HEAD "[Pointer]\nWrite=i2c\n", 6,
		"[Pointer] takes byte_data, word_data, block_data and i2c_block"},
	{HEAD "[Pointer]\nAdvance=reads\n", 6, "Advance= is writes or no"},
	{HEAD "[Pointer]\nAdvance=\n", 6, "Advance= is writes or no"},
	{HEAD POINTER "[Pointer]\nWrite=word_data 2\n", 0,
		"a [Pointer] Write= of several bytes needs Advance=writes"},
	{HEAD POINTER "[Pointer]\nAdvance=no\nWrite=block_data 3 length 1-2\n", 0,
		"a [Pointer] Write= of several bytes needs Advance=writes"},
	{HEAD KNOWN "[Pointer]\nSet=word_data 0\n", 0, PARTS},
	{HEAD KNOWN "[Pointer]\nRead=byte_data 0x81\n", 0, PARTS},
	{HEAD KNOWN "[Pointer]\nSet=word_data 0\nRead=byte_data 0x81\n", 0, PARTS},
	{HEAD KNOWN "[Pointer]\nSet=word_data 0\n[Registers]\nRead=1\n", 0, PARTS},
	{HEAD KNOWN "[Pointer]\nRead=byte_data 0x81\n[Registers]\nRead=1\n", 0, PARTS},
	{HEAD KNOWN "[Control]\nRead=byte\n[Registers]\nRead=1\n", 0, PARTS},
	{HEAD "[Pointer]\nSet=word_data 0\nRead=byte_data 1\n[Registers]\nRead=1\n", 0,
		"[Control] or [Pointer] without a fingerprint; Expect=none if the family has none"},
	{HEAD "[Registers]\nRead=\n", 6, "which registers?"},
	{HEAD "[Registers]\nRead=0x10000\n", 6, NUMBER},
	{HEAD "[Registers]\nWrite=0x11-0x10\n", 6, "range the wrong way round"},
	{HEAD "[Registers]\nWrite=1 2\n", 6, "say: REGISTER[-REGISTER] [value VALUE[-VALUE]...]"},
	{HEAD "[Registers]\nWrite=1 value\n", 6,
		"say: REGISTER[-REGISTER] [value VALUE[-VALUE]...]"},
	{HEAD "[Registers]\nWrite=1 data 1\n", 6,
		"say: REGISTER[-REGISTER] [value VALUE[-VALUE]...]"},
	{HEAD "[Registers]\nWrite=1 value 0x100\n", 6, NUMBER},
	{HEAD "[Registers]\nWrite=1 value 2-1\n", 6, "range the wrong way round"},
	{HEAD "[Registers]\nWrite=1 value 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", 6,
		"more than 16 values"},
	{HEAD "[Registers]\nRead=1 value 1\n", 6, "value: a read writes none"},
	{HEAD "[Registers]\nMove=1 value 2\n", 6, "Move= knows which values are addresses"},
	{HEAD "[Registers]\nRead=1-5\nRead=5-9\n", 7, REGISTER},
	{HEAD "[Registers]\nWrite=1 value 1\nWrite=1 value 2\n", 7, REGISTER},
	{HEAD "[Registers]\nWrite=1-5\nMove=5\n", 7, REGISTER},
	{HEAD "[Registers]\nMove=5\nMove=5\n", 7, REGISTER},
};

static void test_each_mistake(void **state)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct config_folder folder;
		struct problems problems = {0};
		struct policy policy;
		const char *const folders[] = {folder.path, NULL};

		folder_make(&folder);
		folder_write(&folder, "devices/good.conf", GOOD);
		folder_write(&folder, "devices/bad.conf", mistakes[i].text);
		assert_int_equal(policy_load(&policy, &smbus, folders, problems_add, &problems), 0);
		problems_expect(&problems, folder_file(&folder, "devices/bad.conf"),
			mistakes[i].line, mistakes[i].why);
		if (problems.count != 1 + mistakes[i].others)
			fail_msg("%zu problems are told of: %s", problems.count, mistakes[i].text);
		assert_int_equal(policy.n_devices, 1); /* the good one */
		assert_string_equal(policy.devices[0]->name, "good");
		policy_free(&policy);
		folder_remove(&folder);
	}
}

static struct device *load_text(const char *text, struct problems *problems)
{
	struct config_folder folder;
	struct device *device;
	char path[512];
	char *files[] = {path, NULL};

	folder_make(&folder);
	folder_write(&folder, "x.conf", text);
	snprintf(path, sizeof(path), "%s", folder_file(&folder, "x.conf"));
	device = device_load("x", files, problems_add, problems);
	folder_remove(&folder);
	return device;
}

static void test_every_bad_line_is_told(void **state)
{
	struct problems problems = {0};

	assert_null(load_text(
		HEAD "Foo=1\n[Detect]\nRead=none\nWrite=quick\nRead=byte 7\n", &problems));
	assert_int_equal(problems.count, 3);
	assert_int_equal(problems.items[0].line, 5);
	assert_int_equal(problems.items[1].line, 7);
	assert_int_equal(problems.items[2].line, 9);
}

static void test_all_that_can_be_said(void **state)
{
	struct problems problems = {0};
	struct device *device = load_text(
		"# comment\n; comment\n[Device]\nDescription = with = sign \nBusClass=smbus gpu\n"
		"BusClass=custom\nAddress=33 0x2A-0x2b\nAddress=0x70\nAdapter=NV*\n[Detect]\n"
		"Read=byte\nWrite=quick\n[Recognise]\nExpect=word_data 0xff 0x1234 1-2 0xffff\n"
		"[Control]\nWrite=block_data 3 0x10-0x11 length 2-4 data 0x80 0x20-0x23",
		&problems);
	const struct rule *rule;

	assert_int_equal(problems.count, 0);
	assert_non_null(device);
	assert_string_equal(device->description, "with = sign");
	assert_string_equal(device->adapters.items[0], "NV*");
	assert_int_equal(device->classes, 1 << BUS_SMBUS | 1 << BUS_GPU | 1 << BUS_CUSTOM);
	for (unsigned i = 0; i < ADDRESSES; i++)
		assert_int_equal(!!bitmap_has(device->addresses, i),
			i == 0x21 || i == 0x2a || i == 0x2b || i == 0x70);
	assert_int_equal(device->n_rules, 3);
	assert_false(device->rules[0].after_recognition);
	assert_false(device->rules[1].read);
	rule = &device->rules[2]; /* the last line has no newline */
	assert_true(rule->after_recognition);
	assert_int_equal(rule->kind, RGBROKER_BLOCK_DATA);
	assert_int_equal(rule->line, 16);
	assert_string_equal(
		rule->text, "Write=block_data 3 0x10-0x11 length 2-4 data 0x80 0x20-0x23");
	for (unsigned i = 0; i < 256; i++)
		assert_int_equal(!!bitmap_has(rule->commands, i), i == 3 || i == 0x10 || i == 0x11);
	assert_int_equal(rule->length.first, 2);
	assert_int_equal(rule->length.last, 4);
	assert_int_equal(rule->n_data, 2);
	assert_int_equal(rule->data[0].first, 0x80);
	assert_int_equal(rule->data[0].last, 0x80);
	assert_int_equal(rule->data[1].last, 0x23);
	assert_int_equal(device->n_expectations, 1);
	assert_int_equal(device->expectations[0].n_values, 3);
	assert_int_equal(device->expectations[0].values[1].last, 2);
	device_free(device);
}

static void test_memory_and_pointers(void **state)
{
	struct problems problems = {0};
	struct device *device = load_text(HEAD
		"Board=B450*\nBoard=X\nMemory=ddr4\nMemory=ddr5\nMaker=0x0198 1\n"
		"Maker=0xffff\nSlot=any\nPci=10de:*:1043:87b2 1022:790B\n  8086:7aa3:*\n"
		"[Recognise]\nExpect=word_data 1 0x4600/0xff00\nPause=20\n"
		"Expect=i2c_block 2 length 3 data 1 5-0x32\nExpect=block_data 3 length 32 data 1\n"
		"[Pointer]\nSet=word_data 7\nRead=byte_data 0x81\nWrite=block_data 3\n"
		"Advance=writes\n[Registers]\nRead=0xffff\n"
		"Write=0x8000-0x8003 value 1 4-5\nMove=0x80f9\n",
		&problems);
	const struct register_rule *registers;

	for (size_t i = 0; i < problems.count; i++)
		print_error("%d: %s\n", problems.items[i].line, problems.items[i].why);
	assert_non_null(device);
	assert_int_equal(device->boards.count, 2);
	assert_string_equal(device->boards.items[1], "X");
	assert_int_equal(device->memory, 1 << MEMORY_DDR4 | 1 << MEMORY_DDR5);
	assert_int_equal(device->makers[0], 0x0198);
	assert_int_equal(device->makers[2], 0xffff);
	assert_int_equal(device->makers[3], 0);
	assert_true(device->any_slot);
	assert_int_equal(device->n_pci, 3);
	assert_true(device->pci[0].any[PCI_DEVICE] && !device->pci[0].any[PCI_SUBDEVICE]);
	assert_int_equal(device->pci[1].id[PCI_DEVICE], 0x790b);
	assert_true(device->pci[1].any[PCI_SUBVENDOR] && device->pci[2].any[PCI_SUBDEVICE]);
	assert_int_equal(device->pause_ms, 20);
	assert_int_equal(device->n_expectations, 3);
	assert_int_equal(device->expectations[0].mask, 0xff00);
	assert_int_equal(device->expectations[1].length, 3);
	assert_int_equal(device->expectations[1].n_data, 2);
	assert_int_equal(device->expectations[1].data[1].last, 0x32);
	assert_int_equal(device->expectations[2].length, 32);
	assert_int_equal(device->n_rules, 3);
	assert_int_equal(device->rules[0].role, RULE_POINTER);
	assert_int_equal(device->rules[1].role, RULE_DATA);
	assert_true(device->rules[2].after_recognition && device->advances);
	registers = device->registers;
	assert_int_equal(device->n_registers, 3);
	assert_true(registers[0].read && registers[0].registers.last == 0xffff);
	assert_int_equal(registers[1].n_values, 2);
	assert_int_equal(registers[1].values[1].last, 5);
	assert_true(registers[2].moves && !registers[2].read && !registers[1].moves);
	assert_string_equal(registers[2].text, "Move=0x80f9");
	device_free(device);
}

/* A drop-in may say otherwise where a file may not say twice; both are judged together. */
static void test_drop_ins(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* NULL: taken */
		int line;        /* 0: of the main file as a whole */
	} cases[] = {
		{"[Device]\nDescription=y\nAddress=0x22\nPci=1:2\n", "", 4},
		{"[Device]\nDescription=y\nAddress=0x22\nPci=0001:0002\n", NULL, 0},
		{"[Device]\nAddress=0x21\n", "an address given twice", 2},
		{"[Detect]\nRead=byte\n", MET, 2},
		{"[Recognise]\nExpect=none\n", "Expect=none beside another line in [Recognise]", 0},
		{"[Recognise]\nExpect=byte_data 0xa0 2\n",
			"this is expected already, by another line", 2},
		{"[Registers]\nWrite=0x8003\n", REGISTER, 2},
		{"[Pointer]\nAdvance=writes\nWrite=block_data 3\n[Registers]\nMove=0x8004\n", NULL,
			0},
		{"[Device]\nAddress=0x50\n", FLOOR, 0},
		{"[Device]\nAddress=0x05\n", FLOOR, 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct problems problems = {0};
		struct config_folder folder;
		char path[512], more[512];
		char *names[] = {path, more, NULL};
		struct device *device;

		folder_make(&folder);
		folder_write(&folder, "x.conf", HEAD "[Detect]\nRead=byte\n" POINTER);
		folder_write(&folder, "more.conf", cases[i].text);
		snprintf(path, sizeof(path), "%s", folder_file(&folder, "x.conf"));
		snprintf(more, sizeof(more), "%s", folder_file(&folder, "more.conf"));
		device = device_load("x", names, problems_add, &problems);
		folder_remove(&folder);
		assert_int_equal(!!device, !cases[i].why);
		assert_int_equal(problems.count, !!cases[i].why);
		if (cases[i].why && cases[i].line)
			assert_string_equal(problems.items[0].file, more);
		if (cases[i].why && *cases[i].why) {
			assert_string_equal(problems.items[0].why, cases[i].why);
			assert_true(!cases[i].line || problems.items[0].line == cases[i].line);
		}
		device_free(device);
	}
}

static void test_which_adapter(void **state)
{
	static const struct {
		struct adapter adapter;
		bool matches;
	} cases[] = {
		{{.class = BUS_GPU,
			 .name = "NVIDIA i2c adapter 1",
			 .board = "B450 X",
			 .pci = true,
			 .pci_ids = {0x10de, 0x2206, 0x1043, 0x87b2}},
			true},
		{{.class = BUS_GPU,
			 .name = "AMDGPU",
			 .board = "B450 X",
			 .pci = true,
			 .pci_ids = {0x10de, 0x2206, 0x1043, 0x87b2}},
			false},
		{{.class = BUS_GPU,
			 .name = "an NVIDIA",
			 .board = "B450 X",
			 .pci = true,
			 .pci_ids = {0x10de, 0x2206, 0x1043, 0x87b2}},
			false},
		{{.class = BUS_SMBUS,
			 .name = "NVIDIA",
			 .board = "B450 X",
			 .pci = true,
			 .pci_ids = {0x10de, 0x2206, 0x1043, 0x87b2}},
			false},
		{{.class = BUS_NONE,
			 .name = "NVIDIA",
			 .board = "B450 X",
			 .pci = true,
			 .pci_ids = {0x10de, 0x2206, 0x1043, 0x87b2}},
			false},
		{{.class = BUS_GPU,
			 .name = "nvkm-1",
			 .board = "X",
			 .pci = true,
			 .pci_ids = {0x1002, 0x73bf, 0xffff, 0xffff}},
			true},
		{{.class = BUS_GPU,
			 .name = "NVIDIA",
			 .board = "X370",
			 .pci = true,
			 .pci_ids = {0x1002, 0x73bf, 0xffff, 0xffff}},
			false},
		{{.class = BUS_GPU,
			 .name = "NVIDIA",
			 .board = "",
			 .pci = true,
			 .pci_ids = {0x1002, 0x73bf, 0xffff, 0xffff}},
			false},
		{{.class = BUS_GPU,
			 .name = "NVIDIA",
			 .board = "X",
			 .pci_ids = {0x1002, 0x73bf, 0xffff, 0xffff}},
			false}, /* unknown */
		{{.class = BUS_GPU,
			 .name = "NVIDIA",
			 .board = "X",
			 .pci = true,
			 .pci_ids = {0x10de, 0x2206, 0x1043, 0x87b3}},
			false},
		{{.class = BUS_GPU,
			 .name = "NVIDIA",
			 .board = "X",
			 .pci = true,
			 .pci_ids = {0x10de, 0x2206, 0x1044, 0x87b2}},
			false},
		{{.class = BUS_GPU,
			 .name = "NVIDIA",
			 .board = "X",
			 .pci = true,
			 .pci_ids = {0x10de, 0x0000, 0x1043, 0x87b2}},
			true},
		{{.class = BUS_GPU, .name = "NVIDIA", .board = "X", .pci = true}, false},
	};
	struct problems problems = {0};
	struct device *device =
		load_text("[Device]\nDescription=x\nBusClass=gpu\nAdapter=NVIDIA*\nAdapter=nvkm-*\n"
			  "Board=B450*\nBoard=X\nPci=10de:*:1043:87b2 1002:73bf\n"
			  "Address=0x49\n[Detect]\nRead=byte\n",
			&problems);

	assert_non_null(device);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (device_matches(device, &cases[i].adapter) != cases[i].matches)
			fail_msg("case %zu", i);
	device_free(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_mistake),
		cmocka_unit_test(test_every_bad_line_is_told),
		cmocka_unit_test(test_all_that_can_be_said),
		cmocka_unit_test(test_memory_and_pointers),
		cmocka_unit_test(test_drop_ins),
		cmocka_unit_test(test_which_adapter),
	};

	return cmocka_run_group_tests_name("device-file", tests, NULL, NULL);
}
