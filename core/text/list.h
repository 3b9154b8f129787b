// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace dm {

/// Adds an item to a list in one line: "one; two". An empty item adds nothing. Allocates.
inline void append_item(std::string& list, std::string_view item) {
  if (!list.empty() && !item.empty()) {
    list.append("; ");
  }
  list.append(item);
}

}  // namespace dm
