// SPDX-License-Identifier: MIT
#pragma once

#include <cstring>

namespace dm::host {

/// What an errno value means, in English whatever the locale, from any thread and without
/// allocating.
[[nodiscard]] inline const char* error_text(int error) noexcept {
  const char* const text = ::strerrordesc_np(error);
  return text != nullptr ? text : "unknown error";
}

}  // namespace dm::host
