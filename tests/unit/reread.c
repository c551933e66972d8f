/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/reread.h"

#include <fnmatch.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void range(const char *text, unsigned *first, unsigned *last)
{
	char *end;

	*first = *last = (unsigned)strtoul(text, &end, 0);
	if (*end == '-')
		*last = (unsigned)strtoul(end + 1, &end, 0);
	if (*end)
		fail_msg("cannot read %s again", text);
}

static uint8_t kind_of(const char *name)
{
	static const char *const names[] = {
		"quick", "byte", "byte_data", "word_data", "", "block_data", "", "", "i2c_block"};

	for (uint8_t i = 0; i < 9; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	assert_string_equal(name, "i2c");
	return RGBROKER_I2C;
}

static bool no_command(uint8_t kind, bool read)
{
	return kind == RGBROKER_QUICK || kind == RGBROKER_I2C || (kind == RGBROKER_BYTE && read);
}

static void all_lengths(struct said *said)
{
	static const unsigned shortest[] = {0, 0, 1, 2, 0, 0, 0, 0, 0};
	static const unsigned longest[] = {0, 0, 1, 2, 0, 32, 0, 0, 32};

	said->shortest = said->kind == RGBROKER_I2C ? 0 : shortest[said->kind];
	said->longest = said->kind == RGBROKER_I2C ? 1024 : longest[said->kind];
	if (said->read && said->kind == RGBROKER_BYTE)
		said->shortest = said->longest = 1;
	if (said->read && said->kind == RGBROKER_BLOCK_DATA)
		said->shortest = 32; /* the chip says how many */
}

static void read_line(struct said *said, char *value)
{
	char *word = strtok(value, " ");
	unsigned first, last;

	said->kind = kind_of(word);
	all_lengths(said);
	word = strtok(NULL, " ");
	for (unsigned i = 0; i < 256 && no_command(said->kind, said->read); i++)
		said->commands[i] = true;
	for (; word && *word != 'l' && *word != 'd'; word = strtok(NULL, " ")) {
		range(word, &first, &last);
		for (; first <= last; first++)
			said->commands[first] = true;
	}
	if (word && strcmp(word, "length") == 0) {
		range(strtok(NULL, " "), &said->shortest, &said->longest);
		word = strtok(NULL, " ");
	}
	if (!word)
		return;
	assert_string_equal(word, "data");
	while ((word = strtok(NULL, " "))) {
		range(word, &said->low[said->n_data], &said->high[said->n_data]);
		said->n_data++;
	}
}

static void read_register(struct said_register *said, char *value)
{
	char *word = strtok(value, " ");

	range(word, &said->first, &said->last);
	word = strtok(NULL, " ");
	while (word && (word = strtok(NULL, " "))) {
		range(word, &said->low[said->n_values], &said->high[said->n_values]);
		said->n_values++;
	}
}

static void read_device_key(struct family *family, const char *key, char *value)
{
	unsigned first, last;

	if (strcmp(key, "Adapter") == 0)
		strcpy(family->adapters[family->n_adapters++], value);
	else if (strcmp(key, "Board") == 0)
		strcpy(family->boards[family->n_boards++], value);
	else if (strcmp(key, "Slot") == 0)
		family->any_slot = strcmp(value, "any") == 0;
	else if (strcmp(key, "Description") != 0)
		for (char *word = strtok(value, " "); word; word = strtok(NULL, " ")) {
			if (strcmp(key, "BusClass") == 0) {
				family->smbus |= strcmp(word, "smbus") == 0;
				family->gpu |= strcmp(word, "gpu") == 0;
			} else if (strcmp(key, "Memory") == 0) {
				family->ddr4 |= strcmp(word, "ddr4") == 0;
				family->ddr5 |= strcmp(word, "ddr5") == 0;
			} else if (strcmp(key, "Maker") == 0) {
				range(word, &family->makers[family->n_makers++], &last);
			} else if (strcmp(key, "Pci") == 0) {
				assert_in_range(family->n_cards, 0, CARDS_MAX - 1);
				strcpy(family->cards[family->n_cards++], word);
			} else {
				assert_string_equal(key, "Address");
				for (range(word, &first, &last); first <= last; first++)
					family->address[first] = true;
			}
		}
}

static void read_key(
	struct family *family, const char *section, int line, bool explained, char *text)
{
	char *value = strchr(text, '=') + 1;
	char key[32];

	snprintf(key, sizeof(key), "%.*s", (int)(value - 1 - text), text);
	if (strcmp(section, "Device") == 0) {
		read_device_key(family, key, value);
	} else if (strcmp(section, "Recognise") == 0) {
		family->no_fingerprint |= strcmp(text, "Expect=none") == 0;
	} else if (strcmp(section, "Registers") == 0) {
		struct said_register *said = &family->registers[family->n_registers++];

		said->read = strcmp(key, "Read") == 0;
		said->move = strcmp(key, "Move") == 0;
		read_register(said, value);
	} else if (strcmp(key, "Advance") != 0) {
		struct said *said = &family->said[family->n_said++];

		assert_in_range(family->n_said, 1, SAID_MAX);
		strcpy(said->section, section);
		strcpy(said->text, text);
		said->line = line;
		said->explained = explained;
		said->read = strcmp(key, "Read") == 0;
		said->set = strcmp(key, "Set") == 0;
		read_line(said, value);
	}
}

static void read_file(struct family *family)
{
	FILE *file = fopen(family->file, "re");
	char text[256], section[16] = "";
	bool explained = false;
	int line = 0;

	assert_non_null(file);
	for (; fgets(text, sizeof(text), file);) {
		line++;
		text[strcspn(text, "\n")] = '\0';
		assert_false(*text == ' ' || *text == '\t'); /* none goes on with the key above */
		if (*text == '#')
			explained = true;
		else if (!*text)
			explained = false; /* a group ends */
		else if (*text == '[')
			snprintf(section, sizeof(section), "%.*s", (int)strcspn(text + 1, "]"),
				text + 1);
		else
			read_key(family, section, line, explained, text);
	}
	fclose(file);
}

struct family *reread(const char *folder, bool optional, size_t *ret_count)
{
	struct family *families;
	char pattern[256];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*.conf", folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	families = calloc(found.gl_pathc, sizeof(*families));
	assert_non_null(families);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/') + 1;

		snprintf(families[i].file, sizeof(families[i].file), "%s", found.gl_pathv[i]);
		snprintf(families[i].name, sizeof(families[i].name), "%.*s",
			(int)(strlen(name) - strlen(".conf")), name);
		families[i].optional = optional;
		read_file(&families[i]);
	}
	*ret_count = found.gl_pathc;
	globfree(&found);
	return families;
}

