/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose turn it is; see account.h. */
#include "broker/broker.h"

static int64_t latest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Behind all turns that the account has, so that its connections take theirs one after the other.
 */
static int append(
	struct broker *broker, struct account *account, sd_event_source *source, int64_t cost)
{
	account->last = latest(account->last, broker->turn) + cost;
	return sd_event_source_set_priority(source, account->last);
}

/* That user's; or whose was longest ago. */
static struct user_gone *gone_of(struct broker *broker, uid_t uid)
{
	struct user_gone *oldest = broker->users_gone;

	for (unsigned i = 0; i < USERS_GONE_MAX; i++) {
		if (broker->users_gone[i].uid == uid)
			return &broker->users_gone[i];
		if (broker->users_gone[i].finish < oldest->finish)
			oldest = &broker->users_gone[i];
	}
	return oldest;
}

void turn_enter(struct broker *broker, struct account *account)
{
	const struct user_gone *gone = gone_of(broker, account->uid);

	if (gone->uid == account->uid)
		account->last = account->finish = gone->finish;
}

void turn_leave(struct broker *broker, const struct account *account)
{
	struct user_gone *gone = gone_of(broker, account->uid);

	if (gone->uid != account->uid || gone->finish < account->finish)
		*gone = (struct user_gone){account->uid, account->finish};
}

int turn_begin(struct broker *broker, struct account *account, sd_event_source *source)
{
	return append(broker, account, source, account->last > broker->turn ? TURN_COST : 0);
}

bool turn_is_due(struct broker *broker, struct account *account, sd_event_source *source)
{
	int64_t turn = 0;

	sd_event_source_get_priority(source, &turn);
	/*
	 * Others of its connections have had more since than was thought when it got its turn, or
	 * that turn came while it had nothing to ask. Far enough behind, as the next one is likely
	 * to cost as much as the last, so that each of many is put off once and not again and
	 * again.
	 */
	if (turn < account->finish) {
		append(broker, account, source, account->cost);
		return false;
	}
	broker->turn = latest(broker->turn, turn);
	return true;
}

void turn_taken(
	struct broker *broker, struct account *account, sd_event_source *source, int64_t cost)
{
	account->cost = cost;
	account->finish = broker->turn + cost;
	append(broker, account, source, cost);
}
