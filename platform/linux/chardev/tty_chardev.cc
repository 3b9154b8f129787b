// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/tty_chardev.h"

#include "platform/linux/error_text.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace dm::host {

Result<std::unique_ptr<Chardev>> TtyChardev::open(Loop& loop, const std::string& path) {
  UniqueFd tty{::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
  if (!tty) {
    return fail("serial \"", path, "\": cannot open it: ", error_text(errno));
  }
  if (::isatty(tty.get()) != 1) {
    return fail(
        "serial \"", path,
        "\" is no terminal device; for a file or a pipe write \"file:PATH\" or \"pipe:PATH\"");
  }
  return std::unique_ptr<Chardev>{std::make_unique<TtyChardev>(loop, path, std::move(tty))};
}

TtyChardev::TtyChardev(Loop& loop, const std::string& path, UniqueFd tty)
    : StreamChardev{loop, {.description = "serial:" + path}},
      line_check_{loop, Callback::bind<&TtyChardev::on_line_check>(*this)} {
  int unused = 0;
  has_lines_ = ::ioctl(tty.get(), TIOCMGET, &unused) == 0;
  // Before the first byte passes: a console starts out cooked, with echo.
  mode_.make_raw(tty.get(), TtyMode::Keys::pass);
  if (has_lines_) {
    mark_breaks(tty.get());
  }
  set_streams(std::move(tty));
  set_connected(true);
}

std::size_t TtyChardev::read(std::span<std::byte> to) noexcept {
  if (!has_lines_) {
    return StreamChardev::read(to);
  }
  std::size_t given = 0;
  while (given < to.size() && !break_came_) {
    if (undecoded_.empty()) {
      undecoded_ = std::span{raw_}.first(StreamChardev::read(raw_));
      if (undecoded_.empty()) {
        break;
      }
    }
    const BreakDecoder::Step step = decoder_.decode(undecoded_, to.subspan(given));
    undecoded_ = undecoded_.subspan(step.used);
    given += step.given;
    break_came_ = step.is_break;
  }
  if (break_came_) {
    schedule();  // told from the loop, not from here
  }
  return given;
}

void TtyChardev::set_break(bool on) noexcept {
  wanted_.break_on = on;
  schedule();
}

void TtyChardev::set_line(std::uint32_t baud,
                          std::uint8_t data_bits,
                          std::uint8_t stop_bits,
                          char parity) noexcept {
  wanted_.baud = baud;
  wanted_.data_bits = data_bits;
  wanted_.stop_bits = stop_bits;
  wanted_.parity = parity;
  schedule();
}

void TtyChardev::set_outputs(bool dtr, bool rts) noexcept {
  wanted_.dtr = dtr;
  wanted_.rts = rts;
  schedule();
}

void TtyChardev::on_lost() noexcept {
  line_check_.cancel();
  set_connected(false);
  if (has_lines_) {
    set_lines({.cts = false, .dsr = false, .dcd = false, .ri = false});
  }
}

void TtyChardev::on_turn() noexcept {
  if (!has_lines_) {
    return;
  }
  if (std::exchange(break_came_, false)) {
    tell_break();
    tell_readable();
  }
  if (!connected()) {
    return;
  }
  if (wanted_ != applied_) {
    output_now();  // what was written before goes at the old speed
    apply();
  }
  check_lines();
  checks_left_ = kLineChecks;
  if (!line_check_.armed()) {
    line_check_.arm(kLineCheck);
  }
}

void TtyChardev::apply() noexcept {
  const int fd = input_fd();
  if (wanted_.baud != 0 &&
      (wanted_.baud != applied_.baud || wanted_.data_bits != applied_.data_bits ||
       wanted_.stop_bits != applied_.stop_bits || wanted_.parity != applied_.parity)) {
    set_tty_line(fd, wanted_.baud, wanted_.data_bits, wanted_.stop_bits, wanted_.parity);
  }
  if (wanted_.dtr != applied_.dtr || wanted_.rts != applied_.rts) {
    const int on = (wanted_.dtr ? TIOCM_DTR : 0) | (wanted_.rts ? TIOCM_RTS : 0);
    const int off = (TIOCM_DTR | TIOCM_RTS) & ~on;
    ::ioctl(fd, TIOCMBIS, &on);
    ::ioctl(fd, TIOCMBIC, &off);
  }
  if (wanted_.break_on != applied_.break_on) {
    ::ioctl(fd, wanted_.break_on ? TIOCSBRK : TIOCCBRK);
  }
  applied_ = wanted_;
}

void TtyChardev::check_lines() noexcept {
  static constexpr int kInputs = TIOCM_CTS | TIOCM_DSR | TIOCM_CAR | TIOCM_RI;
  int now = 0;
  if (::ioctl(input_fd(), TIOCMGET, &now) != 0 || (now & kInputs) == inputs_) {
    return;
  }
  inputs_ = now & kInputs;
  set_lines({.cts = (now & TIOCM_CTS) != 0,
             .dsr = (now & TIOCM_DSR) != 0,
             .dcd = (now & TIOCM_CAR) != 0,
             .ri = (now & TIOCM_RI) != 0});
}

void TtyChardev::on_line_check() noexcept {
  const int before = inputs_;
  check_lines();
  if (inputs_ == before && --checks_left_ == 0) {
    return;
  }
  line_check_.arm(kLineCheck);
}

}  // namespace dm::host
