/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may be on the wire, and who may have put it there. Told from the device files as
 * tests/unit/reread.c reads them, from the chips that really are on the bus and from what each
 * client has sent, not from what the broker knows; the broker's own verdict is asked besides.
 */
#include "tests/fuzz/floor.h"
#include "tests/fuzz/world.h"

#include <errno.h>

#define MEANT_MAX 4096
#define UNKNOWN_REGISTER 0x10000

/* Where each context means the pointer of each chip to be. */
struct meant {
	const struct process *process;
	uint32_t context;
	uint8_t address;
	struct pointer pointer;
};

static struct {
	struct meant meant[MEANT_MAX];
	unsigned n_meant;
	struct {
		const struct process *mover;
		struct pointer pointer;
	} last[ADDRESSES];
	const struct process *holders[ADDRESSES];
} model;

void oracle_begin(void)
{
	model.n_meant = 0;
	memset(model.last, 0, sizeof(model.last));
	memset(model.holders, 0, sizeof(model.holders));
}

/* --- pointers --- */

static struct meant *find_meant(const struct process *process, uint32_t context, uint8_t address)
{
	for (unsigned i = 0; i < model.n_meant; i++)
		if (model.meant[i].process == process && model.meant[i].context == context &&
			model.meant[i].address == address)
			return &model.meant[i];
	return NULL;
}

static void mean(uint8_t address, struct pointer pointer)
{
	const struct process *process = world.current->process;
	uint32_t context =
		((const struct rgbroker_request *)(const void *)world.request->bytes)->context;
	struct meant *meant = find_meant(process, context, address);

	if (!meant) {
		must(model.n_meant < MEANT_MAX, "the model has no more room");
		meant = &model.meant[model.n_meant++];
		*meant = (struct meant){process, context, address, {0}};
	}
	meant->pointer = pointer;
}

static void move(uint8_t address, struct pointer pointer)
{
	mean(address, pointer);
	model.last[address].mover = world.current->process;
	model.last[address].pointer = pointer;
}

/* One that never said so means where its process has left it, if it was the last to move it. */
static struct pointer pointer_of(
	const struct process *process, uint32_t context, const struct rgbroker_operation *operation)
{
	const struct meant *meant = find_meant(process, context, operation->address);

	if (meant)
		return meant->pointer;
	if (operation->earlier || model.last[operation->address].mover != process)
		return (struct pointer){false, 0};
	return model.last[operation->address].pointer;
}

void oracle_forget_process(const struct process *process)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < model.n_meant; i++)
		if (model.meant[i].process != process)
			model.meant[kept++] = model.meant[i];
	model.n_meant = kept;
	for (unsigned at = 0; at < ADDRESSES; at++)
		if (model.last[at].mover == process)
			model.last[at].mover = NULL;
}

/* --- claims --- */

static void let_go(const struct process *process)
{
	for (unsigned at = 0; at < ADDRESSES; at++)
		if (model.holders[at] == process)
			model.holders[at] = NULL;
}

void oracle_process_gone(const struct process *process)
{
	oracle_forget_process(process);
	let_go(process);
}

void oracle_released(uint8_t address)
{
	model.holders[address] = NULL;
}

static bool has_exited(const struct connection_of *connection)
{
	return connection->person_number != connection->person->number;
}

/* Alive, with a connection that it has not closed. */
static bool is_there(const struct process *process)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		const struct connection_of *connection = &world.connections[i];

		if (connection->used && connection->broker_fd >= 0 && !connection->closed &&
			connection->process == process &&
			!(connection->had_pidfd && has_exited(connection)))
			return true;
	}
	return false;
}

static bool claimed_by_another(const struct process *process, uint8_t address)
{
	const struct process *holder = model.holders[address];

	return holder && holder != process && is_there(holder);
}

/* Who had closed all of its connections has let go of its chips, and comes as a new one. */
void oracle_process_comes(const struct process *process)
{
	if (!is_there(process))
		let_go(process);
}

/* --- the floor, once more --- */

