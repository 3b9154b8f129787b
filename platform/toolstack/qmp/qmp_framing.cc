// SPDX-License-Identifier: MIT
#include "platform/toolstack/qmp/qmp_framing.h"

#include <string_view>

namespace dm::toolstack {

namespace {

constexpr bool is_blank(unsigned char code) noexcept {
  return code == ' ' || code == '\t' || code == '\r' || code == '\n';
}
constexpr bool is_digit(unsigned char code) noexcept {
  return code >= '0' && code <= '9';
}
/// No part of any JSON, and so the way back to a known state.
constexpr bool is_reset(unsigned char code) noexcept {
  return (code < 0x20 && code != '\t') || code >= 0xfe;
}

}  // namespace

ObjectScanner::Step ObjectScanner::step(char c) noexcept {
  const auto code = static_cast<unsigned char>(c);
  if (skipping_ && skip(code)) {
    return Step::between;
  }
  const Step how = [&] {
    switch (state_) {
      case State::string:
      case State::escape:
      case State::pair_backslash:
      case State::pair_u:
      case State::utf8:
        return in_string(code);
      case State::hex:
        return in_hex(code);
      case State::word:
        return in_word(code);
      default:
        return in_number(code) ? Step::inside : structure(code);
    }
  }();
  return how == Step::between || how == Step::inside || how == Step::complete ? how
                                                                              : fail(how, code);
}

/// `code` is where it went wrong.
ObjectScanner::Step ObjectScanner::fail(Step how, unsigned char code) noexcept {
  const bool in_string = state_ == State::string || state_ == State::escape ||
                         state_ == State::hex || state_ == State::pair_backslash ||
                         state_ == State::pair_u || state_ == State::utf8;
  skip_depth_ = depth_;
  if (!in_string && (code == '}' || code == ']') && depth_ != 0) {
    --skip_depth_;
  } else if (!in_string && (code == '{' || code == '[')) {
    ++skip_depth_;
  }
  skip_string_ = (code == '"') != in_string;
  skip_escape_ = in_string && code == '\\';
  skipping_ = !is_reset(code);
  depth_ = 0;
  state_ = State::start;
  return how;
}

/// False: `code` is not skipped any more, but looked at.
bool ObjectScanner::skip(unsigned char code) noexcept {
  if (is_reset(code)) {
    skipping_ = false;
  } else if (skip_string_) {
    skip_string_ = skip_escape_ || code != '"';
    skip_escape_ = !skip_escape_ && code == '\\';
  } else if (skip_depth_ == 0) {
    skipping_ = code != '{';
    return skipping_;
  } else if (code == '"') {
    skip_string_ = true;
  } else if (code == '{' || code == '[') {
    ++skip_depth_;
  } else if (code == '}' || code == ']') {
    skipping_ = --skip_depth_ != 0;
  }
  return true;
}

ObjectScanner::Step ObjectScanner::go(State next) noexcept {
  state_ = next;
  return Step::inside;
}

ObjectScanner::Step ObjectScanner::structure(unsigned char code) noexcept {
  if (state_ == State::minus || state_ == State::point || state_ == State::exponent ||
      state_ == State::exponent_sign) {
    return Step::broken;  // a number that ends too early
  }
  if (is_blank(code)) {
    return depth_ == 0 ? Step::between : Step::inside;
  }
  switch (state_) {
    case State::start: {
      if (code == '{') {
        members_ = 0;
        return open(false);
      }
      const bool could_be_json = code == '[' || code == '"' || code == '-' || is_digit(code) ||
                                 code == 't' || code == 'f' || code == 'n';
      return could_be_json ? Step::not_object : Step::broken;
    }
    case State::first_name:
      return code == '}' ? close(false) : code == '"' ? begin_string(true) : Step::broken;
    case State::name:
      return code == '"' ? begin_string(true) : Step::broken;
    case State::colon:
      members_ += code == ':' ? 1 : 0;
      return code == ':' ? go(State::value) : Step::broken;
    case State::first_element:
      return code == ']' ? close(true) : begin_value(code);
    case State::value:
      return begin_value(code);
    case State::separator:
      if (code == ',') {
        const bool in_array = (arrays_ >> (depth_ - 1) & 1U) != 0;
        return go(in_array ? State::value : State::name);
      }
      return code == '}' || code == ']' ? close(code == ']') : Step::broken;
    default:
      return Step::broken;
  }
}

ObjectScanner::Step ObjectScanner::begin_value(unsigned char code) noexcept {
  switch (code) {
    case '{':
    case '[':
      return open(code == '[');
    case '"':
      return begin_string(false);
    case '-':
      return go(State::minus);
    case '0':
      return go(State::zero);
    case 't':
    case 'f':
    case 'n':
      word_ = code == 't' ? "rue" : code == 'f' ? "alse" : "ull";
      return go(State::word);
    default:
      return is_digit(code) ? go(State::digits) : Step::broken;
  }
}

ObjectScanner::Step ObjectScanner::open(bool is_array) noexcept {
  if (depth_ == kMaxDepth) {
    return Step::too_deep;
  }
  const std::uint32_t bit = std::uint32_t{1} << depth_;
  arrays_ = is_array ? arrays_ | bit : arrays_ & ~bit;
  ++depth_;
  return go(is_array ? State::first_element : State::first_name);
}

ObjectScanner::Step ObjectScanner::close(bool is_array) noexcept {
  if (((arrays_ >> (depth_ - 1) & 1U) != 0) != is_array) {
    return Step::broken;
  }
  --depth_;
  state_ = depth_ == 0 ? State::start : State::separator;
  return depth_ == 0 ? Step::complete : Step::inside;
}

ObjectScanner::Step ObjectScanner::begin_string(bool is_name) noexcept {
  is_name_ = is_name;
  return go(State::string);
}

/// RFC 8259, section 7. A control character has to be escaped: most likely a closing quote was
/// forgotten.
ObjectScanner::Step ObjectScanner::in_string(unsigned char code) noexcept {
  switch (state_) {
    case State::escape:
      is_second_ = false;
      if (code == 'u') {
        left_ = 4;
        hex_ = 0;
        return go(State::hex);
      }
      return code != '\0' && std::string_view{"\"\\/bfnrt"}.find(static_cast<char>(code)) !=
                                 std::string_view::npos
                 ? go(State::string)
                 : Step::broken;
    case State::pair_backslash:
      return code == '\\' ? go(State::pair_u) : Step::broken;
    case State::pair_u:
      is_second_ = true;
      left_ = 4;
      hex_ = 0;
      return code == 'u' ? go(State::hex) : Step::broken;
    case State::utf8:
      if (code < low_ || code > high_) {
        return Step::broken;
      }
      low_ = 0x80;
      high_ = 0xbf;
      return go(--left_ == 0 ? State::string : State::utf8);
    default:
      return begin_character(code);
  }
}

/// RFC 3629, section 4.
ObjectScanner::Step ObjectScanner::begin_character(unsigned char code) noexcept {
  if (code == '"') {
    return go(is_name_ ? State::colon : State::separator);
  }
  if (code == '\\') {
    return go(State::escape);
  }
  if (code < 0x80) {
    return code < 0x20 ? Step::broken : Step::inside;
  }
  if (code < 0xc2 || code > 0xf4) {
    return Step::broken;
  }
  left_ = code < 0xe0 ? 1 : code < 0xf0 ? 2 : 3;
  low_ = code == 0xe0 ? 0xa0 : code == 0xf0 ? 0x90 : 0x80;
  high_ = code == 0xed ? 0x9f : code == 0xf4 ? 0x8f : 0xbf;
  return go(State::utf8);
}

/// Half of a surrogate pair is no character.
ObjectScanner::Step ObjectScanner::in_hex(unsigned char code) noexcept {
  const auto lower = static_cast<unsigned char>(code | 0x20U);
  const bool letter = lower >= 'a' && lower <= 'f';
  if (!is_digit(code) && !letter) {
    return Step::broken;
  }
  hex_ = hex_ << 4U | static_cast<std::uint32_t>(letter ? lower - 'a' + 10 : code - '0');
  if (--left_ != 0) {
    return Step::inside;
  }
  const bool first_half = hex_ >= 0xd800 && hex_ <= 0xdbff;
  const bool second_half = hex_ >= 0xdc00 && hex_ <= 0xdfff;
  if (second_half != is_second_) {
    return Step::broken;
  }
  return go(first_half ? State::pair_backslash : State::string);
}

ObjectScanner::Step ObjectScanner::in_word(unsigned char code) noexcept {
  if (code != static_cast<unsigned char>(*word_)) {
    return Step::broken;
  }
  ++word_;
  return go(*word_ == '\0' ? State::separator : State::word);
}

/// True: `code` belongs to a number. A number has no end of its own; what follows it is looked at
/// as what follows a value.
bool ObjectScanner::in_number(unsigned char code) noexcept {
  const bool digit = is_digit(code);
  const bool exponent = code == 'e' || code == 'E';
  const auto take = [this](bool belongs, State next) {
    state_ = belongs ? next : state_;
    return belongs;
  };
  switch (state_) {
    case State::minus:
      return take(digit, code == '0' ? State::zero : State::digits);
    case State::point:
      return take(digit, State::fraction);
    case State::exponent:
      return take(digit || code == '+' || code == '-',
                  digit ? State::exponent_digits : State::exponent_sign);
    case State::exponent_sign:
      return take(digit, State::exponent_digits);
    case State::zero:
    case State::digits:
      if (code == '.' || exponent) {
        return take(true, exponent ? State::exponent : State::point);
      }
      break;
    case State::fraction:
      if (exponent) {
        return take(true, State::exponent);
      }
      break;
    case State::exponent_digits:
      break;
    default:
      return false;  // no number
  }
  if (digit && state_ != State::zero) {
    return true;
  }
  state_ = State::separator;
  return false;
}

}  // namespace dm::toolstack