void card_ids(const char *card, uint16_t *ret_ids)
{
	unsigned ids[4] = {0};

	for (unsigned i = 0; i < 4 && card; i++) {
		sscanf(card, "%4x", &ids[i]);
		card = strchr(card, ':');
		card = card ? card + 1 : NULL;
	}
	for (unsigned i = 0; i < 4; i++)
		ret_ids[i] = (uint16_t)ids[i];
}

static bool any_glob(const char (*globs)[64], unsigned count, const char *text)
{
	for (unsigned i = 0; i < count; i++)
		if (fnmatch(globs[i], text, 0) == 0)
			return true;
	return count == 0;
}

bool family_matches(const struct family *family, const struct adapter *adapter)
{
	char ids[24];
	bool card = family->n_cards == 0;

	snprintf(ids, sizeof(ids), "%04x:%04x:%04x:%04x", adapter->pci_ids[0], adapter->pci_ids[1],
		adapter->pci_ids[2], adapter->pci_ids[3]);
	for (unsigned i = 0; i < family->n_cards && !card; i++) {
		char pattern[26]; /* what is not said matches any */

		snprintf(pattern, sizeof(pattern), "%s*", family->cards[i]);
		card = fnmatch(pattern, ids, 0) == 0;
	}
	return card && (adapter->class == BUS_SMBUS ? family->smbus : family->gpu) &&
	       any_glob(family->adapters, family->n_adapters, adapter->name) &&
	       any_glob(family->boards, family->n_boards, adapter->board);
}