static bool floor_has_a_say(const struct rgbroker_operation *operation)
{
	uint8_t at = operation->address;

	if (is_closed(sim.scene->policy.adapter.class, operation))
		return true;
	if (operation->read && !is_quick(operation))
		return false;
	if (sim.scene->policy.adapter.class == BUS_GPU)
		return at == 0x30 || at == 0x37 || at == 0x3a || is_within(at, 0x50, 0x57);
	return is_within(at, 0x10, 0x1f) || is_within(at, 0x48, 0x4f) || is_within(at, 0x58, 0x5f);
}

static bool is_unbuffered(enum module module)
{
	return module == MODULE_DDR4 || module == MODULE_DDR5 || module == MODULE_DRIVEN_DDR4 ||
	       module == MODULE_DRIVEN_DDR5 || module == MODULE_DRIVEN_SHORT;
}

static bool is_ddr5(enum module module)
{
	return module == MODULE_DDR5 || module == MODULE_DRIVEN_DDR5 ||
	       module == MODULE_DRIVEN_SHORT;
}

static bool module_fits(const struct family *family, unsigned slot)
{
	enum module module = sim.modules[slot];

	if (!is_unbuffered(module) || !(is_ddr5(module) ? family->ddr5 : family->ddr4))
		return false;
	for (unsigned i = 0; i < family->n_makers; i++)
		if (family->makers[i] == sim.makers[slot])
			return true;
	return family->n_makers == 0;
}

static bool has_module(const struct family *family, uint8_t address)
{
	if (!family->ddr4 && !family->ddr5)
		return true;
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if ((family->any_slot || slot == address % SLOTS) && module_fits(family, slot))
			return true;
	return false;
}

static bool not_on_the_bus(const enum module *modules, unsigned count)
{
	for (unsigned slot = 0; slot < SLOTS; slot++)
		for (unsigned i = 0; i < count; i++)
			if (sim.modules[slot] == modules[i] && !sim.doubtful[slot])
				return false;
	return true;
}

/* What the floor wants besides a rule. */
static bool floor_is_content(const struct family *family, unsigned device,
	const struct rgbroker_operation *operation, bool detects)
{
	static const enum module not_proven[] = {MODULE_DDR5, MODULE_DDR5_REGISTERED,
		MODULE_OTHER_PAGE, MODULE_DDR5_OTHER_PAGE, MODULE_DRIVEN_DDR5, MODULE_DRIVEN_SHORT,
		MODULE_SILENT};
	uint8_t at = operation->address;
	unsigned slot = at % SLOTS;
	bool quick = is_quick(operation), writes = !operation->read && !quick;

	if (sim.scene->policy.adapter.class == BUS_GPU) {
		if (operation->read && !quick)
			return true;
		if (at != 0x30 && at != 0x37 && at != 0x3a && !is_within(at, 0x50, 0x57))
			return true;
		return (!sim.display[0] || sim.doubtful[0]) &&
		       (!is_within(at, 0x50, 0x57) || !sim.display[slot] || sim.doubtful[slot]);
	}
	if (is_within(at, 0x10, 0x17))
		return !writes || chip_is(at, device);
	if (is_within(at, 0x18, 0x1f) || is_within(at, 0x58, 0x5f)) {
		bool proof = detects && family->n_makers && !family->any_slot;

		return !writes || ((proof || chip_is(at, device)) &&
					  (sim.modules[slot] == MODULE_NONE || sim.doubtful[slot] ||
						  is_unbuffered(sim.modules[slot])));
	}
	if (is_within(at, 0x48, 0x4f))
		return (!writes && !quick) ||
		       (chip_is(at, device) && not_on_the_bus(not_proven,
						       sizeof(not_proven) / sizeof(not_proven[0])));
	return true;
}

/* --- what a client's operation may be --- */

static unsigned real_pointer(uint8_t address)
{
	const struct fake_chip *chip = &sim.bus->chips[address];

	return chip->ene ? chip->pointer : UNKNOWN_REGISTER;
}

