// SPDX-License-Identifier: MIT
#pragma once

#include "tests/rig/sim_guest.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dm::drivers {

/// A small guest driver for a 16550A on a PC, as a kernel has one: register numbers typed from the
/// PC16550D datasheet, every access an ioreq. All loops are bounded, so that a broken device fails
/// a test instead of hanging it.
class UartDriver {
 public:
  // PC16550D, table "Summary of Registers".
  static constexpr std::uint16_t kRbr = 0;
  static constexpr std::uint16_t kThr = 0;
  static constexpr std::uint16_t kDll = 0;
  static constexpr std::uint16_t kDlm = 1;
  static constexpr std::uint16_t kIer = 1;
  static constexpr std::uint16_t kIir = 2;
  static constexpr std::uint16_t kFcr = 2;
  static constexpr std::uint16_t kLcr = 3;
  static constexpr std::uint16_t kMcr = 4;
  static constexpr std::uint16_t kLsr = 5;
  static constexpr std::uint16_t kMsr = 6;
  static constexpr std::uint16_t kScr = 7;

  static constexpr std::uint8_t kIerData = 0x01;
  static constexpr std::uint8_t kIerThre = 0x02;
  static constexpr std::uint8_t kIerLine = 0x04;
  static constexpr std::uint8_t kIerModem = 0x08;
  static constexpr std::uint8_t kLcr8n1 = 0x03;
  static constexpr std::uint8_t kLcrBreak = 0x40;
  static constexpr std::uint8_t kLcrDlab = 0x80;
  static constexpr std::uint8_t kMcrDtr = 0x01;
  static constexpr std::uint8_t kMcrRts = 0x02;
  static constexpr std::uint8_t kMcrOut1 = 0x04;
  static constexpr std::uint8_t kMcrOut2 = 0x08;
  static constexpr std::uint8_t kMcrLoop = 0x10;
  static constexpr std::uint8_t kLsrDr = 0x01;
  static constexpr std::uint8_t kLsrOe = 0x02;
  static constexpr std::uint8_t kLsrBi = 0x10;
  static constexpr std::uint8_t kLsrThre = 0x20;
  static constexpr std::uint8_t kLsrTemt = 0x40;
  static constexpr std::uint8_t kLsrFifoError = 0x80;
  static constexpr unsigned kFifoDepth = 16;

  UartDriver(rig::SimGuest& guest, std::uint16_t base) noexcept : guest_{guest}, base_{base} {}

  [[nodiscard]] std::uint8_t in(std::uint16_t reg) { return guest_.inb(port(reg)); }
  void out(std::uint16_t reg, std::uint8_t value) { guest_.outb(port(reg), value); }
  [[nodiscard]] std::uint16_t port(std::uint16_t reg) const noexcept {
    return static_cast<std::uint16_t>(base_ + reg);
  }

  /// hvmloader's and SeaBIOS's way of telling whether there is a UART.
  [[nodiscard]] bool exists() {
    out(kIer, 0x00);
    const std::uint8_t low = in(kIer);
    out(kIer, 0x0f);
    const std::uint8_t high = in(kIer);
    out(kIer, 0x00);
    return low == 0x00 && high == 0x0f;
  }
  void set_divisor(std::uint16_t divisor) {
    const std::uint8_t lcr = in(kLcr);
    out(kLcr, lcr | kLcrDlab);
    out(kDll, static_cast<std::uint8_t>(divisor & 0xffU));
    out(kDlm, static_cast<std::uint8_t>(divisor >> 8U));
    out(kLcr, lcr);
  }
  /// 115200 8N1, FIFOs on with a trigger code 0-3 (1, 4, 8, 14 bytes), interrupts reaching the PIC,
  /// `ier` enabled.
  void start(std::uint8_t ier = 0, std::uint8_t trigger_code = 0) {
    out(kIer, 0);
    out(kLcr, kLcr8n1);
    set_divisor(1);
    out(kFcr, static_cast<std::uint8_t>((trigger_code << 6) | 0x07));
    out(kMcr, kMcrDtr | kMcrRts | kMcrOut2);
    static_cast<void>(in(kLsr));
    static_cast<void>(in(kMsr));
    static_cast<void>(in(kIir));
    guest_.advance(
        std::chrono::microseconds{100});  // a character time: what was typed meanwhile comes in
    out(kIer, ier);
  }
  /// Interrupt identification without the FIFO bits.
  [[nodiscard]] std::uint8_t source() { return in(kIir)&0x0fU; }

  /// As a console does it: wait for THRE before every byte. Returns how many bytes went out.
  std::size_t print(std::string_view text, unsigned patience = 16) {
    std::size_t sent = 0;
    for (const char c : text) {
      unsigned tries = 0;
      while ((in(kLsr)&kLsrThre) == 0) {
        if (++tries == patience) {
          return sent;
        }
      }
      out(kThr, static_cast<std::uint8_t>(c));
      ++sent;
    }
    return sent;
  }
  /// As an interrupt-driven driver does it: once THRE is set, a whole FIFO at a time.
  std::size_t print_bursts(std::string_view text) {
    std::size_t sent = 0;
    while (sent < text.size() && (in(kLsr)&kLsrThre) != 0) {
      for (unsigned i = 0; i < kFifoDepth && sent < text.size(); ++i, ++sent) {
        out(kThr, static_cast<std::uint8_t>(text[sent]));
      }
    }
    return sent;
  }
  /// Reads while there is something, at most `most` bytes.
  [[nodiscard]] std::string receive(std::size_t most = 4096) {
    std::string text;
    while (text.size() < most && (in(kLsr)&kLsrDr) != 0) {
      text.push_back(static_cast<char>(in(kRbr)));
    }
    return text;
  }

  struct Interrupts {
    unsigned line = 0;
    unsigned data = 0;
    unsigned timeout = 0;
    unsigned thre = 0;
    unsigned modem = 0;
    [[nodiscard]] unsigned all() const noexcept { return line + data + timeout + thre + modem; }
  };
  /// An interrupt service routine: does what each source asks for until the chip says that nothing
  /// is pending. Bytes read go to `received`; THRE is answered with up to 16 bytes from the front
  /// of `to_send`.
  Interrupts service(std::string& received, std::string_view& to_send, unsigned most = 256) {
    Interrupts seen;
    while (seen.all() < most) {
      switch (source()) {
        case 0x06:
          ++seen.line;
          static_cast<void>(in(kLsr));
          break;
        case 0x04:
          ++seen.data;
          received.push_back(static_cast<char>(in(kRbr)));
          break;
        case 0x0c:
          ++seen.timeout;
          received += receive();
          break;
        case 0x02:
          ++seen.thre;
          for (unsigned i = 0; i < kFifoDepth && !to_send.empty(); ++i, to_send.remove_prefix(1)) {
            out(kThr, static_cast<std::uint8_t>(to_send.front()));
          }
          break;
        case 0x00:
          ++seen.modem;
          static_cast<void>(in(kMsr));
          break;
        default:
          return seen;
      }
    }
    return seen;
  }

 private:
  rig::SimGuest& guest_;
  std::uint16_t base_;
};

}  // namespace dm::drivers
