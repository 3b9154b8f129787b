// SPDX-License-Identifier: MIT
#pragma once

#include <liburing.h>

namespace dm::test {

/// The ring that was made last, nullptr if that failed or none was.
[[nodiscard]] io_uring* newest_ring();

}  // namespace dm::test
