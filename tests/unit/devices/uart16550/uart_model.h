// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>

namespace dm::test {

/// A second 16550A, written from the datasheet alone with queues and no thought of speed, to
/// compare the device with. Its other end is inside: `outside` is what was typed and has not come
/// in, `room` what the line still takes.
struct UartModel {
  static constexpr int kBreak = 0x100;
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  std::uint8_t ier = 0, fcr = 0, lcr = 0, mcr = 0, scr = 0, dll = 12, dlm = 0, rbr = 0;
  std::uint8_t errors = 0, deltas = 0, pins = 0xb0;
  bool thre_interrupt = false, timed_out = false;
  std::deque<int> rx;  // kBreak or a byte
  std::deque<std::uint8_t> tx;
  std::deque<int> outside;
  std::size_t room = std::numeric_limits<std::size_t>::max();
  std::string sent;
  std::uint64_t now = 0, deadline = kNever, arrival = kNever;  // ns

  // What follows from the rest
  [[nodiscard]] bool fifo() const { return (fcr & 1U) != 0; }
  [[nodiscard]] bool loop() const { return (mcr & 0x10U) != 0; }
  [[nodiscard]] bool dlab() const { return (lcr & 0x80U) != 0; }
  [[nodiscard]] std::size_t depth() const { return fifo() ? 16 : 1; }
  [[nodiscard]] std::size_t trigger() const {
    return fifo() ? std::array<std::size_t, 4>{1, 4, 8, 14}.at(fcr >> 6U) : 1;
  }
  [[nodiscard]] std::uint8_t levels() const {
    if (!loop()) {
      return pins;
    }
    return static_cast<std::uint8_t>(((mcr & 2U) != 0 ? 0x10 : 0) | ((mcr & 1U) != 0 ? 0x20 : 0) |
                                     ((mcr & 4U) != 0 ? 0x40 : 0) | ((mcr & 8U) != 0 ? 0x80 : 0));
  }
  [[nodiscard]] std::uint8_t lsr() const {
    unsigned v = errors;
    v |= rx.empty() ? 0U : 0x01U;
    v |= tx.empty() ? 0x60U : 0U;
    bool bad = (errors & 0x1cU) != 0;
    for (std::size_t i = 1; i < rx.size(); ++i) {
      bad = bad || rx[i] == kBreak;
    }
    return static_cast<std::uint8_t>(v | (bad && fifo() ? 0x80U : 0U));
  }
  [[nodiscard]] std::uint8_t source() const {
    if ((ier & 4U) != 0 && errors != 0) {
      return 0x06;
    }
    if ((ier & 1U) != 0 && timed_out) {
      return 0x0c;
    }
    if ((ier & 1U) != 0 && rx.size() >= trigger()) {
      return 0x04;
    }
    if ((ier & 2U) != 0 && thre_interrupt) {
      return 0x02;
    }
    return (ier & 8U) != 0 && deltas != 0 ? 0x00 : 0x01;
  }
  [[nodiscard]] bool irq() const { return (mcr & 8U) != 0 && source() != 0x01; }

  // Time
  [[nodiscard]] std::uint64_t characters(std::uint64_t count) const {
    const std::uint64_t divisor = dll + 256U * dlm;
    const std::uint64_t bits =
        1U + 5U + (lcr & 3U) + ((lcr & 8U) != 0 ? 1U : 0U) + ((lcr & 4U) != 0 ? 2U : 1U);
    return count * bits * (divisor == 0 ? 1 : divisor) * 1'000'000'000 / 115200;
  }
  void restart() { deadline = fifo() && !rx.empty() && !timed_out ? now + characters(4) : kNever; }
  void advance(std::uint64_t ns) {
    const std::uint64_t end = now + ns;
    while (deadline <= end || arrival <= end) {
      now = arrival < deadline ? arrival : deadline;
      if (arrival == now) {
        arrival = kNever;
        come_in();
      } else {
        deadline = kNever;
        timed_out = true;
      }
    }
    now = end;
  }

