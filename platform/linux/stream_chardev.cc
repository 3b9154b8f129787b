// SPDX-License-Identifier: MIT
#include "platform/linux/stream_chardev.h"

#include "core/obs/probe.h"
#include "platform/linux/error_text.h"
#include "platform/linux/turn_queue.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace dm::host {

StreamChardev::StreamChardev(boost::asio::io_context& context, Style style)
    : context_{context},
      description_{std::move(style.description)},
      keeps_output_alone_{style.keeps_output_alone},
      presence_is_carrier_{style.presence_is_carrier},
      survives_errors_{style.survives_errors},
      ring_{style.output_capacity},
      turn_{Work::bind<&StreamChardev::run_turn>(turn_queue(context), *this)},
      patience_{context, Callback::bind<&StreamChardev::on_patience_over>(*this)} {
  if (presence_is_carrier_) {
    lines_ = {.cts = false, .dsr = false, .dcd = false, .ri = false};
  }
}

void StreamChardev::set_streams(UniqueFd both) {
  set_streams(std::move(both), UniqueFd{});
}

void StreamChardev::set_streams(UniqueFd in, UniqueFd out) {
  const auto readable = Callback::bind<&StreamChardev::on_readable>(*this);
  const auto writable = Callback::bind<&StreamChardev::on_writable>(*this);
  in_ = in ? Watch{context_, std::move(in), readable, writable} : Watch{};
  out_ = out ? Watch{context_, std::move(out), Callback{}, writable} : Watch{};
  readable_ = lost_ = input_ended_ = blocked_ = stalled_ = false;
}

void StreamChardev::close_streams() noexcept {
  in_ = Watch{};
  out_ = Watch{};
}

void StreamChardev::set_connected(bool connected) noexcept {
  connected_ = connected;
  readable_ = announce_ = lost_ = blocked_ = stalled_ = false;
  if (!connected && !keeps_output_alone_) {
    counters_.dropped += ring_.size();
    ring_.clear();
  }
  if (presence_is_carrier_) {
    set_lines({.cts = connected, .dsr = connected, .dcd = connected, .ri = false});
  }
  schedule();
}

void StreamChardev::set_lines(ModemLines lines) noexcept {
  lines_ = lines;
  lines_changed_ = true;
  schedule();
}

void StreamChardev::attach(CharClient* client) noexcept {
  client_ = client;
  announce_ = readable_;
  // A client starts out with every line up.
  lines_changed_ = !lines_.cts || !lines_.dsr || !lines_.dcd || lines_.ri;
  wants_room_ = false;
  schedule();
}

std::size_t StreamChardev::write(std::span<const std::byte> bytes) noexcept {
  if (!connected_ || lost_ || stalled_) {
    if (keeps_output_alone_ || stalled_) {
      counters_.dropped += ring_.push_over(bytes);
    } else {
      counters_.dropped += bytes.size();
    }
    return bytes.size();
  }
  std::size_t taken = ring_.push(bytes);
  while (taken < bytes.size() && !blocked_ && !lost_) {  // each round empties the ring or ends it
    flush();
    taken += ring_.push(bytes.subspan(taken));
  }
  if (taken < bytes.size()) {
    wants_room_ = true;
  }
  schedule();
  return taken;
}

std::size_t StreamChardev::read(std::span<std::byte> to) noexcept {
  if (!readable_ || to.empty()) {
    return 0;
  }
  ssize_t count = 0;
  do {
    ++counters_.reads;
    count = ::read(in_.fd(), to.data(), to.size());
  } while (count < 0 && errno == EINTR);
  if (count == static_cast<ssize_t>(to.size())) {
    counters_.input += to.size();
    return to.size();
  }
  // A short read has emptied it: ask for more from the loop, not here.
  readable_ = false;
  schedule();
  if (count > 0) {
    counters_.input += static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }
  if (count == 0 || errno != EAGAIN) {
    input_ended_ = true;
  }
  return 0;
}

bool StreamChardev::run_turn() noexcept {
  if (std::exchange(input_ended_, false)) {
    if (out_.ok()) {
      in_ = Watch{};  // standard input ends, standard output stays
    } else {
      lost_ = true;
    }
  }
  if (std::exchange(lost_, false)) {
    on_lost();
  }
  on_turn();
  flush();
  if (connected_ && !readable_) {
    in_.await_readable();
  }
  tell_client();
  return false;
}

void StreamChardev::flush() noexcept {
  while (connected_ && !lost_ && !blocked_ && !ring_.empty()) {
    const auto parts = ring_.parts();
    ++counters_.writes;
    const ssize_t count = ::writev(out().fd(), parts.data(), parts[1].iov_len != 0 ? 2 : 1);
    DM_PROBE2(char_out, ring_.size(), count);
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno == EAGAIN) {
        block();
      } else {
        output_failed(errno);
      }
      return;
    }
    ring_.pop(static_cast<std::size_t>(count));
    counters_.output += static_cast<std::uint64_t>(count);
    if (!ring_.empty() && !survives_errors_) {
      block();  // a short write: full. A regular file says why with the next one.
    }
  }
}

void StreamChardev::output_failed(int error) noexcept {
  if (survives_errors_) {
    counters_.dropped += ring_.size();
    ring_.clear();
    error_log_.warning("serial ", description(), ": output is lost: ", error_text(error));
  } else {
    lost_ = true;
    schedule();
  }
}

void StreamChardev::block() noexcept {
  blocked_ = true;
  blocked_since_ = std::chrono::steady_clock::now();
  out().await_writable();
  if (!patience_.armed() && !patience_.arm(kPatience)) {
    stalled_ = true;  // no timer to be had: do not wait at all
  }
}

void StreamChardev::on_patience_over() noexcept {
  if (!blocked_ || stalled_) {
    return;
  }
  const auto blocked = std::chrono::steady_clock::now() - blocked_since_;
  if (blocked < kPatience) {
    patience_.arm(kPatience - blocked);
    return;
  }
  stalled_ = true;
  stall_log_.warning("serial ", description(),
                     ": its reader does not read; the oldest output is dropped");
  tell_client();
}

void StreamChardev::on_readable() noexcept {
  readable_ = true;
  announce_ = true;
  tell_client();
}

void StreamChardev::on_writable() noexcept {
  blocked_ = stalled_ = false;
  flush();
  tell_client();
}

void StreamChardev::tell_break() noexcept {
  if (client_ != nullptr) {
    client_->on_break();
  }
}

void StreamChardev::tell_readable() noexcept {
  if (client_ != nullptr) {
    client_->on_readable();
  }
}

void StreamChardev::tell_client() noexcept {
  if (client_ == nullptr) {
    return;
  }
  if (std::exchange(lines_changed_, false)) {
    client_->on_lines(lines_);
  }
  if (std::exchange(announce_, false) && readable_ && client_ != nullptr) {
    client_->on_readable();
  }
  const bool has_room = !connected_ || stalled_ || (!blocked_ && ring_.room() >= ring_.size());
  if (wants_room_ && has_room && client_ != nullptr) {
    wants_room_ = false;
    client_->on_writable();
  }
}

}  // namespace dm::host
