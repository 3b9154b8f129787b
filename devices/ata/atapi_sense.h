// SPDX-License-Identifier: MIT
#pragma once

#include "devices/ata/state.h"

/// Sense keys with their additional codes: SPC-2 tables 107 and 108, MMC-3 annex F.
namespace dm::ata::sense {

inline constexpr Sense kNoSense{};
inline constexpr Sense kNoDiscTrayClosed{.key = 2, .asc = 0x3a, .ascq = 0x01};
inline constexpr Sense kNoDiscTrayOpen{.key = 2, .asc = 0x3a, .ascq = 0x02};
inline constexpr Sense kUnrecoveredRead{.key = 3, .asc = 0x11, .ascq = 0x00};
inline constexpr Sense kParameterLength{.key = 5, .asc = 0x1a, .ascq = 0x00};
inline constexpr Sense kInvalidCommand{.key = 5, .asc = 0x20, .ascq = 0x00};
inline constexpr Sense kOutOfRange{.key = 5, .asc = 0x21, .ascq = 0x00};
inline constexpr Sense kInvalidField{.key = 5, .asc = 0x24, .ascq = 0x00};
inline constexpr Sense kInvalidParameter{.key = 5, .asc = 0x26, .ascq = 0x00};
inline constexpr Sense kIncompatibleDisc{.key = 5, .asc = 0x30, .ascq = 0x02};
inline constexpr Sense kNoSavedParameters{.key = 5, .asc = 0x39, .ascq = 0x00};
inline constexpr Sense kRemovalPrevented{.key = 5, .asc = 0x53, .ascq = 0x02};
inline constexpr Sense kIllegalTrackMode{.key = 5, .asc = 0x64, .ascq = 0x00};
inline constexpr Sense kDiscChanged{.key = 6, .asc = 0x28, .ascq = 0x00};
inline constexpr Sense kDataPhaseError{.key = 0x0b, .asc = 0x4b, .ascq = 0x00};
inline constexpr Sense kReset{.key = 6, .asc = 0x29, .ascq = 0x00};

}  // namespace dm::ata::sense
