/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check --explain: the verdict step by step, by asking policy_judge() again and again. */
#pragma once

#include "ctl/ctl.h"

struct question {
	const struct policy *policy;
	struct caller caller;
	struct facts facts; /* known without asking the bus */
	const struct example *example;
};

/* The steps to the verdict: an object for programs, which is also what is printed. */
json_object *explain(const struct options *options, const struct question *question);
void explain_print(json_object *explanation);

/* --- gate-steps.c --- */

/* One rule on its own, as if it were all there is. */
struct alone {
	struct policy policy;
	struct device device;
	struct door door;
	struct caller caller;
	struct facts facts;
	const struct example *example;
};

void alone_make(struct alone *ret_alone, const struct question *question, unsigned index,
	struct rule *rule);
struct judgement alone_judge(const struct alone *alone);
/* What the gates ask of a rule that holds: steps are added to the array. Where a fact must come
 * from the bus the one that helps is supposed. The verdict that follows. */
struct judgement gate_steps(const struct alone *alone, json_object *steps);
/* Whether the facts that are missing can make the verdict "allowed"; if not, it is what they make
 * of the rule that came nearest. */
void settle_verdict(const struct question *question, struct judgement *judgement);
/* is: what is so, or supposed; otherwise: the verdict if it were not, or NULL. */
void add_step(json_object *steps, const char *name, const char *is, bool supposed,
	const struct judgement *otherwise);
