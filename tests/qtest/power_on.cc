// SPDX-License-Identifier: MIT
#include "tests/qtest/power_on.h"

#include "tests/qtest/board.h"

namespace dm::qtest {

namespace {

// ATA/ATAPI-6: offsets from the command block, commands and bits.
constexpr std::uint16_t kData = 0;
constexpr std::uint16_t kDevice = 6;
constexpr std::uint16_t kStatus = 7;
constexpr std::uint16_t kControl = 0x206;
constexpr std::uint8_t kPacket = 0xa0;
constexpr std::uint8_t kNoInterrupts = 0x02;
constexpr unsigned kPacketWords = 6;

void test_unit_ready(Board& board, std::uint16_t base, std::uint8_t device) {
  const auto port = [base](std::uint16_t reg) { return static_cast<std::uint16_t>(base + reg); };
  board.out(port(kControl), 1, kNoInterrupts);
  board.out(port(kDevice), 1, device);
  board.out(port(kStatus), 1, kPacket);
  for (unsigned i = 0; i < kPacketWords; ++i) {
    board.out(port(kData), 2, 0);
  }
  (void)board.in(port(kStatus), 1);
  board.out(port(kDevice), 1, 0);
  board.out(port(kControl), 1, 0);
}

}  // namespace

void take_power_on_attention(Board& board) {
  for (unsigned position = 0; position < 4; ++position) {
    if (board.machine().cd_drive(position) != nullptr) {
      test_unit_ready(board, position < 2 ? 0x1f0 : 0x170,
                      position % 2 == 0 ? std::uint8_t{0} : std::uint8_t{0x10});
    }
  }
}

}  // namespace dm::qtest
