// SPDX-License-Identifier: MIT
#pragma once

#include "core/addr.h"
#include "core/io/io_handler.h"

#include <cstddef>
#include <cstdint>

namespace dm::rig {

/// What a request looks like when a test wants to write one by hand.
struct RawRequest {
  std::uint64_t addr = 0;
  std::uint64_t data = 0;
  std::uint32_t count = 1;
  std::uint32_t size = 1;
  std::uint8_t type = 0;  ///< IOREQ_TYPE_*: PIO 0, COPY 1, PCI_CONFIG 2, TIMEOFFSET 7, INVALIDATE 8
  bool data_is_ptr = false;
  bool read = false;
  bool descending = false;
};

/// The hypervisor's side of a request page: puts a request into the slot of `vcpu`.
void fill_slot(std::byte* page, const RawRequest& request, unsigned vcpu);
/// The vCPU's side of an answer: its data; the slot is free again. Throws when there is none.
std::uint64_t take_answer(std::byte* page, unsigned vcpu);

/// What a guest's drivers are written with. Every instruction is one request.
class GuestInstructions {
 public:
  GuestInstructions() = default;
  GuestInstructions(const GuestInstructions&) = delete;
  GuestInstructions& operator=(const GuestInstructions&) = delete;
  virtual ~GuestInstructions() = default;

  /// What the slot's data field holds after the request was served.
  virtual std::uint64_t send(const RawRequest& request, unsigned vcpu) = 0;
  std::uint64_t send(const RawRequest& request) { return send(request, 0); }

  void outb(std::uint16_t port, std::uint8_t value) { pio_write(port, 1, value); }
  void outw(std::uint16_t port, std::uint16_t value) { pio_write(port, 2, value); }
  void outl(std::uint16_t port, std::uint32_t value) { pio_write(port, 4, value); }
  [[nodiscard]] std::uint8_t inb(std::uint16_t port) {
    return static_cast<std::uint8_t>(pio_read(port, 1));
  }
  [[nodiscard]] std::uint16_t inw(std::uint16_t port) {
    return static_cast<std::uint16_t>(pio_read(port, 2));
  }
  [[nodiscard]] std::uint32_t inl(std::uint16_t port) {
    return static_cast<std::uint32_t>(pio_read(port, 4));
  }
  void pio_write(std::uint64_t port, std::uint8_t size, std::uint64_t value) {
    send({.addr = port, .data = value, .size = size, .type = 0});
  }
  [[nodiscard]] std::uint64_t pio_read(std::uint64_t port, std::uint8_t size) {
    return send({.addr = port, .size = size, .type = 0, .read = true}) & all_ones(size);
  }
  void rep_ins(std::uint16_t port,
               std::uint8_t size,
               std::uint64_t gpa,
               std::uint32_t count,
               bool df = false) {
    send({.addr = port,
          .data = gpa,
          .count = count,
          .size = size,
          .type = 0,
          .data_is_ptr = true,
          .read = true,
          .descending = df});
  }
  void rep_outs(std::uint16_t port,
                std::uint8_t size,
                std::uint64_t gpa,
                std::uint32_t count,
                bool df = false) {
    send({.addr = port,
          .data = gpa,
          .count = count,
          .size = size,
          .type = 0,
          .data_is_ptr = true,
          .descending = df});
  }
  [[nodiscard]] std::uint64_t mmio_read(std::uint64_t gpa, std::uint8_t size) {
    return send({.addr = gpa, .size = size, .type = 1, .read = true}) & all_ones(size);
  }
  void mmio_write(std::uint64_t gpa, std::uint8_t size, std::uint64_t value) {
    send({.addr = gpa, .data = value, .size = size, .type = 1});
  }
  [[nodiscard]] std::uint64_t config_read(PciBdf bdf, std::uint32_t reg, std::uint8_t size) {
    return send({.addr = config_address(bdf, reg), .size = size, .type = 2, .read = true}) &
           all_ones(size);
  }
  void config_write(PciBdf bdf, std::uint32_t reg, std::uint8_t size, std::uint64_t value) {
    send({.addr = config_address(bdf, reg), .data = value, .size = size, .type = 2});
  }

 private:
  static constexpr std::uint64_t config_address(PciBdf bdf, std::uint32_t reg) noexcept {
    return std::uint64_t{bdf.devfn()} << 32 | reg;
  }
};

}  // namespace dm::rig