struct adapter family_adapter(const struct family *family, unsigned card)
{
	struct adapter adapter = {.class = family->smbus ? BUS_SMBUS : BUS_GPU, .pci = true};
	const char *name = "NVIDIA i2c adapter 1 at 1:00.0";

	if (card < family->n_cards)
		card_ids(family->cards[card], adapter.pci_ids);
	if (family->smbus)
		name = "SMBus PIIX4 adapter port 0 at 0b00";
	else if (adapter.pci_ids[0] == 0x1002)
		name = "AMDGPU DM i2c OEM bus";
	snprintf(adapter.name, sizeof(adapter.name), "%s", name);
	if (family->n_boards)
		snprintf(adapter.board, sizeof(adapter.board), "%s", family->boards[0]);
	return adapter;
}

static unsigned payload(const struct rgbroker_operation *operation)
{
	if (operation->read &&
		(operation->kind == RGBROKER_BLOCK_DATA || operation->kind == RGBROKER_I2C_BLOCK))
		return operation->length - 1U;
	return operation->length;
}

bool said_holds(
	const struct said *said, const struct rgbroker_operation *operation, const uint8_t *data)
{
	unsigned count = payload(operation);

	if (said->kind != operation->kind || said->read != operation->read ||
		!said->commands[operation->command] || count < said->shortest ||
		count > said->longest || count < said->n_data)
		return false;
	for (unsigned i = 0; i < said->n_data; i++)
		if (data[i] < said->low[i] || data[i] > said->high[i])
			return false;
	return true;
}

/* Where the floor says nothing on a chipset's bus, among the addresses that chips move to. */
static bool open_to_moves(unsigned address)
{
	return (address >= 0x20 && address <= 0x2f) || (address >= 0x38 && address <= 0x47) ||
	       (address >= 0x60 && address <= 0x77 && address != 0x69);
}

static bool register_holds(const struct family *family, const struct said_register *said,
	unsigned number, bool read, unsigned count, unsigned value)
{
	if (said->read != read || number < said->first || number > said->last)
		return false;
	if (said->move)
		return count == 1 && !(value & 1) && family->address[value / 2] &&
		       open_to_moves(value / 2);
	for (unsigned i = 0; i < said->n_values; i++)
		if (value >= said->low[i] && value <= said->high[i])
			return true;
	return said->n_values == 0;
}

static bool registers_hold(const struct family *family, unsigned pointer,
	const struct rgbroker_operation *operation, const uint8_t *data)
{
	unsigned count = payload(operation);

	for (unsigned i = 0; i < count; i++) {
		bool holds = false;

		for (unsigned k = 0; k < family->n_registers && !holds; k++)
			holds = register_holds(family, &family->registers[k], pointer + i,
				operation->read, count, operation->read ? 0 : data[i]);
		if (!holds)
			return false;
	}
	return true;
}

/* Any that is named, whatever may be done to it. */
static bool has_register(const struct family *family, unsigned number)
{
	for (unsigned k = 0; k < family->n_registers; k++)
		if (number >= family->registers[k].first && number <= family->registers[k].last)
			return true;
	return false;
}

bool family_says(const struct family *family, bool recognised, unsigned pointer,
	const struct rgbroker_operation *operation, const uint8_t *data)
{
	for (unsigned i = 0; i < family->n_said && family->address[operation->address]; i++) {
		const struct said *said = &family->said[i];

		if ((!recognised && strcmp(said->section, "Detect") != 0) ||
			!said_holds(said, operation, data))
			continue;
		if (said->set && !has_register(family, (unsigned)data[0] << 8 | data[1]))
			continue;
		if (strcmp(said->section, "Pointer") == 0 && !said->set &&
			!registers_hold(family, pointer, operation, data))
			continue;
		return true;
	}
	return false;
}
