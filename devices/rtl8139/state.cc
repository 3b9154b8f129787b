// SPDX-License-Identifier: MIT
#include "devices/rtl8139/state.h"

#include <string>
#include <string_view>

namespace dm::rtl8139 {

namespace {

/// A longer time than any machine runs, of which a guest time can still be made.
constexpr std::uint64_t kLongestTime = std::uint64_t{1} << 62U;

[[nodiscard]] bool valid(const RegisterFile& file) noexcept {
  const RegisterTables& t = regs::List::kTables;
  for (std::size_t i = 0; i < kRegisterBytes; ++i) {
    const auto may_change = static_cast<std::uint8_t>(t.writable[i] | t.clearable[i] | t.live[i]);
    if (((file.bytes[i] ^ t.reset[i]) & ~may_change & 0xff) != 0) {
      return false;
    }
  }
  const std::uint32_t ring = 8192U << regs::RCR::RBLEN::get(file.get<regs::RCR>());
  return file.get<regs::CBR>() < ring && file.get<regs::CBR>() % 4 == 0;
}

}  // namespace

bool validate(const CardState& s) noexcept {
  return valid(s.file) && nic::validate(s.eeprom) && s.tx_index < kRing && s.rx_index < kRing &&
         s.classic_index < kClassicDescriptors && s.classic_pending < 1U << kClassicDescriptors &&
         s.tx_sent < kMaxPacket && s.timer_seen <= s.timer_elapsed &&
         s.timer_elapsed < kLongestTime;
}

void show_registers(const RegisterFile& file, Inspector& to) {
  const Inspector::Part part{to, "registers"};
  regs::List::for_each(
      [&](std::string_view name, std::size_t first, std::size_t size, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
          std::uint32_t value = 0;
          std::memcpy(&value, &file.bytes[first + i * size], size);
          if (count == 1) {
            to.hex(name, value);
          } else if (value != 0) {
            to.hex(std::string{name} + "[" + std::to_string(i) + "]", value);
          }
        }
      });
}

}  // namespace dm::rtl8139
