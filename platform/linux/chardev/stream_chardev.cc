// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/stream_chardev.h"

#include "core/obs/probe.h"
#include "platform/linux/error_text.h"
#include "platform/linux/loop/loop.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace dm::host {

namespace {

constexpr ModemLines kNobody{.cts = false, .dsr = false, .dcd = false, .ri = false};

ssize_t read_some(int fd, std::span<std::byte> to) noexcept {
  ssize_t count = 0;
  do {
    count = ::read(fd, to.data(), to.size());
  } while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace

StreamChardev::StreamChardev(Loop& loop, Style style)
    : loop_{loop},
      description_{std::move(style.description)},
      keeps_output_alone_{style.keeps_output_alone},
      presence_is_carrier_{style.presence_is_carrier},
      survives_errors_{style.survives_errors},
      asks_first_{style.asks_first},
      ring_{style.output_capacity},
      turn_{Work::bind<&StreamChardev::run_turn>(loop.turn_queue(), *this)},
      patience_{loop, Callback::bind<&StreamChardev::on_patience_over>(*this)},
      hang_up_{loop, Callback::bind<&StreamChardev::lose>(*this)} {
  if (presence_is_carrier_) {
    lines_ = kNobody;
  }
  if (!hang_up_.ok()) {
    log::warning("serial ", description_, ": no epoll set is to be had: that its reader leaves is ",
                 "noticed only by reading and writing");
  }
}

// Who is there

void StreamChardev::set_streams(UniqueFd both) {
  set_streams(std::move(both), UniqueFd{});
}

void StreamChardev::set_streams(UniqueFd in, UniqueFd out) {
  const auto readable = Callback::bind<&StreamChardev::on_readable>(*this);
  const auto writable = Callback::bind<&StreamChardev::on_writable>(*this);
  hang_up_.stop();
  in_ = in ? Watch{loop_, std::move(in), readable, writable} : Watch{};
  out_ = out ? Watch{loop_, std::move(out), Callback{}, writable} : Watch{};
  readable_ = lost_ = input_ended_ = blocked_ = stalled_ = false;
}

void StreamChardev::set_connected(bool connected) noexcept {
  connected_ = connected;
  begin();
  if (connected) {
    watch_again();
  } else {
    hang_up_.stop();
    if (!keeps_output_alone_) {
      drop_output();
    }
    if (in_.ok() && !out_.ok()) {
      readable_ = announce_ = true;  // something may be left
    }
  }
  if (presence_is_carrier_) {
    set_lines({.cts = connected, .dsr = connected, .dcd = connected, .ri = false});
  }
  schedule();
}

/// Nobody has refused anything yet.
void StreamChardev::begin() noexcept {
  lost_ = blocked_ = stalled_ = false;
  blocked_since_.reset();
  patience_.cancel();
}

void StreamChardev::change_peer(UniqueFd next) noexcept {
  if (presence_is_carrier_ && connected_) {
    set_lines(kNobody);
    tell_lines();
  }
  if (blocked_) {
    // For a moment nobody is there, so what the device had to hold back goes the same way.
    connected_ = false;
    drop_output();
    tell_client();
  }
  set_streams(std::move(next));
  set_connected(true);
}

void StreamChardev::leave_connection() noexcept {
  hang_up_.stop();
  readable_ = input_ended_ = false;
  UniqueFd connection = in_.release();
  ::shutdown(connection.get(), SHUT_RDWR);  // what has come stays to be read
  int unread = 0;
  if (::ioctl(connection.get(), FIONREAD, &unread) != 0 || unread <= 0) {
    return;
  }
  if (left_count_ == kMostLeft) {
    left_log_.warning("serial ", description(), ": ", unread,
                      " bytes of input are dropped: ", kMostLeft,
                      " clients have left before, and the guest has not read theirs");
    return;
  }
  left_[left_count_++] = std::move(connection);
  announce_ = true;
}

/// From the loop.
void StreamChardev::lose() noexcept {
  lost_ = false;
  if (connected_) {
    on_lost();
    tell_client();
  }
}

void StreamChardev::set_lines(ModemLines lines) noexcept {
  lines_ = lines;
  lines_changed_ = true;
  schedule();
}

void StreamChardev::attach(CharClient* client) noexcept {
  client_ = client;
  announce_ = readable_ || left_count_ != 0;
  // A client starts out with every line up.
  lines_changed_ = !lines_.cts || !lines_.dsr || !lines_.dcd || lines_.ri;
  wants_room_ = false;
  schedule();
}

// Output

std::size_t StreamChardev::write(std::span<const std::byte> bytes) noexcept {
  if (!connected_ && !keeps_output_alone_) {
    counters_.dropped += bytes.size();
    return bytes.size();
  }
  if (!connected_ || lost_ || stalled_) {
    counters_.dropped += ring_.push_over(bytes);
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

void StreamChardev::flush() noexcept {
  if (asks_first_ && connected_ && !blocked_ && !ring_.empty() && has_gone()) {
    lost_ = true;
    schedule();
  }
  while (connected_ && !lost_ && !blocked_ && !ring_.empty()) {
    const auto parts = ring_.parts();
    ++counters_.writes;
    const ssize_t count = ::writev(output_fd(), parts.data(), parts[1].iov_len != 0 ? 2 : 1);
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
    stalled_ = false;
    blocked_since_.reset();
    if (!ring_.empty() && !survives_errors_) {
      block();  // a short write: full. A regular file says why with the next one.
    }
  }
}

void StreamChardev::output_failed(int error) noexcept {
  if (survives_errors_) {
    drop_output();
    error_log_.warning("serial ", description(), ": output is lost: ", error_text(error));
  } else {
    lost_ = true;
    schedule();
  }
}

void StreamChardev::drop_output() noexcept {
  counters_.dropped += ring_.size();
  ring_.clear();
}

void StreamChardev::block() noexcept {
  blocked_ = true;
  if (!blocked_since_) {
    blocked_since_ = std::chrono::steady_clock::now();
  }
  out().await_writable();
  if (!stalled_ && !patience_.armed() && !patience_.arm(kPatience)) {
    stalled_ = true;  // no timer to be had: do not wait at all
  }
}

void StreamChardev::on_patience_over() noexcept {
  if (!blocked_ || stalled_) {
    return;
  }
  const auto blocked = std::chrono::steady_clock::now() - *blocked_since_;
  if (blocked < kPatience) {
    patience_.arm(kPatience - blocked);
    return;
  }
  if (has_gone()) {
    lose();
    return;
  }
  stalled_ = true;
  stall_log_.warning("serial ", description(),
                     ": its reader does not read; the oldest output is dropped");
  tell_client();
}

/// An end and an error come here as well: whoever waits for anything is told of them.
void StreamChardev::on_writable() noexcept {
  if (!connected_ || !blocked_) {
    return;
  }
  const Readiness now = ask(output_fd(), end());
  if (now.gone) {
    lose();
  } else if (!now.writable) {
    out().await_writable();
  } else {
    blocked_ = false;
    flush();
    tell_client();
  }
}

// Input

std::size_t StreamChardev::read(std::span<std::byte> to) noexcept {
  const std::size_t left = read_left(to);
  return left + read_here(to.subspan(left));
}

/// Of those who have gone. At most two system calls for each.
std::size_t StreamChardev::read_left(std::span<std::byte> to) noexcept {
  std::size_t given = 0;
  while (left_count_ != 0 && given < to.size()) {
    ++counters_.reads;
    const ssize_t count = read_some(left_[0].get(), to.subspan(given));
    if (count <= 0) {
      forget_left();
    } else {
      given += static_cast<std::size_t>(count);
    }
  }
  counters_.input += given;
  return given;
}

void StreamChardev::forget_left() noexcept {
  std::move(left_.begin() + 1, left_.end(), left_.begin());
  left_.back().reset();
  --left_count_;
}

std::size_t StreamChardev::read_here(std::span<std::byte> to) noexcept {
  if (!readable_ || to.empty()) {
    return 0;
  }
  ++counters_.reads;
  const ssize_t count = read_some(in_.fd(), to);
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

void StreamChardev::on_readable() noexcept {
  if (input_open()) {
    readable_ = true;
    announce_ = true;
    tell_client();
  }
}

// The loop's turn

bool StreamChardev::run_turn() noexcept {
  if (std::exchange(input_ended_, false)) {
    if (out_.ok()) {
      in_ = Watch{};  // standard input ends, standard output stays
    } else {
      lost_ = true;
    }
  }
  if (lost_) {
    lose();
  }
  on_turn();
  flush();
  if (input_open() && !readable_) {
    in_.await_readable();
  }
  tell_client();
  return false;
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

void StreamChardev::tell_lines() noexcept {
  if (client_ != nullptr && std::exchange(lines_changed_, false)) {
    client_->on_lines(lines_);
  }
}

void StreamChardev::tell_client() noexcept {
  if (client_ == nullptr) {
    return;
  }
  tell_lines();
  if (std::exchange(announce_, false) && (readable_ || left_count_ != 0) && client_ != nullptr) {
    client_->on_readable();
  }
  const bool has_room = !connected_ || stalled_ || (!blocked_ && ring_.room() >= ring_.size());
  if (wants_room_ && has_room && client_ != nullptr) {
    wants_room_ = false;
    client_->on_writable();
  }
}

}  // namespace dm::host
