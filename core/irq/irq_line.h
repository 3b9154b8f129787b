// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/probe.h"
#include "core/ports/irq_sink.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace dm {

class IrqRouter;

/// One device's interrupt output: a level, without a number. It forwards only changes. Move-only;
/// the destructor sets the line low. A default-made line is connected to nothing, for unit tests of
/// chips. Thread rule: the loop's thread only.
class IrqLine {
 public:
  IrqLine() noexcept = default;
  IrqLine(IrqLine&& other) noexcept { swap(other); }
  IrqLine& operator=(IrqLine&& other) noexcept {
    IrqLine taken{std::move(other)};
    swap(taken);
    return *this;
  }
  IrqLine(const IrqLine&) = delete;
  IrqLine& operator=(const IrqLine&) = delete;
  ~IrqLine() { set(false); }

  inline void set(bool level) noexcept;
  /// Takes over a level that the hypervisor restored by itself: no change is sent.
  inline void adopt(bool level) noexcept;
  /// A masked line keeps its level and holds the input low (PCI command register, bit 10).
  inline void mask(bool masked) noexcept;
  /// What the device asks for, masked or not.
  [[nodiscard]] bool level() const noexcept { return level_; }

 private:
  friend class IrqRouter;
  IrqLine(IrqRouter& router, std::uint8_t input) noexcept : router_{&router}, input_{input} {}
  void swap(IrqLine& other) noexcept {
    std::swap(router_, other.router_);
    std::swap(input_, other.input_);
    std::swap(level_, other.level_);
    std::swap(masked_, other.masked_);
  }

  IrqRouter* router_ = nullptr;
  std::uint8_t input_ = 0;
  bool level_ = false;
  bool masked_ = false;
};

/// Joins lines that share an input (COM1 and COM3 on IRQ 4, functions of one PCI device): the input
/// is high while any of them is. Xen keeps one level for each input, so the OR has to happen here.
/// Thread rule: the loop's thread only.
class IrqRouter {
 public:
  explicit IrqRouter(IrqSink& sink) noexcept : sink_{sink} {}
  IrqRouter(const IrqRouter&) = delete;
  IrqRouter& operator=(const IrqRouter&) = delete;

  [[nodiscard]] IrqLine isa(std::uint8_t irq) noexcept {
    return {*this, static_cast<std::uint8_t>(irq & 15U)};
  }
  /// pin: 0 = INTA ... 3 = INTD
  [[nodiscard]] IrqLine intx(std::uint8_t device, std::uint8_t pin) noexcept {
    return {*this, static_cast<std::uint8_t>(kIsaInputs + (device & 31U) * 4U + (pin & 3U))};
  }
  /// PIIX3 PIRQRC[A:D]; irq 0 = not routed.
  void route_link(std::uint8_t link, std::uint8_t irq) noexcept {
    DM_PROBE2(link_route, link, irq);
    sink_.set_link_route(static_cast<std::uint8_t>(link & 3U),
                         static_cast<std::uint8_t>(irq & 15U));
  }

 private:
  friend class IrqLine;
  static constexpr unsigned kIsaInputs = 16;
  static constexpr std::size_t kInputs = kIsaInputs + std::size_t{32} * 4;

  void change(std::uint8_t input, bool level) noexcept {
    std::uint8_t& holders = asserted_[input];
    holders = static_cast<std::uint8_t>(level ? holders + 1 : holders - 1);
    if (holders == (level ? 1 : 0)) {
      send(input, level);
    }
  }
  void send(std::uint8_t input, bool level) noexcept {
    DM_PROBE2(irq, input, level);
    if (input < kIsaInputs) {
      sink_.set_isa_level(input, level);
    } else {
      const unsigned pin = input - kIsaInputs;
      sink_.set_intx_level(static_cast<std::uint8_t>(pin / 4), static_cast<std::uint8_t>(pin % 4),
                           level);
    }
  }
  void adopt(std::uint8_t input, bool level) noexcept {
    asserted_[input] = static_cast<std::uint8_t>(asserted_[input] + (level ? 1 : -1));
  }

  IrqSink& sink_;
  std::array<std::uint8_t, kInputs> asserted_{};  ///< how many lines hold the input high
};

inline void IrqLine::set(bool level) noexcept {
  if (level != level_) {
    level_ = level;
    if (router_ != nullptr && !masked_) {
      router_->change(input_, level);
    }
  }
}

inline void IrqLine::mask(bool masked) noexcept {
  if (masked != masked_) {
    masked_ = masked;
    if (router_ != nullptr && level_) {
      router_->change(input_, !masked);
    }
  }
}

inline void IrqLine::adopt(bool level) noexcept {
  if (level != level_) {
    level_ = level;
    if (router_ != nullptr && !masked_) {
      router_->adopt(input_, level);
    }
  }
}

}  // namespace dm
