// SPDX-License-Identifier: MIT
// A qtest client that says anything. An input is the lines; QEMU's own reproducers are inputs as
// they are.
#include "core/obs/log.h"
#include "tests/fuzz/input.h"
#include "tests/qtest/no_net.h"
#include "tests/qtest/null_disk.h"
#include "tests/qtest/protocol.h"

#include <memory>
#include <string>
#include <string_view>

namespace dm::fuzz {

namespace {

using qtest::Board;
using qtest::Protocol;

std::unique_ptr<Board> make_board() {
  Board::Setup setup{.config = {}, .ram = std::size_t{4} << 20};
  NicConfig& nic = setup.config.nics.emplace_back();
  nic.id = "nic0";
  nic.model = "e1000";
  nic.rom = "";
  Backends backends;
  backends.disks[0] = std::make_unique<qtest::NullDisk>();
  backends.disks[2] = std::make_unique<qtest::NullDisk>();
  backends.cdroms[2] = true;
  backends.nics.push_back({.cable = std::make_unique<qtest::NoNet>(), .rom = {}});
  auto board = Board::create(std::move(setup), std::move(backends));
  require(board.has_value(), "the machine can be made");
  return std::move(*board);
}

/// Interrupts, and then one answer.
void check(std::string_view out) {
  require(out.ends_with('\n'), "answers are whole lines");
  while (out.starts_with("IRQ raise ") || out.starts_with("IRQ lower ")) {
    out.remove_prefix(out.find('\n') + 1);
  }
  require(out == "OK\n" || out.starts_with("OK ") || out.starts_with("FAIL "),
          "every line is answered");
  require(out.find('\n') == out.size() - 1, "every line is answered once");
}

void run(std::string_view text) {
  log::set_sink([](log::Level, std::string_view) noexcept {});
  const auto board = make_board();
  Protocol protocol{*board};
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto before = board->now();
    protocol.execute(text.substr(0, end));
    check(protocol.take_output());
    require(board->now() >= before, "time does not go back");
    require(board->machine().work().empty(), "an answer comes when there is nothing left to do");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
