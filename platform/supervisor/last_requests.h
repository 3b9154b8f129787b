// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/black_box.h"

namespace dm::supervisor {

/// Writes to the log what a worker that has ended was asked last, the latest first. The page was
/// the worker's: numbers only; one that hangs may still write, and then a line may mix two
/// requests. Thread rule: any thread.
void show_last_requests(const BlackBox& box) noexcept;

}  // namespace dm::supervisor
