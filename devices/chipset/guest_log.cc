// SPDX-License-Identifier: MIT
#include "devices/chipset/guest_log.h"

#include <string_view>

namespace dm::chipset {

void GuestLog::put(char c) noexcept {
  if (c == '\r') {
    return;
  }
  if (c != '\n') {
    line_[size_++] = c;
  }
  if (c == '\n' || size_ == line_.size()) {
    flush();
  }
}

void GuestLog::flush() noexcept {
  if (size_ != 0) {
    limit_.info("guest says: ", std::string_view{line_.data(), size_});
  }
  size_ = 0;
}

}  // namespace dm::chipset
