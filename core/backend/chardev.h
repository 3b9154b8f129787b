// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dm {

/// The modem inputs of a UART: those of a real line, or what a back end tells of its peer.
struct ModemLines {
  bool cts = true;
  bool dsr = true;
  bool dcd = true;
  bool ri = false;
};

/// What a back end tells the device. Called on the loop's thread, never from inside read() or
/// write().
class CharClient {
 public:
  CharClient() = default;
  CharClient(const CharClient&) = delete;
  CharClient& operator=(const CharClient&) = delete;
  virtual ~CharClient() = default;

  virtual void on_readable() noexcept = 0;  ///< read() will give bytes
  /// write() took fewer bytes than offered before. Now it has room again, or nobody is at the other
  /// end any more.
  virtual void on_writable() noexcept = 0;
  virtual void on_lines(ModemLines) noexcept = 0;  ///< the other end came, went or moved its lines
  /// A break condition came in. It keeps its place among the bytes: it is told when read() has
  /// given everything before it and nothing after it. A back end that cannot see breaks never calls
  /// this.
  virtual void on_break() noexcept {}
};

/// The other end of a serial port: pty, file, socket, tty. Neither side ever blocks, and buffers
/// are bounded. The back end notices when its peer has gone, whether or not the device reads or has
/// something to write. What the peer had typed can still be read. Thread rule: the loop's thread
/// only. read() and write() may be called from an ioreq handler.
class CharBackend {
 public:
  CharBackend() = default;
  CharBackend(const CharBackend&) = delete;
  CharBackend& operator=(const CharBackend&) = delete;
  virtual ~CharBackend() = default;

  /// Sets who is told; null when the device goes. on_lines() follows from the loop when there is
  /// something to tell.
  virtual void attach(CharClient* client) noexcept = 0;
  /// Takes as many bytes as fit, and returns their number. (The back end has a small fixed buffer,
  /// so that single characters do not become system calls.) If nobody listens, all bytes are taken
  /// without a system call. They are kept for the next reader, or dropped and counted.
  virtual std::size_t write(std::span<const std::byte> bytes) noexcept = 0;
  /// Reads at most to.size() bytes. The device calls it only when it has room. Bytes that it does
  /// not ask for stay outside, which is the flow control. After a short read, on_readable() comes
  /// when there is more.
  virtual std::size_t read(std::span<std::byte> to) noexcept = 0;

  /// Sets or ends a break condition on the line; ignored where it means nothing.
  virtual void set_break(bool on) noexcept = 0;
  /// Speed and frame, for real lines: data bits 5-8, stop bits 1-2, parity 'n','o','e'.
  virtual void set_line(std::uint32_t baud,
                        std::uint8_t data_bits,
                        std::uint8_t stop_bits,
                        char parity) noexcept = 0;
  virtual void set_outputs(bool dtr, bool rts) noexcept = 0;

  /// The guest has ended: a connected peer stays, nobody else is let in, and the name by which
  /// others connect is free for the next guest.
  virtual void stop_listening() noexcept {}

  /// What became of the guest's output, for management.
  struct Output {
    std::size_t waiting = 0;    ///< bytes that write() has taken and that have not left
    std::uint64_t dropped = 0;  ///< bytes that nobody got
  };
  [[nodiscard]] virtual Output output() const noexcept = 0;

  /// As QMP's query-chardev prints it: "pty:/dev/pts/5", "file", "null"...
  [[nodiscard]] virtual std::string_view description() const noexcept = 0;

  /// True for a file that takes saved states and begins anew with each of them: who writes there
  /// may save more than once.
  [[nodiscard]] virtual bool begins_anew_with_each_state() const noexcept { return false; }
};

}  // namespace dm
