// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dm {

/// Modem outputs of a UART and inputs from the other end, where the backend is a real line.
struct ModemLines {
  bool cts = true;
  bool dsr = true;
  bool dcd = true;
  bool ri = false;
};

/// What a backend tells the device. Called from the loop, never from inside read() or write().
class CharClient {
 public:
  CharClient() = default;
  CharClient(const CharClient&) = delete;
  CharClient& operator=(const CharClient&) = delete;
  virtual ~CharClient() = default;

  virtual void on_readable() noexcept = 0;  ///< read() will give bytes
  /// write() took fewer than offered before, and has room again, or nobody is there any more.
  virtual void on_writable() noexcept = 0;
  virtual void on_lines(ModemLines) noexcept = 0;  ///< the other end came, went or moved its lines
  /// A break condition came in. It has its place among the bytes: told only when read() has given
  /// everything that came before it, and nothing that came after it. For backends that cannot see
  /// one, nothing to do.
  virtual void on_break() noexcept {}
};

/// The other end of a serial port: pty, file, socket, tty. Non-blocking on both sides, bounded.
/// The backend notices when whoever was there has gone, whether or not the device reads or has
/// something to write. What they had typed stays to be read.
/// Thread rule: the loop's thread only. read() and write() may be called from an ioreq handler.
class CharBackend {
 public:
  CharBackend() = default;
  CharBackend(const CharBackend&) = delete;
  CharBackend& operator=(const CharBackend&) = delete;
  virtual ~CharBackend() = default;

  /// Null when the device goes. on_lines() follows from the loop when there is something to tell.
  virtual void attach(CharClient* client) noexcept = 0;
  /// Takes what fits (the backend has a small fixed buffer of its own, so that single characters do
  /// not become system calls), and says how many. Where nobody listens, bytes are taken, and kept
  /// for who comes or dropped, counted, without a system call.
  virtual std::size_t write(std::span<const std::byte> bytes) noexcept = 0;
  /// Gives what has come, at most to.size(). The device calls it only when it has room: bytes not
  /// asked for stay outside, which is the flow control. After a short read on_readable() comes when
  /// there is more.
  virtual std::size_t read(std::span<std::byte> to) noexcept = 0;

  /// A break condition on the line; ignored where it means nothing.
  virtual void set_break(bool on) noexcept = 0;
  /// Speed and frame, for real lines: data bits 5-8, stop bits 1-2, parity 'n','o','e'.
  virtual void set_line(std::uint32_t baud,
                        std::uint8_t data_bits,
                        std::uint8_t stop_bits,
                        char parity) noexcept = 0;
  virtual void set_outputs(bool dtr, bool rts) noexcept = 0;

  /// The guest has ended: who is there stays, nobody else is let in, and the name that others come
  /// by is free for the next guest.
  virtual void stop_listening() noexcept {}

  /// What became of the guest's output, for management.
  struct Output {
    std::size_t waiting = 0;    ///< bytes that write() has taken and that have not left
    std::uint64_t dropped = 0;  ///< bytes that nobody got
  };
  [[nodiscard]] virtual Output output() const noexcept = 0;

  /// As QMP's query-chardev prints it: "pty:/dev/pts/5", "file", "null"...
  [[nodiscard]] virtual std::string_view description() const noexcept = 0;
};

}  // namespace dm
