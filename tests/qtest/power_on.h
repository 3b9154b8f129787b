// SPDX-License-Identifier: MIT
#pragma once

namespace dm::qtest {

class Board;

/// Firmware's part of a CD-ROM drive's power-on: a TEST UNIT READY to each drive takes the unit
/// attention 29/00 that SFF-8020i has it report once. QEMU's drives have none, and its tests begin
/// with READ(10).
void take_power_on_attention(Board& board);

}  // namespace dm::qtest
