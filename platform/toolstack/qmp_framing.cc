// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp_framing.h"

namespace dm::toolstack {

ObjectScanner::Step ObjectScanner::open(bool is_array) noexcept {
  if (depth_ == kMaxDepth || (depth_ == 0 && is_array)) {
    return Step::broken;
  }
  const std::uint32_t bit = std::uint32_t{1} << depth_;
  arrays_ = is_array ? arrays_ | bit : arrays_ & ~bit;
  ++depth_;
  return Step::inside;
}

ObjectScanner::Step ObjectScanner::close(bool is_array) noexcept {
  if (depth_ == 0 || ((arrays_ >> (depth_ - 1) & 1) != 0) != is_array) {
    return Step::broken;
  }
  --depth_;
  return depth_ == 0 ? Step::complete : Step::inside;
}

ObjectScanner::Step ObjectScanner::step(char c) noexcept {
  const auto code = static_cast<unsigned char>(c);
  if (in_string_) {
    if (code <
        0x20) {  // RFC 8259, section 7: must be escaped. Most likely a closing quote was forgotten.
      return Step::broken;
    }
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return Step::inside;
  }
  switch (c) {
    case '{':
      return open(false);
    case '[':
      return open(true);
    case '}':
      return close(false);
    case ']':
      return close(true);
    case ' ':
    case '\t':
    case '\r':
    case '\n':
      return depth_ == 0 ? Step::between : Step::inside;
    case '"':
      in_string_ = depth_ != 0;
      return depth_ == 0 ? Step::broken : Step::inside;
    default:
      return depth_ == 0 || code < 0x20 ? Step::broken : Step::inside;
  }
}

}  // namespace dm::toolstack
