// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

/// QEMU, docs/specs/fw_cfg.rst and include/standard-headers/linux/qemu_fw_cfg.h.
namespace dm::fw_cfg::regs {

inline constexpr std::uint16_t kSelector = 0x510;  ///< 16 bits, written: selects and rewinds
inline constexpr std::uint16_t kData = 0x511;      ///< 8 bits, read: the next byte
inline constexpr std::uint16_t kDmaHigh = 0x514;   ///< address of an operation, most significant
inline constexpr std::uint16_t kDmaLow = 0x518;    ///< byte first; writing the low half begins it
inline constexpr std::uint64_t kDmaSignature = 0x51454d5520434647;  ///< "QEMU CFG", read there

/// An operation in the guest's memory: control, length (32 bits each), address (64 bits), all most
/// significant byte first.
inline constexpr std::uint64_t kOperationBytes = 16;
namespace control {
inline constexpr std::uint32_t kError = 1U << 0U;
inline constexpr std::uint32_t kRead = 1U << 1U;
inline constexpr std::uint32_t kSkip = 1U << 2U;
inline constexpr std::uint32_t kSelect = 1U << 3U;  ///< the key is in the upper half
inline constexpr std::uint32_t kWrite = 1U << 4U;
}  // namespace control

namespace key {
inline constexpr std::uint16_t kSignature = 0x00;  ///< "QEMU"
inline constexpr std::uint16_t kId = 0x01;
inline constexpr std::uint32_t kHasPorts = 1U << 0U;  ///< of the ID
inline constexpr std::uint32_t kHasDma = 1U << 1U;
inline constexpr std::uint16_t kCpus = 0x05;
inline constexpr std::uint16_t kKernelAddress = 0x07;
inline constexpr std::uint16_t kKernelSize = 0x08;
inline constexpr std::uint16_t kInitrdSize = 0x0b;
inline constexpr std::uint16_t kMostCpus = 0x0f;
inline constexpr std::uint16_t kKernelData = 0x11;
inline constexpr std::uint16_t kInitrdData = 0x12;
inline constexpr std::uint16_t kCommandLineAddress = 0x13;
inline constexpr std::uint16_t kCommandLineSize = 0x14;
inline constexpr std::uint16_t kCommandLineData = 0x15;
inline constexpr std::uint16_t kSetupAddress = 0x16;
inline constexpr std::uint16_t kSetupSize = 0x17;
inline constexpr std::uint16_t kSetupData = 0x18;
inline constexpr std::uint16_t kDirectory = 0x19;
inline constexpr std::uint16_t kFirstFile = 0x20;
}  // namespace key

/// An entry of the directory: size (32 bits), key (16), reserved (16), name, most significant byte
/// first. Before them their number, 32 bits.
inline constexpr std::size_t kNameBytes = 56;

}  // namespace dm::fw_cfg::regs
