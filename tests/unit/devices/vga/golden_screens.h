// SPDX-License-Identifier: MIT
// Made by screens_of_qemu.py, on QEMU 7.2 as Debian 12 has it.
#pragma once

#include "tests/unit/devices/vga/screens.h"

#include <array>

namespace dm::test {

inline constexpr std::array kGoldenScreens{
    Golden{"text_80", 720, 400, 0x160b6996},
    Golden{"text_80_of_8_dots", 640, 400, 0x230e062b},
    Golden{"text_80_two_fonts", 720, 400, 0xaf9b99c3},
    Golden{"text_80_other_fonts", 720, 400, 0xaa10be3c},
    Golden{"text_80_without_line_graphics", 720, 400, 0x822ccea7},
    Golden{"text_80_colour_select", 720, 400, 0xe31d6864},
    Golden{"text_80_colour_select_of_four_bits", 720, 400, 0xbe3ab902},
    Golden{"text_80_cursor", 720, 400, 0xaaa95097},
    Golden{"text_80_cursor_off", 720, 400, 0xee001b89},
    Golden{"text_80_cursor_upside_down", 720, 400, 0xee001b89},
    Golden{"text_80_of_50_lines", 720, 400, 0xa4673cbf},
    Golden{"text_80_scrolled_and_split", 720, 400, 0xbf1253f5},
    Golden{"text_80_by_100", 720, 200, 0x37c17ebc},
    Golden{"text_40", 640, 400, 0x012d5390},
    Golden{"mode_0d", 640, 400, 0x73459142},
    Golden{"mode_12", 640, 480, 0x28a2991c},
    Golden{"mode_12_some_planes", 640, 480, 0x75d2748d},
    Golden{"mode_12_split", 640, 480, 0xf56db568},
    Golden{"mode_12_half_width_wide_lines", 640, 480, 0x9397871d},
    Golden{"mode_12_drawn_by_write_modes", 640, 480, 0x39199aa6},
    Golden{"mode_13", 640, 400, 0xf00ecd1b},
    Golden{"mode_13_split", 640, 400, 0x403bdd7b},
    Golden{"mode_x", 640, 480, 0x042f95a5},
    Golden{"mode_x_second_page", 640, 480, 0x84b01850},
    Golden{"cga_4", 640, 400, 0x8721a43a},
    Golden{"cga_5", 640, 400, 0x80a42621},
    Golden{"cga_6", 640, 400, 0x36776943},
    Golden{"hercules_rows", 640, 480, 0xffd3dfc1},
    Golden{"cga_rows_in_word_mode", 640, 480, 0x01221a5f},
    Golden{"vbe_planes", 320, 200, 0xc4af9814},
    Golden{"vbe_planes_moved", 320, 200, 0x312f3ee1},
    Golden{"vbe_8", 320, 200, 0x88b5a20f},
    Golden{"vbe_8_of_8_bits_a_colour", 320, 200, 0x88f9268d},
    Golden{"vbe_8_moved", 320, 200, 0xbea3338d},
    Golden{"vbe_15", 320, 200, 0x3e60282f},
    Golden{"vbe_16", 320, 200, 0xbc85e6a1},
    Golden{"vbe_24", 320, 200, 0x1a800809},
    Golden{"vbe_32", 320, 200, 0x47e7f774},
    Golden{"vbe_32_moved", 320, 200, 0xb6f1a6fe},
    Golden{"vbe_16_high_byte_first", 320, 200, 0xb51cde8a},
    Golden{"vbe_32_high_byte_first", 320, 200, 0x7f634ff1},
};

}  // namespace dm::test