/* The first family, of those that a door opens, that lets it pass. NULL: none does. */
static const struct family *family_allowing(
	const struct door *door, const struct rgbroker_operation *operation, const uint8_t *data)
{
	const struct scene *scene = sim.scene;
	uint8_t at = operation->address;

	for (unsigned i = 0; i < scene->policy.n_devices; i++) {
		const struct family *family = scene->families[i];
		bool detects = family_says(family, false, UNKNOWN_REGISTER, operation, data);

		if (!(door->devices & (UINT64_C(1) << i)))
			continue;
		if (!detects && !family_says(family, true, real_pointer(at), operation, data))
			continue;
		if (!detects && !family->no_fingerprint && !chip_is(at, i))
			continue;
		if (!(detects && operation->read) && !has_module(family, at))
			continue;
		if (!floor_is_content(family, i, operation, detects))
			continue;
		return family;
	}
	return NULL;
}

enum part { PART_NONE, PART_SET, PART_DATA, PART_UNSEEN };

/* What a family says that it has to do with its pointer. */
static enum part part_for(const struct family *family, const struct rgbroker_operation *operation,
	const uint8_t *data)
{
	for (unsigned k = 0; k < family->n_said; k++) {
		const struct said *said = &family->said[k];

		if (strcmp(said->section, "Pointer") == 0 && said_holds(said, operation, data))
			return said->set ? PART_SET : PART_DATA;
	}
	return PART_NONE;
}

/* What those say that live there. */
static enum part part_of(const struct rgbroker_operation *operation, const uint8_t *data)
{
	enum part part = PART_NONE;

	for (unsigned i = 0; part == PART_NONE && i < sim.scene->policy.n_devices; i++)
		if (sim.scene->families[i]->address[operation->address] &&
			chip_is(operation->address, i))
			part = part_for(sim.scene->families[i], operation, data);
	return part;
}

/*
 * What is written where a chip with a pointer may be, whichever it is, can be what sets it, in
 * whatever form; what is read can come from behind it.
 */
static bool may_move_pointer(const struct rgbroker_operation *operation, const uint8_t *data)
{
	for (unsigned i = 0; i < sim.scene->policy.n_devices; i++) {
		const struct family *family = sim.scene->families[i];

		if (family->n_registers && family->address[operation->address] &&
			(!operation->read || part_for(family, operation, data) != PART_NONE))
			return true;
	}
	return false;
}

/* The same, where it may be that it passes by a file that knows of no pointer, and is not followed.
 */
static enum part client_part(
	const struct door *door, const struct rgbroker_operation *operation, const uint8_t *data)
{
	const struct family *family = door ? family_allowing(door, operation, data) : NULL;

	if (!family || family->n_registers)
		return part_of(operation, data);
	return may_move_pointer(operation, data) ? PART_UNSEEN : PART_NONE;
}

static const char *text(const struct rgbroker_operation *operation)
{
	static char buffer[64];

	return operation_text(operation, buffer, sizeof(buffer));
}

static const struct rgbroker_request *request_header(void)
{
	return (const void *)world.request->bytes;
}

/* A datum goes where its context said, and nowhere else. */
static void check_pointer(const struct rgbroker_operation *operation)
{
	const struct pointer pointer =
		pointer_of(world.current->process, request_header()->context, operation);

	must(pointer.known, "%s: where, its context never said", text(operation));
	must(real_pointer(operation->address) == pointer.value,
		"%s: the chip is at 0x%04x, its context means 0x%04x", text(operation),
		real_pointer(operation->address), pointer.value);
}

static bool is_move(const struct rgbroker_operation *operation)
{
	unsigned at = real_pointer(operation->address);

	for (unsigned i = 0; i < sim.scene->policy.n_devices; i++) {
		const struct family *family = sim.scene->families[i];

		for (unsigned k = 0; chip_is(operation->address, i) && k < family->n_registers; k++)
			if (family->registers[k].move && family->registers[k].first == at)
				return operation->length > 0;
	}
	return false;
}

static void check_move(
	const struct rgbroker_operation *operation, const uint8_t *data, bool is_last)
{
	uint8_t to = data[0] >> 1;

	must(is_last, "%s: more is asked of it once it has moved", text(operation));
	must(!sim.bus->chips[to].owned, "it moves to 0x%02x, where a driver is", to);
	must(!sim.bus->chips[to].present || sim.mute[to], "it moves to 0x%02x, where one is", to);
}

