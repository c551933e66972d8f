/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lint: what is told of device files that can be taken. */
#pragma once

#include "ctl/ctl.h"

void lint_warn(const struct device *device, config_problem warn, void *userdata);
/* What it allows, in numbers of lines and registers. */
json_object *lint_summary(const struct device *device);
