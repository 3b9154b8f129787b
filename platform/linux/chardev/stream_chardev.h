// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "core/time/work.h"
#include "platform/linux/chardev/chardev.h"
#include "platform/linux/chardev/hang_up_watch.h"
#include "platform/linux/chardev/output_ring.h"
#include "platform/linux/loop/alarm.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/loop/watch.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace dm::host {

/// The common part of all descriptors that carry characters.
///
/// Output goes into a small ring, and from there into one writev at the end of the loop's turn. So
/// sixteen THR writes are one system call, and a single character leaves before the loop sleeps.
/// When the kernel takes no more, the ring fills; then write() takes less than offered, and the
/// device can hold its guest back (THRE stays 0). A reader that takes nothing for kPatience is
/// treated as absent: the oldest bytes make room and are counted, until the reader goes on
/// (tests/unit/SECURITY.md, C6). Its time begins anew only when it has taken something.
///
/// Input is never buffered here: it stays in the kernel until the device has room (C3).
///
/// HangUpWatch tells when the other side has gone, whether or not the device reads or writes. Input
/// that the device has not read stays in the kernel: read() returns it before anything that the
/// next peer types. Thread rule: the loop's thread only.
class StreamChardev : public Chardev {
 public:
  static constexpr std::chrono::milliseconds kPatience{1000};
  /// Most connections that have ended and whose input the device has still to read.
  static constexpr unsigned kMostLeft = 4;

  void attach(CharClient* client) noexcept override;
  std::size_t write(std::span<const std::byte> bytes) noexcept override;
  std::size_t read(std::span<std::byte> to) noexcept override;
  void set_break(bool) noexcept override {}
  void set_line(std::uint32_t, std::uint8_t, std::uint8_t, char) noexcept override {}
  void set_outputs(bool, bool) noexcept override {}
  [[nodiscard]] std::string_view description() const noexcept override { return description_; }
  [[nodiscard]] CharCounters counters() const noexcept override { return counters_; }
  [[nodiscard]] Output output() const noexcept override {
    return {.waiting = ring_.size(), .dropped = counters_.dropped};
  }

 protected:
  struct Style {
    std::string description;
    std::size_t output_capacity = 4096;
    bool keeps_output_alone =
        false;  ///< with nobody there, the newest output is kept for who comes
    bool presence_is_carrier = false;  ///< whether somebody is there shows in DCD, DSR and CTS
    bool survives_errors = false;  ///< a failed write loses bytes, not the connection (a full disk)
    bool asks_first = false;  ///< takes bytes for a peer that has closed (TCP): look before writing
  };
  StreamChardev(Loop& loop, Style style);

  /// One descriptor for both ways, or one for each (either may be missing). Non-blocking, or a
  /// regular file.
  void set_streams(UniqueFd both);
  void set_streams(UniqueFd in, UniqueFd out);
  /// Says whether a peer is there. Without one, no system call is made. The input of the last peer
  /// can still be read from the same descriptor.
  void set_connected(bool connected) noexcept;
  /// The peer has gone, and `next` takes its place at once. The new peer gets what the device has
  /// written in this turn. It gets nothing that was meant for a reader that did not read, whether
  /// it is here or still in the device.
  void change_peer(UniqueFd next) noexcept;
  /// Takes a socket out of use, but keeps it while it holds input that the device has not read. The
  /// peer sees the end of the connection now.
  void leave_connection() noexcept;
  [[nodiscard]] bool connected() const noexcept { return connected_; }
  [[nodiscard]] int input_fd() const noexcept { return in_.fd(); }
  [[nodiscard]] int output_fd() const noexcept { return out_.ok() ? out_.fd() : in_.fd(); }
  /// True if nobody is at the other end, as far as the kernel knows.
  [[nodiscard]] bool has_gone() const noexcept { return ask(output_fd(), end()).gone; }
  /// Watches again, because the end that on_lost() reported was not one.
  void watch_again() noexcept { hang_up_.watch(output_fd(), end()); }
  void set_lines(ModemLines lines) noexcept;
  void drop(std::size_t count) noexcept { counters_.dropped += count; }
  void schedule() noexcept { turn_.schedule(); }
  void output_now() noexcept { flush(); }
  /// For input that a derived class has taken and not given yet. From the loop.
  void tell_break() noexcept;
  void tell_readable() noexcept;

  [[nodiscard]] Loop& loop() noexcept { return loop_; }

  /// The other end has gone (end of file, a hang-up, an error). From the loop.
  virtual void on_lost() noexcept { set_connected(false); }
  /// Once in each turn in which something happened, before output is sent.
  virtual void on_turn() noexcept {}

 private:
  [[nodiscard]] Watch& out() noexcept { return out_.ok() ? out_ : in_; }
  /// If input has its own descriptor, its end shows there.
  [[nodiscard]] HangUpWatch::End end() const noexcept {
    return out_.ok() ? HangUpWatch::End::both_ways : HangUpWatch::End::either_way;
  }
  [[nodiscard]] bool input_open() const noexcept { return in_.ok() && (connected_ || out_.ok()); }
  std::size_t read_left(std::span<std::byte> to) noexcept;
  std::size_t read_here(std::span<std::byte> to) noexcept;
  void forget_left() noexcept;
  void begin() noexcept;
  void lose() noexcept;
  bool run_turn() noexcept;
  void flush() noexcept;
  void output_failed(int error) noexcept;
  void block() noexcept;
  void drop_output() noexcept;
  void tell_lines() noexcept;
  void tell_client() noexcept;
  void on_readable() noexcept;
  void on_writable() noexcept;
  void on_patience_over() noexcept;

  Loop& loop_;
  std::string description_;
  const bool keeps_output_alone_;
  const bool presence_is_carrier_;
  const bool survives_errors_;
  const bool asks_first_;
  OutputRing ring_;
  Work turn_;
  Alarm patience_;
  HangUpWatch hang_up_;  ///< of the descriptor that output goes to
  Watch in_;
  Watch out_;
  std::array<UniqueFd, kMostLeft> left_;  ///< the first to have gone first
  unsigned left_count_ = 0;
  CharClient* client_ = nullptr;
  ModemLines lines_;
  /// The time at which the kernel last took something, or was first full.
  std::optional<std::chrono::steady_clock::time_point> blocked_since_;
  bool connected_ = false;
  bool readable_ = false;  ///< the kernel has input, as far as we know
  bool announce_ = false;  ///< and the client has not been told
  bool lost_ = false;      ///< found while writing; the loop goes on from there
  bool input_ended_ = false;
  bool blocked_ = false;     ///< the kernel takes no output
  bool stalled_ = false;     ///< and has not for kPatience
  bool wants_room_ = false;  ///< the client waits for on_writable()
  bool lines_changed_ = false;
  CharCounters counters_;
  log::Limit stall_log_{2};
  log::Limit error_log_{2};
  log::Limit left_log_{2};
};

}  // namespace dm::host
