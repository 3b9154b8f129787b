// SPDX-License-Identifier: MIT
#include "devices/ata/smart.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace dm::ata {

namespace {

struct Attribute {
  std::uint8_t id;
  std::uint8_t flags;  ///< bit 0: pre-failure; bit 1: kept up to date online
  std::uint8_t value;
  std::uint8_t threshold;
};
// Nothing wears out here: the values say so and never move.
constexpr std::array<Attribute, 4> kAttributes{{
    {.id = 1, .flags = 0x03, .value = 100, .threshold = 6},   // raw read error rate
    {.id = 5, .flags = 0x03, .value = 100, .threshold = 36},  // reallocated sectors
    {.id = 9, .flags = 0x03, .value = 100, .threshold = 0},   // power-on hours
    {.id = 12, .flags = 0x03, .value = 100, .threshold = 0},  // power cycles
}};
constexpr std::size_t kEntrySize = 12;
constexpr std::uint8_t kRevision = 1;

constexpr std::uint8_t kLogDirectory = 0;
constexpr std::uint8_t kSummaryErrorLog = 1;
constexpr std::uint8_t kSelfTestLog = 6;
constexpr std::size_t kDescriptorSize = 24;
constexpr std::size_t kNewestAt = 508;

void close(SmartSector out) noexcept {
  const unsigned sum = std::accumulate(out.begin(), out.end() - 1, 0U);
  out[kSectorSize - 1] = static_cast<std::uint8_t>(0U - sum);
}
void open(SmartSector out) noexcept {
  std::ranges::fill(out, std::uint8_t{0});
  out[0] = kRevision;
}

}  // namespace

void build_smart_data(const SmartState& state, SmartSector out) noexcept {
  open(out);
  std::size_t at = 2;
  for (const Attribute& a : kAttributes) {
    out[at] = a.id;
    out[at + 1] = a.flags;
    out[at + 3] = a.value;
    out[at + 4] = a.value;  // worst so far
    at += kEntrySize;
  }
  out[362] = static_cast<std::uint8_t>(state.offline_status | (state.autosave ? 0x80U : 0U));
  out[367] = 0x19;  // off-line: immediate, self-tests; not suspended by commands
  out[368] = 0x03;  // saves attributes by itself and on command
  out[370] = 0x01;  // error log
  out[372] = 1;     // minutes for a short self-test
  out[373] = 1;     // and for an extended one
  close(out);
}

void build_smart_thresholds(SmartSector out) noexcept {
  open(out);
  std::size_t at = 2;
  for (const Attribute& a : kAttributes) {
    out[at] = a.id;
    out[at + 1] = a.threshold;
    at += kEntrySize;
  }
  close(out);
}

bool build_smart_log(const SmartState& state, std::uint8_t address, SmartSector out) noexcept {
  open(out);
  switch (address) {
    case kLogDirectory:
      // Word n: how many sectors log n has. No checksum in this one.
      out[std::size_t{2} * kSummaryErrorLog] = 1;
      out[std::size_t{2} * kSelfTestLog] = 1;
      return true;
    case kSummaryErrorLog:
      break;  // index 0: no error has been logged
    case kSelfTestLog:
      for (std::size_t i = 0; i < SmartState::kSelfTests; ++i) {
        out[2 + i * kDescriptorSize] =
            state.self_tests[i];  // status byte 0: completed without error
      }
      out[kNewestAt] = state.newest;
      break;
    default:
      return false;
  }
  close(out);
  return true;
}

bool execute_offline(SmartState& state, std::uint8_t subcommand) noexcept {
  constexpr std::uint8_t kOfflineRoutine = 0;
  constexpr std::uint8_t kExtendedTest = 2;
  constexpr std::uint8_t kCompleted = 2;
  if (subcommand > kExtendedTest) {
    return false;
  }
  if (subcommand == kOfflineRoutine) {
    state.offline_status = kCompleted;
    return true;
  }
  // A ring of 21, counted from 1 (CVE-2014-2894: the index never leaves it).
  state.newest = static_cast<std::uint8_t>(state.newest % SmartState::kSelfTests + 1);
  state.self_tests[state.newest - 1U] = subcommand;
  return true;
}

}  // namespace dm::ata
