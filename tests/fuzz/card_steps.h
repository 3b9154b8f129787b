// SPDX-License-Identifier: MIT
#pragma once

#include "tests/fuzz/fuzz_pc.h"
#include "tests/fuzz/input.h"

namespace dm::fuzz {

/// Steps of a program that concern the network card: what its driver does, and what comes along the
/// cable. In a machine without a card they go nowhere.
class CardSteps {
 public:
  CardSteps(Input& in, FuzzPc& pc) noexcept : in_{in}, pc_{pc} {}
  void one(std::uint8_t what);

 private:
  void write_register();
  void read_register();
  void indirect();
  void set_up_ring();
  void give_buffers();
  void send_descriptors();
  void put_segmentation(std::uint64_t at);
  void frame_arrives();
  void cable();

  [[nodiscard]] std::uint32_t reg();
  void set(std::uint32_t reg, std::uint32_t value);

  Input& in_;
  FuzzPc& pc_;
};

}  // namespace dm::fuzz