static const struct door *current_door(void)
{
	return policy_find_door(&sim.scene->policy, world.door_names[world.current->door]);
}

static void check_verdict(const struct rgbroker_operation *operation, const uint8_t *data)
{
	const struct caller caller = {
		.door = world.current->door == DOOR_UNKNOWN
				? NULL
				: policy_find_door(&world.broker.policy,
					  world.door_names[world.current->door]),
		.claimed = claimed_by_another(world.current->process, operation->address),
		.pointer =
			pointer_of(world.current->process, request_header()->context, operation)};
	struct judgement judgement =
		policy_judge(&world.broker.policy, &caller, &world.broker.facts, operation, data);

	must(judgement.verdict == VERDICT_ALLOWED, "%s: the verdict is %d, reason %d",
		text(operation), judgement.verdict, judgement.reason);
}

static void check_client_operation(
	const struct rgbroker_operation *operation, const uint8_t *data, bool is_last)
{
	const struct door *door = current_door();
	bool sends = !operation->read || is_quick(operation);
	enum part part;

	must(door && door->transfer != DOOR_NOTHING, "%s by a door without rights",
		text(operation));
	part = client_part(door, operation, data);
	must(!sends || door->transfer == DOOR_READ_WRITE, "%s by a door for reading",
		text(operation));
	must(!is_closed(sim.scene->policy.adapter.class, operation), "%s, where none may",
		text(operation));
	must(!sim.bus->chips[operation->address].owned, "%s, where a driver is", text(operation));
	must(family_allowing(door, operation, data), "%s: no file allows it", text(operation));
	must(!(sends || part == PART_DATA) ||
			!claimed_by_another(world.current->process, operation->address),
		"%s: another process has that chip", text(operation));
	if (part == PART_DATA) {
		check_pointer(operation);
		if (!operation->read && is_move(operation))
			check_move(operation, data, is_last);
	}
	check_verdict(operation, data);
}

/* --- what the broker may send of its own accord --- */

static bool is_expected_of(const struct device *device, const struct rgbroker_operation *operation,
	const uint8_t *data)
{
	for (size_t i = 0; i < device->n_expectations; i++) {
		const struct expectation *expectation = &device->expectations[i];

		if (!operation->read && expectation->n_send == operation->length &&
			operation->kind == RGBROKER_I2C && expectation->n_send &&
			memcmp(data, expectation->send, expectation->n_send) == 0)
			return true;
		if (operation->read && expectation->kind == operation->kind &&
			expectation->command == operation->command)
			return true;
	}
	return false;
}

static bool is_fingerprint(const struct rgbroker_operation *operation, const uint8_t *data)
{
	const struct policy *policy = &sim.scene->policy;

	for (size_t i = 0; i < policy->n_devices; i++)
		if (sim.scene->families[i]->address[operation->address] &&
			is_expected_of(policy->devices[i], operation, data))
			return true;
	return false;
}

/* Bytes that tell the kind of a memory module, or a display. */
static bool is_spd_read(const struct rgbroker_operation *operation)
{
	static const uint8_t spd[] = {0x00, 0x01, 0x02, 0x03, 0x0b, 0x82, 0x83};

	if (!is_within(operation->address, 0x50, 0x57) || !operation->read ||
		operation->kind != RGBROKER_BYTE_DATA)
		return false;
	if (sim.scene->policy.adapter.class == BUS_GPU)
		return operation->command < 8;
	return memchr(spd, operation->command, sizeof(spd));
}

/* The one that is next: what the broker does by itself, it does for it. */
static const struct rgbroker_operation *next_operation(const uint8_t **ret_data)
{
	const struct rgbroker_operation *operations = (const void *)(request_header() + 1);
	const uint8_t *data = (const uint8_t *)(operations + request_header()->count);

	for (unsigned i = 0; i < world.request->n_done; i++)
		data += operations[i].read ? 0 : operations[i].length;
	*ret_data = data;
	return &operations[world.request->n_done];
}

