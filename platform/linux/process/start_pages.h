// SPDX-License-Identifier: MIT
#pragma once

namespace dm::host {

/// Drops the program's and the libraries' code and constants from this process's memory
/// (madvise(2), MADV_DONTNEED). Most of a program is needed only for its start, which is over in
/// milliseconds. What is needed later comes back from the page cache when it is touched. Thread
/// rule: any thread.
void drop_start_pages() noexcept;

}  // namespace dm::host
