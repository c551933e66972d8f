/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request for transfers: all of it is judged, then all of it is carried out. */
#include "broker/authorise.h"

#include <errno.h>
#include <string.h>

#define SUSPEND_USEC (100 * 1000) /* more than the two clocks differ by when read in turn */

#define EMPTY_USEC (2 * 1000 * 1000)

/* One request at a time: what was decided of its operations, and where each finds the pointer. */
static struct judgement judged[RGBROKER_OPERATIONS_MAX];

/* A suspend takes the controllers' power: chips are then where they were when it came back. */
static void refresh_facts(struct broker *broker)
{
	uint64_t boottime, monotonic;

	sd_event_now(broker->event, CLOCK_BOOTTIME, &boottime);
	sd_event_now(broker->event, CLOCK_MONOTONIC, &monotonic);
	if (boottime - monotonic > broker->suspended_usec + SUSPEND_USEC) {
		broker->facts = (struct facts){0};
		pointers_lost_all(&broker->pointers);
		broker->suspended_usec = boottime - monotonic;
	}
	if (monotonic - broker->emptied_usec > EMPTY_USEC) {
		facts_forget_empty(&broker->facts);
		broker->emptied_usec = monotonic;
	}
	facts_refresh(&broker->facts);
}

/* --- judging --- */

/* The pointers that this request's context means, as its earlier operations will have set them. */
struct view {
	bool seen[ADDRESSES];
	struct pointer pointers[ADDRESSES];
};

static struct pointer *look(struct view *view, struct client *client, const struct request *request,
	const struct rgbroker_operation *operation)
{
	uint8_t address = operation->address;

	if (!view->seen[address]) {
		view->seen[address] = true;
		view->pointers[address] = pointers_meant(&client->broker->pointers, client->process,
			request->header->context, address, operation->earlier);
	}
	return &view->pointers[address];
}

/* Where the pointer is after it. False, and left as it is: it has nothing to do with one. */
static bool moves_pointer(const struct broker *broker, const struct judgement *judgement,
	const struct rgbroker_operation *operation, struct pointer *ret_pointer)
{
	if (judgement->rule->role != RULE_PLAIN)
		*ret_pointer = policy_pointer_after(judgement, operation);
	else if (policy_moves_unseen(&broker->policy, judgement, operation))
		*ret_pointer = (struct pointer){.known = false};
	else
		return false;
	return true;
}

static void refuse(struct client *client, const struct rgbroker_operation *operation,
	const struct judgement *judgement, struct reply *reply)
{
	bool busy = judgement->reason == RGBROKER_REASON_OWNED ||
		    judgement->reason == RGBROKER_REASON_CLAIMED;

	client->broker->status.refused++;
	summary_changed(client->broker);
	log_refusal(client, operation, judgement);
	reply_set(reply, judgement->reason, busy ? -EBUSY : -EACCES);
}

static bool judge_one(struct client *client, const struct request *request, struct view *view,
	uint16_t index, struct reply *reply)
{
	const struct rgbroker_operation *operation = &request->operations[index];
	struct pointer *pointer = look(view, client, request, operation);
	const struct caller caller = {.door = client->listener->door,
		.claimed = claim_of_other(client->broker, client->process, operation->address),
		.pointer = *pointer};
	struct judgement *judgement = &judged[index];
	uint8_t moved_to;
	int r = authorise(client, &caller, operation, request->data[index], judgement);

	if (r < 0) {
		client->broker->status.failed++;
		reply_set(reply, RGBROKER_REASON_BUS, r);
		return false;
	}
	/* What follows was judged by who answers where, which is about to change. */
	if (judgement->verdict == VERDICT_ALLOWED && index + 1 < request->header->count &&
		policy_moves(judgement, operation, request->data[index], &moved_to))
		judgement_refuse(judgement, RGBROKER_REASON_RULE, GATE_MOVE);
	count_judgement(client, judgement);
	if (judgement->verdict == VERDICT_REFUSED) {
		reply->head.done = index;
		refuse(client, operation, judgement, reply);
		monitor_tell(client,
			&(struct happening){.operation = operation,
				.data = request->data[index],
				.device = judgement->device ? judgement->device->name : NULL,
				.context = request->header->context,
				.index = index,
				.count = request->header->count,
				.reason = judgement->reason,
				.result = reply->head.result});
		return false;
	}
	moves_pointer(client->broker, judgement, operation, pointer);
	return true;
}

/* Who is told to stop does not finish a batch: what it has done is told, the rest is the next
 * one's.
 */
static bool stops_here(struct broker *broker, uint16_t at, struct reply *reply)
{
	if (at == 0 || !broker_told_to_stop(broker))
		return false;
	reply_set(reply, RGBROKER_REASON_STOPPING, -EAGAIN);
	return true;
}

static bool judge_all(struct client *client, const struct request *request, struct reply *reply)
{
	struct view view = {0};

	refresh_facts(client->broker);
	for (uint16_t i = 0; i < request->header->count; i++)
		if (stops_here(client->broker, i, reply) ||
			!judge_one(client, request, &view, i, reply))
			return false;
	return true;
}

/* --- carrying out --- */

