// SPDX-License-Identifier: MIT
#pragma once

#include "core/config/machine_config.h"
#include "core/result.h"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::qtest {

/// The other end of a card's cable.
struct Cable {
  int fd = -1;  ///< a stream socket that is open already; -1: nobody is there
};

/// A machine as QEMU's command line describes it, and how to reach the test program.
struct Options {
  MachineConfig machine;
  std::size_t ram = std::size_t{128} << 20;  ///< bytes
  std::vector<Cable> cables;                 ///< as machine.nics
  std::array<bool, 4> holdable{};            ///< IDE positions whose flushes can be held: blkdebug
  std::string qtest;                         ///< unix socket to connect to; empty: standard input
                                             ///< and output
  std::string log;                           ///< file for the conversation; empty: none
  std::vector<std::string> monitors;         ///< unix sockets to connect to
  bool exit_with_parent = false;
};

/// What a null-co drive is called in DiskConfig::path: zeros to read, nothing kept.
inline constexpr std::string_view kNullDisk = "null-co://";

/// QEMU's arguments, as libqtest and its tests write them; README.md lists them. What is not there
/// is refused by its name: a test that asks for it would test nothing.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string_view> arguments);

}  // namespace dm::qtest