static bool is_probe(const struct rgbroker_operation *operation)
{
	return operation->kind == RGBROKER_BYTE && operation->read;
}

/* A pointer that is set again: the next operation's context meant just that. */
static void check_set_again(const struct rgbroker_operation *operation, const uint8_t *data)
{
	const uint8_t *next_data;
	const struct rgbroker_operation *next = next_operation(&next_data);
	struct pointer pointer =
		pointer_of(world.current->process, request_header()->context, next);

	must(next->address == operation->address, "%s of its own, at another chip than asked for",
		text(operation));
	must(part_of(operation, data) == PART_SET, "%s of its own, no pointer", text(operation));
	must(pointer.known && pointer.value == (data[0] << 8 | data[1]),
		"it points the chip to 0x%02x%02x, its context means %d 0x%04x", data[0], data[1],
		pointer.known, pointer.value);
	must(!claimed_by_another(world.current->process, operation->address),
		"%s of its own, another process has that chip", text(operation));
}

static void check_own_operation(const struct rgbroker_operation *operation, const uint8_t *data)
{
	enum bus_class class = sim.scene->policy.adapter.class;
	const struct door *door =
		policy_find_door(&sim.scene->policy, world.door_names[world.current->door]);

	must(door && door->transfer != DOOR_NOTHING, "%s for somebody without rights",
		text(operation));
	must(!is_closed(class, operation), "%s of its own, where none may", text(operation));
	if (operation->read) {
		must(!sim.bus->chips[operation->address].owned || class == BUS_GPU,
			"%s of its own, where a driver is", text(operation));
		must(is_spd_read(operation) || is_probe(operation) ||
				is_fingerprint(operation, NULL),
			"%s of its own", text(operation));
		return;
	}
	must(door->transfer == DOOR_READ_WRITE, "%s of its own, for a reader", text(operation));
	if (!is_fingerprint(operation, data))
		check_set_again(operation, data);
}

/* --- transfers --- */

static void check_place(
	const struct rgbroker_operation *operations, size_t count, const uint8_t *const *data)
{
	const uint8_t *expected_data;
	const struct rgbroker_operation *expected = next_operation(&expected_data);
	size_t span = 1;

	while (expected[span - 1].joined)
		span++;
	must(span == count, "a transfer of %zu, %zu were asked for", count, span);
	must(memcmp(operations, expected, count * sizeof(*expected)) == 0,
		"another operation than was asked for: %s", text(operations));
	for (size_t i = 0; i < count; i++) {
		if (operations[i].read)
			continue;
		must(operations[i].length == 0 ||
				memcmp(data[i], expected_data, operations[i].length) == 0,
			"%s: other data", text(&operations[i]));
		expected_data += operations[i].length;
	}
}

/* Whether a datum makes its chip the writer's: all that may be written to recognised chips does. */
static bool is_claim(const struct rgbroker_operation *operation, const uint8_t *data)
{
	if (operation->read)
		return false;
	for (unsigned i = 0; i < sim.scene->policy.n_devices; i++) {
		const struct family *family = sim.scene->families[i];
		unsigned pointer = real_pointer(operation->address);

		if (family_says(family, false, UNKNOWN_REGISTER, operation, data))
			return false;
		if ((family->no_fingerprint || chip_is(operation->address, i)) &&
			family_says(family, true, pointer, operation, data))
			return true;
	}
	return false;
}

/* What is known of each operation before its transfer changes the chip. */
static struct plan {
	enum part part;
	bool claims;
	struct pointer pointer;
} plans[RGBROKER_MESSAGES_MAX];

