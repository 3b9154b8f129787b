// SPDX-License-Identifier: MIT
#pragma once

namespace dm::host {

/// Takes the program's and the libraries' code and constants out of this process's view; what is
/// still needed comes back from the page cache as it is touched. Most of a program is needed
/// for its start alone, which is over in milliseconds. Any thread.
void drop_start_pages() noexcept;

}  // namespace dm::host
