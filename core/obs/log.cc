// SPDX-License-Identifier: MIT
#include "core/obs/log.h"

#include "core/text/printable.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace dm::log {

namespace {

void to_standard_error(Level level, std::string_view line) noexcept {
  static constexpr std::string_view kTags[] = {"stubdm: error: ", "stubdm: warning: ", "stubdm: "};
  const std::string_view tag = kTags[static_cast<std::size_t>(level)];
  // One call, so that lines of two processes on one log file do not mix.
  std::fprintf(stderr, "%.*s%.*s\n", static_cast<int>(tag.size()), tag.data(),
               static_cast<int>(line.size()), line.data());
}

struct State {
  Sink sink = &to_standard_error;
  std::uint64_t budget = 0;
  std::uint64_t written = 0;
  std::uint64_t written_limited = 0;  ///< of these
  bool silent = false;
};
State& state() noexcept {
  static State the_state;
  return the_state;
}

}  // namespace

void Line::add(std::string_view text) noexcept {
  size_ += copy_printable(text, std::begin(buffer_) + size_, kCapacity - size_);
}

void set_sink(Sink sink) noexcept {
  state().sink = sink != nullptr ? sink : &to_standard_error;
}
void set_budget(std::uint64_t bytes) noexcept {
  State& s = state();
  s = {.sink = s.sink, .budget = bytes};
}

void emit(Level level, const Line& line) noexcept {
  State& s = state();
  if (s.silent) {
    return;
  }
  s.written += line.text().size() + 1;
  if (s.budget != 0 && s.written > s.budget) {
    s.silent = true;
    s.sink(Level::warning,
           "the log has used its byte budget (XEN_QEMU_CONSOLE_LIMIT): silent from here on");
    return;
  }
  s.sink(level, line.text());
}

void emit_limited(Level level, const Line& line) noexcept {
  State& s = state();
  const std::uint64_t share = s.budget / 2;
  const bool had_some = s.written_limited <= share;
  s.written_limited += line.text().size() + 1;
  if (s.budget == 0 || s.written_limited <= share) {
    emit(level, line);
  } else if (had_some) {
    warning(
        "what a guest can cause has used its half of the log's byte budget "
        "(XEN_QEMU_CONSOLE_LIMIT): such lines are not shown from here on");
  }
}

bool Limit::pass(std::uint64_t& held) noexcept {
  const auto now =
      static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  if (last_ns_ == 0) {
    last_ns_ = now;
  }
  if (const std::uint64_t earned = (now - last_ns_) / refill_ns_; earned != 0) {
    tokens_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(burst_, tokens_ + earned));
    last_ns_ += earned * refill_ns_;
  }
  if (tokens_ == 0) {
    ++held_;
    ++suppressed_;
    return false;
  }
  --tokens_;
  held = held_;
  held_ = 0;
  return true;
}

}  // namespace dm::log