/* Only where another context has moved the chip's pointer, or nobody knows where it is. */
static int set_pointer_again(struct client *client, const struct judgement *judgement,
	const struct rgbroker_operation *operation)
{
	struct pointers *pointers = &client->broker->pointers;
	uint16_t value = judgement->pointer.value;
	struct rgbroker_operation set;
	uint8_t bytes[2];
	const uint8_t *data = bytes;
	int r;

	if (judgement->rule->role != RULE_DATA ||
		pointers_chip_is_at(pointers, operation->address, value))
		return 0;
	policy_set_pointer(judgement->device, operation->address, value, &set, bytes);
	r = broker_run(client, true, &set, 1, &data, NULL);
	if (r < 0)
		return r;
	client->broker->status.pointer_set++;
	pointers_set_again(pointers, client->process, operation->address, value);
	return 0;
}

/* What a failure leaves unknown. What the adapter cannot do never reached a chip. */
static void learn_failure(
	struct broker *broker, const struct rgbroker_operation *operation, int error)
{
	if (error == -EOPNOTSUPP || error == -EINVAL)
		return;
	facts_forget(&broker->facts, operation->address);
	pointers_lost(&broker->pointers, operation->address);
}

static void learn_success(
	struct client *client, const struct request *request, uint16_t index, struct reply *reply)
{
	struct broker *broker = client->broker;
	const struct rgbroker_operation *operation = &request->operations[index];
	const struct judgement *judgement = &judged[index];
	struct pointer pointer;
	uint8_t moved_to;

	if (moves_pointer(broker, judgement, operation, &pointer)) {
		uint64_t *told = judgement->rule->role == RULE_POINTER ? &reply->head.pointer_writes
								       : &reply->head.pointer_moves;

		pointers_moved(&broker->pointers, client->process, request->header->context,
			operation->address, pointer);
		*told |= UINT64_C(1) << index;
	}
	if (policy_claims(judgement))
		claim(broker, client->process, operation->address);
	if (policy_moves(judgement, operation, request->data[index], &moved_to)) {
		facts_forget(&broker->facts, operation->address);
		facts_forget(&broker->facts, moved_to);
		pointers_lost(&broker->pointers, operation->address);
		pointers_lost(&broker->pointers, moved_to);
	}
}

static void tell_done(struct client *client, const struct request *request, uint16_t index,
	const uint8_t *read_data, int result)
{
	const struct rgbroker_operation *operation = &request->operations[index];

	monitor_tell(
		client, &(struct happening){.operation = operation,
				.data = operation->read ? (result < 0 ? NULL : read_data)
							: request->data[index],
				.device = judged[index].device->name,
				.context = request->header->context,
				.index = index,
				.count = request->header->count,
				.reason = result < 0 ? RGBROKER_REASON_BUS : RGBROKER_REASON_NONE,
				.result = result});
}

/* One transfer: an operation, or the joined messages. */
static int run_span(
	struct client *client, const struct request *request, size_t span, struct reply *reply)
{
	uint16_t first = reply->head.done;
	const struct rgbroker_operation *operations = &request->operations[first];
	uint8_t *read_data = reply->data + reply->head.length;
	int r = set_pointer_again(client, &judged[first], operations);

	if (r == 0)
		r = broker_run(client, false, operations, span, &request->data[first], read_data);
	for (uint16_t i = first; i < first + span; i++) {
		if (r < 0)
			learn_failure(client->broker, &request->operations[i], r);
		else
			learn_success(client, request, i, reply);
		tell_done(client, request, i, read_data, r);
		if (r == 0 && request->operations[i].read) {
			read_data += request->operations[i].length;
			reply->head.length =
				(uint16_t)(reply->head.length + request->operations[i].length);
		}
	}
	return r;
}

static void run_all(struct client *client, const struct request *request, struct reply *reply)
{
	struct rgbroker_status *status = &client->broker->status;

	while (reply->head.done < request->header->count) {
		size_t span = transfer_span(request, reply->head.done);
		int r;

		if (stops_here(client->broker, reply->head.done, reply))
			return;
		r = run_span(client, request, span, reply);
		if (r < 0) {
			status->failed++;
			reply_set(reply, RGBROKER_REASON_BUS, r); /* others may have been done */
			return;
		}
		reply->head.done = (uint16_t)(reply->head.done + span);
		status->operations += span;
	}
}

/*
 * Some programs look at no errors and send the datum after a pointer that was not set: it must not
 * go where an older one points.
 */
static void learn_not_done(struct client *client, const struct request *request, uint16_t first)
{
	struct broker *broker = client->broker;

	for (uint16_t i = first; i < request->header->count; i++)
		if (policy_sets_pointer(&broker->policy, &request->operations[i]))
			pointers_not_set(&broker->pointers, client->process,
				request->header->context, request->operations[i].address);
}

void do_transfer(struct client *client, const struct request *request, struct reply *reply)
{
	if (judge_all(client, request, reply)) {
		run_all(client, request, reply);
		learn_not_done(client, request, reply->head.done);
	} else if (reply->head.reason != RGBROKER_REASON_DOOR) {
		learn_not_done(client, request, 0);
	}
}
