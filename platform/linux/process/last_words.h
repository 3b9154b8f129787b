// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

namespace dm::host {

/// What a process that serves a guest does when it cannot go on: a signal of its own making
/// (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT), or a system call that the filter traps (SIGSYS). It
/// writes one line that says what it was, ends the guest, and ends. Nothing of it returns: the
/// guest must not run on with half a machine. The supervisor then cleans up and tells the last
/// requests, as after any sudden death.
///
/// Everything is prepared here, before the filter: the handlers run on a stack of their own, and
/// call only write(2), `end_guest` and exit_group(2). So `end_guest` may do nothing but system
/// calls, and of them only those that the filter allows. Null: this process serves no guest, and
/// only ends itself. A signal that
/// something else handles already (a sanitizer) keeps its handler, except SIGSYS.
///
/// Thread rule: start-up, from the loop's thread. Source: signal-safety(7), sigaltstack(2).
[[nodiscard]] Result<> prepare_last_words(void (*end_guest)() noexcept);

/// The process's exit status then.
inline constexpr int kLastWordsStatus = 70;

}  // namespace dm::host