void oracle_before(const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, bool own)
{
	struct sent *sent = world.request;

	must(sent && sent->clean && !sent->drained && sent->opcode == RGBROKER_TRANSFER,
		"%s, which nobody asked for", text(operations));
	must(world.broker.live->since &&
			memcmp(&world.broker.live->operation, operations, sizeof(*operations)) == 0,
		"%s is not told on the live page", text(operations));
	if (own) {
		must(count == 1, "%zu messages of its own", count);
		check_own_operation(operations, data[0]);
		return;
	}
	must(sent->n_done < request_header()->count, "more than was asked for");
	check_place(operations, count, data);
	for (size_t i = 0; i < count; i++) {
		plans[i].part = client_part(current_door(), &operations[i], data[i]);
		plans[i].claims = plans[i].part != PART_SET && is_claim(&operations[i], data[i]);
		plans[i].pointer = pointer_of(
			world.current->process, request_header()->context, &operations[i]);
		check_client_operation(
			&operations[i], data[i], sent->n_done + i + 1 == request_header()->count);
	}
}

static void learn_operation(
	const struct rgbroker_operation *operation, const uint8_t *data, const struct plan *plan)
{
	struct pointer pointer = plan->pointer;
	uint8_t at = operation->address;
	uint64_t bit = UINT64_C(1) << world.request->n_done;

	if (plan->part == PART_SET) {
		world.request->sets |= bit;
		move(at, (struct pointer){true, (uint16_t)(data[0] << 8 | data[1])});
	} else if (plan->part == PART_DATA) {
		world.request->moves |= bit;
		if (operation->read || pointer.value + operation->length > UINT16_MAX)
			move(at, (struct pointer){false, 0});
		else
			move(at, (struct pointer){
					 true, (uint16_t)(pointer.value + operation->length)});
	} else if (plan->part == PART_UNSEEN) {
		world.request->moves |= bit;
		move(at, (struct pointer){false, 0});
	}
	if (plan->claims && !(world.current->had_pidfd && has_exited(world.current)))
		model.holders[at] = world.current->process;
}

/* Where that fails, so has what it was done for: monitors are told of each message of it. */
static void learn_set_again(int result)
{
	const uint8_t *data;
	const struct rgbroker_operation *next = next_operation(&data);

	if (result == 0) {
		world.n_pointer_set++;
		return;
	}
	do
		world.happenings++;
	while (next++->joined);
}

void oracle_after(const struct rgbroker_operation *operations, size_t count,
	const uint8_t *const *data, bool own, int result, const uint8_t *read_data)
{
	struct sent *sent = world.request;

	sent->result = result;
	world.happenings += own ? 1 : count;
	if (own) {
		sent->n_own++;
		world.n_own_reads += operations->read;
		if (!operations->read && part_of(operations, data[0]) == PART_SET &&
			!is_fingerprint(operations, data[0]))
			learn_set_again(result);
		return;
	}
	sent->n_spans++;
	if (result < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (operations[i].read) {
			memcpy(sent->read + sent->n_read, read_data, operations[i].length);
			sent->n_read += operations[i].length;
			read_data += operations[i].length;
		}
		learn_operation(&operations[i], data[i], &plans[i]);
		sent->n_done++;
	}
}

/* --- answers --- */

static bool looks_like_set(const struct rgbroker_operation *operation)
{
	for (unsigned i = 0; i < sim.scene->policy.n_devices; i++) {
		const struct family *family = sim.scene->families[i];

		for (unsigned k = 0; k < family->n_said; k++)
			if (family->said[k].set && !operation->read &&
				family->address[operation->address] &&
				family->said[k].kind == operation->kind &&
				family->said[k].commands[operation->command])
				return true;
	}
	return false;
}

/* Whoever meant to set a pointer, and did not, means none that is known. */
static void learn_not_done(unsigned first)
{
	const struct rgbroker_operation *operations = (const void *)(request_header() + 1);

	for (unsigned i = first; i < request_header()->count; i++)
		if (looks_like_set(&operations[i]))
			mean(operations[i].address, (struct pointer){false, 0});
}

static size_t room_of_done(const struct rgbroker_operation *operations, unsigned done)
{
	size_t room = 0;

	for (unsigned i = 0; i < done; i++)
		room += operations[i].read ? operations[i].length : 0;
	return room;
}

