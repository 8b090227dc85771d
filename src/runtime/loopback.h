/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"

/*
 * Set the loopback interface of the caller's network namespace up: a new namespace has it down, and
 * programs expect 127.0.0.1 to answer. Source   netdevice(7); the kernel adds 127.0.0.1/8 and ::1
 * by itself
 */
int loopback_up(struct error *err);
