// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dm::qtest {

/// QEMU's firmware configuration ports, as far as libqos and firmware tests ask: a 16-bit selector
/// at 510h and a data byte at 511h. No machine of ours has them; every qtest that allocates guest
/// memory learns from here how much there is. Source: QEMU, docs/specs/fw_cfg.rst.
class FwCfg {
 public:
  static constexpr std::uint16_t kSelector = 0x510;
  static constexpr std::uint16_t kData = 0x511;

  FwCfg(std::uint64_t ram_bytes, unsigned cpus);

  void select(std::uint16_t key) noexcept;
  /// The next byte of the selected item; 0 past its end and of what is not there.
  [[nodiscard]] std::uint8_t read() noexcept;

 private:
  struct Item {
    std::uint16_t key;
    std::string bytes;
  };
  std::vector<Item> items_;
  const Item* selected_ = nullptr;
  std::size_t at_ = 0;
};

}  // namespace dm::qtest