/* Where a refusal says why, it is so. */
static void check_refusal(
	const struct rgbroker_operation *operation, const struct rgbroker_reply *reply)
{
	const struct process *process = world.current->process;
	const struct meant *meant =
		find_meant(process, request_header()->context, operation->address);

	if (reply->reason != RGBROKER_REASON_DOOR)
		must(!is_closed(sim.scene->policy.adapter.class, operation) ||
				reply->reason == RGBROKER_REASON_FLOOR,
			"%s: closed for good, but for reason %u", text(operation), reply->reason);
	switch (reply->reason) {
	case RGBROKER_REASON_DOOR:
	case RGBROKER_REASON_RULE:
	case RGBROKER_REASON_UNPROVEN:
		break;
	case RGBROKER_REASON_FLOOR:
		must(floor_has_a_say(operation), "%s: the floor says nothing there",
			text(operation));
		break;
	case RGBROKER_REASON_OWNED:
		must(sim.bus->chips[operation->address].owned, "%s: no driver is there",
			text(operation));
		break;
	case RGBROKER_REASON_CLAIMED:
		must(claimed_by_another(process, operation->address), "%s: nobody has that chip",
			text(operation));
		break;
	case RGBROKER_REASON_POINTER: /* what stands before it in the batch is not followed here */
		must(reply->done || !meant || !meant->pointer.known || process->evicted,
			"%s: its context means 0x%04x", text(operation), meant->pointer.value);
		break;
	default:
		must(false, "reason %u", reply->reason);
	}
}

static void check_transfer(const struct sent *sent, const struct rgbroker_reply *reply)
{
	const struct rgbroker_operation *operations = (const void *)(request_header() + 1);
	bool refused =
		reply->reason != RGBROKER_REASON_NONE && reply->reason != RGBROKER_REASON_BUS;

	if (refused) {
		must(sent->n_spans == 0 && sent->n_done == 0, "refused after %u transfers",
			sent->n_spans);
		must(reply->done < request_header()->count && reply->length == 0,
			"refused: operation %u, %u bytes", reply->done, reply->length);
		must(reply->pointer_writes == 0 && reply->pointer_moves == 0, "refused, and moved");
		must(reply->result ==
				(reply->reason == RGBROKER_REASON_OWNED ||
							reply->reason == RGBROKER_REASON_CLAIMED
						? -EBUSY
						: -EACCES),
			"refused by %d", reply->result);
		check_refusal(&operations[reply->done], reply);
		return;
	}
	must(reply->done == sent->n_done, "%u are said to be done, %u were", reply->done,
		sent->n_done);
	must(reply->length == room_of_done(operations, reply->done) &&
			reply->length == sent->n_read,
		"%u bytes for %u operations", reply->length, reply->done);
	must(memcmp(reply + 1, sent->read, sent->n_read) == 0, "other bytes than were read");
	must(reply->pointer_writes == sent->sets && reply->pointer_moves == sent->moves,
		"pointers %#llx %#llx, not %#llx %#llx", (unsigned long long)reply->pointer_writes,
		(unsigned long long)reply->pointer_moves, (unsigned long long)sent->sets,
		(unsigned long long)sent->moves);
	if (reply->reason == RGBROKER_REASON_BUS)
		must(reply->result < 0 && reply->result == sent->result, "the bus said %d, not %d",
			sent->result, reply->result);
	else
		must(reply->done == request_header()->count && reply->result == 0, "%u done",
			reply->done);
}

static void count_transfer(const struct sent *sent, const struct rgbroker_reply *reply)
{
	world.n_operations += sent->n_done;
	if (reply->reason == RGBROKER_REASON_BUS) {
		world.n_failed++;
	} else if (reply->reason != RGBROKER_REASON_NONE) {
		world.n_refused++;
		world.happenings++;
	}
}

