// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "core/time/work.h"
#include "platform/linux/alarm.h"
#include "platform/linux/chardev.h"
#include "platform/linux/output_ring.h"
#include "platform/linux/watch.h"

#include <chrono>
#include <cstddef>
#include <string>

namespace dm::host {

/// What all descriptors that carry characters have in common.
///
/// Output goes to a small ring and from there, at the end of the loop's turn, into one writev:
/// sixteen THR writes are one system call, and a single character leaves before the loop sleeps.
/// When the kernel takes no more, the ring fills, then write() takes less than offered and the
/// device can hold its guest back (THRE stays 0). A reader that takes nothing for kPatience is
/// treated as absent: the oldest bytes make room, counted, until it goes on (security-cases C6).
///
/// Input is never buffered here: it stays in the kernel until the device has room (C3).
class StreamChardev : public Chardev {
 public:
  static constexpr std::chrono::milliseconds kPatience{1000};

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
  };
  StreamChardev(boost::asio::io_context& context, Style style);

  /// One descriptor for both ways, or one for each (either may be missing). Non-blocking, or a
  /// regular file.
  void set_streams(UniqueFd both);
  void set_streams(UniqueFd in, UniqueFd out);
  void close_streams() noexcept;
  /// Somebody is there, or not. With nobody there no system call is made.
  void set_connected(bool connected) noexcept;
  [[nodiscard]] bool connected() const noexcept { return connected_; }
  [[nodiscard]] int input_fd() const noexcept { return in_.fd(); }
  void set_lines(ModemLines lines) noexcept;
  void schedule() noexcept { turn_.schedule(); }
  void output_now() noexcept { flush(); }
  /// For input that a derived class has taken and not given yet. From the loop.
  void tell_break() noexcept;
  void tell_readable() noexcept;

  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

  /// The other end has gone (end of file or an error). From the loop.
  virtual void on_lost() noexcept { set_connected(false); }
  /// Once in each turn in which something happened, before output is sent.
  virtual void on_turn() noexcept {}

 private:
  [[nodiscard]] Watch& out() noexcept { return out_.ok() ? out_ : in_; }
  bool run_turn() noexcept;
  void flush() noexcept;
  void output_failed(int error) noexcept;
  void block() noexcept;
  void tell_client() noexcept;
  void on_readable() noexcept;
  void on_writable() noexcept;
  void on_patience_over() noexcept;

  boost::asio::io_context& context_;
  std::string description_;
  const bool keeps_output_alone_;
  const bool presence_is_carrier_;
  const bool survives_errors_;
  OutputRing ring_;
  Work turn_;
  Alarm patience_;
  Watch in_;
  Watch out_;
  CharClient* client_ = nullptr;
  ModemLines lines_;
  std::chrono::steady_clock::time_point blocked_since_;
  bool connected_ = false;
  bool readable_ = false;  ///< the kernel has input, as far as we know
  bool announce_ = false;  ///< and the client has not been told
  bool lost_ = false;
  bool input_ended_ = false;
  bool blocked_ = false;     ///< the kernel takes no output
  bool stalled_ = false;     ///< and has not for kPatience
  bool wants_room_ = false;  ///< the client waits for on_writable()
  bool lines_changed_ = false;
  CharCounters counters_;
  log::Limit stall_log_{2};
  log::Limit error_log_{2};
};

}  // namespace dm::host