  // Characters
  void arrive(int c) {
    if (rx.empty() && c == kBreak) {
      errors |= 0x10;
    }
    rx.push_back(c);
  }
  void come_in() {
    bool any = false;
    while (arrival == kNever && !loop() && !outside.empty() && rx.size() < depth()) {
      arrive(outside.front());
      outside.pop_front();
      any = true;
    }
    if (any) {
      restart();
    }
  }
  void echo(std::uint8_t c) {
    if (rx.size() < depth()) {
      arrive(c);
      return;
    }
    errors |= 0x02;
    if (!fifo()) {
      rx.back() = c;
    }
  }
  void emptied() { thre_interrupt = (ier & 2U) != 0; }
  void drain() {
    const bool had = !tx.empty();
    while (!tx.empty() && room != 0) {
      sent.push_back(static_cast<char>(tx.front()));
      tx.pop_front();
      --room;
    }
    if (had && tx.empty()) {
      emptied();
    }
  }
  void transmit(std::uint8_t c) {
    thre_interrupt = false;
    if (loop()) {
      echo(c);
      restart();
      emptied();
      return;
    }
    if (tx.size() < depth()) {
      const bool waiting = !tx.empty();
      tx.push_back(c);
      if (!waiting) {
        drain();
      }
    }
  }
  [[nodiscard]] std::uint8_t receive() {
    if (!rx.empty()) {
      rbr = static_cast<std::uint8_t>(rx.front() & 0xff);
      rx.pop_front();
      timed_out = false;
      if (!rx.empty() && rx.front() == kBreak) {
        errors |= 0x10;
      }
      restart();
      if (rx.size() < trigger()) {
        come_in();
      }
    }
    return rbr;
  }
  void moved(std::uint8_t before) {
    const unsigned changed = before ^ levels();
    deltas = static_cast<std::uint8_t>(deltas | ((changed >> 4U) & 0x0bU) |
                                       (before & ~levels() & 0x40U) >> 4U);
  }

  // Registers
  [[nodiscard]] std::uint8_t read(unsigned reg) {
    switch (reg) {
      case 0:
        return dlab() ? dll : receive();
      case 1:
        return dlab() ? dlm : ier;
      case 2: {
        const std::uint8_t id = source();
        thre_interrupt = thre_interrupt && id != 0x02;
        return static_cast<std::uint8_t>(id | (fifo() ? 0xc0 : 0));
      }
      case 3:
        return lcr;
      case 4:
        return mcr;
      case 5: {
        const std::uint8_t v = lsr();
        errors = 0;
        return v;
      }
      case 6: {
        const auto v = static_cast<std::uint8_t>(levels() | deltas);
        deltas = 0;
        return v;
      }
      default:
        return scr;
    }
  }
  void write_fcr(std::uint8_t v) {
    const bool changed = (v & 1U) != (fcr & 1U);
    const bool on = (v & 1U) != 0;
    fcr = on ? v & 0xc9U : 0;
    if (changed || (on && (v & 2U) != 0)) {
      rx.clear();
      timed_out = false;
      deadline = kNever;
      arrival = now + characters(1);
    }
    if (changed || (on && (v & 4U) != 0)) {
      tx.clear();
      emptied();
    }
    come_in();
  }
  void write_mcr(std::uint8_t v) {
    const std::uint8_t before = levels();
    const bool was_loop = loop();
    mcr = v & 0x1fU;
    moved(before);
    if (loop() && !tx.empty()) {
      for (; !tx.empty(); tx.pop_front()) {
        echo(tx.front());
      }
      restart();
      emptied();
    }
    if (was_loop) {
      come_in();
    }
  }
  void write(unsigned reg, std::uint8_t v) {
    switch (reg) {
      case 0:
        dlab() ? static_cast<void>(dll = v) : transmit(v);
        break;
      case 1:
        if (dlab()) {
          dlm = v;
          break;
        }
        if ((v & 2U) == 0) {
          thre_interrupt = false;
        } else if ((ier & 2U) == 0 && tx.empty()) {
          thre_interrupt = true;
        }
        ier = v & 0x0fU;
        break;
      case 2:
        write_fcr(v);
        break;
      case 3:
        lcr = v;
        break;
      case 4:
        write_mcr(v);
        break;
      case 7:
        scr = v;
        break;
      default:
        break;
    }
  }
};

}  // namespace dm::test