static void check_other(const struct sent *sent, const struct rgbroker_reply *reply)
{
	static const size_t sizes[] = {[RGBROKER_INFO] = sizeof(struct rgbroker_info),
		[RGBROKER_STATUS] = sizeof(struct rgbroker_status),
		[RGBROKER_CHIPS] = sizeof(struct rgbroker_chip),
		[RGBROKER_COUNTS] = sizeof(struct rgbroker_count)};
	static const bool rights[DOORS][2] = {[DOOR_ADMIN] = {true, true}, [DOOR_LOOK] = {true}};
	unsigned door = world.current->door, opcode = sent->opcode;
	size_t size = opcode < sizeof(sizes) / sizeof(sizes[0]) ? sizes[opcode] : 0;

	must(sent->n_spans == 0 && sent->n_own == 0, "opcode %u went on the wire", opcode);
	must(reply->done == 0 && reply->pointer_writes == 0 && reply->pointer_moves == 0,
		"opcode %u did something", opcode);
	if (opcode == RGBROKER_INFO ? door == DOOR_UNKNOWN
				    : !rights[door][opcode == RGBROKER_RELEASE]) {
		must(reply->reason == RGBROKER_REASON_DOOR && reply->result == -EACCES &&
				reply->length == 0,
			"opcode %u by door %u", opcode, door);
		return;
	}
	if (opcode == RGBROKER_MONITOR && reply->result == 0 && !world.current->monitors) {
		world.current->monitors = true;
		world.current->happenings = world.happenings;
	}
	if (opcode == RGBROKER_RELEASE || opcode == RGBROKER_MONITOR) {
		must(reply->length == 0, "opcode %u: %u bytes", opcode, reply->length);
		must(reply->result == 0 ||
				reply->result == (opcode == RGBROKER_RELEASE ? -ENOENT : -EBUSY),
			"opcode %u: %d", opcode, reply->result);
		return;
	}
	must(reply->reason == RGBROKER_REASON_NONE && reply->result == 0, "opcode %u: %u", opcode,
		reply->reason);
	must(opcode == RGBROKER_CHIPS || opcode == RGBROKER_COUNTS ? reply->length % size == 0
								   : reply->length == size,
		"opcode %u: %u bytes", opcode, reply->length);
}

/* Each request has the one answer that it must have. */
void oracle_answered(const struct sent *sent, const struct rgbroker_reply *reply, size_t size)
{
	bool known = sent->clean && sent->opcode >= RGBROKER_TRANSFER &&
		     sent->opcode <= RGBROKER_RELEASE;

	must(size >= sizeof(*reply) && size == sizeof(*reply) + reply->length, "%zu bytes", size);
	must(reply->version == RGBROKER_PROTOCOL_VERSION, "version %u", reply->version);
	must((reply->reason == RGBROKER_REASON_NONE) == (reply->result == 0) && reply->result <= 0,
		"reason %u, result %d", reply->reason, reply->result);
	if (!sent->broken || !sent->drained) /* of one too large nothing is promised */
		must(reply->serial == sent->serial || sent->broken, "serial %u, not %u",
			reply->serial, sent->serial);
	if (sent->drained) {
		must(reply->reason == RGBROKER_REASON_STOPPING && reply->result == -EAGAIN &&
				reply->length == 0 && reply->done == 0 && sent->n_spans == 0,
			"stopping: reason %u", reply->reason);
		return;
	}
	if (sent->broken || !(sent->foreign || known)) {
		must(reply->reason == RGBROKER_REASON_PROTOCOL && reply->length == 0,
			"malformed: reason %u", reply->reason);
		world.current->dropped_ok = true;
		return;
	}
	if (sent->foreign) {
		must(reply->reason == RGBROKER_REASON_VERSION && reply->length == 0,
			"another version: reason %u", reply->reason);
		return;
	}
	if (sent->opcode != RGBROKER_TRANSFER) {
		check_other(sent, reply);
		return;
	}
	if (world.current->door == DOOR_UNKNOWN) {
		must(reply->reason == RGBROKER_REASON_DOOR && reply->length == 0 && !sent->n_own,
			"no door: reason %u", reply->reason);
		return;
	}
	world.slept = false;
	check_transfer(sent, reply);
	count_transfer(sent, reply);
	if (reply->reason != RGBROKER_REASON_DOOR)
		learn_not_done(reply->reason == RGBROKER_REASON_NONE ||
					       reply->reason == RGBROKER_REASON_BUS
				       ? reply->done
				       : 0);
}
