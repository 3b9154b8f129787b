// SPDX-License-Identifier: MIT
#pragma once

#include "devices/ata/state.h"

#include <cstdint>
#include <span>

namespace dm::ata {

using SmartSector = std::span<std::uint8_t, kSectorSize>;

/// The 512-byte structures of the SMART command (SFF-8035i 2.0; ATA/ATAPI-6 8.41). Each function
/// writes all bytes of `out`; the last byte makes the sum 0.
void build_smart_data(const SmartState& state, SmartSector out) noexcept;
void build_smart_thresholds(SmartSector out) noexcept;
/// Log `address` 0 (directory), 1 (summary error log), 6 (self-test log). False: there is no such
/// log.
[[nodiscard]] bool build_smart_log(const SmartState& state,
                                   std::uint8_t address,
                                   SmartSector out) noexcept;
/// SMART EXECUTE OFF-LINE IMMEDIATE. There is nothing to test, so a test ends at once and passes.
/// False: not a test that we know.
[[nodiscard]] bool execute_offline(SmartState& state, std::uint8_t subcommand) noexcept;

}  // namespace dm::ata
