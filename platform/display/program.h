// SPDX-License-Identifier: MIT
#pragma once

namespace dm::display {

/// How `stubdm-display` is started: README.md has its arguments.
inline constexpr const char* kProgramName = "stubdm-display";

// What is open in it, by number.
inline constexpr int kControl = 3;  ///< to the supervisor: viewers come by it
inline constexpr int kLine = 4;     ///< to the worker
inline constexpr int kArea = 5;     ///< the worker's area, for reading
inline constexpr int kItself = 6;   ///< the program, until it runs
inline constexpr int kVideo = 7;    ///< for tests: video memory
inline constexpr int kFirstFree = 8;

}  // namespace dm::display
