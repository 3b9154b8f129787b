// SPDX-License-Identifier: MIT
// Any command line. An input is the arguments, one a line.
#include "platform/toolstack/command_line/command_line.h"
#include "tests/fuzz/input.h"

#include <string>
#include <vector>

namespace dm::fuzz {

namespace {

/// What the rest of the program takes for granted of a configuration.
void check(const MachineConfig& config) {
  require(config.vcpus_max >= 1 && config.vcpus_max <= 128, "the number of vCPUs is possible");
  require(config.vcpus_online >= 1 && config.vcpus_online <= config.vcpus_max,
          "the number of vCPUs online is possible");
  unsigned positions = 0;
  for (const DiskConfig& disk : config.disks) {
    require(disk.index < 4, "a disk has an IDE position");
    require((positions & 1U << disk.index) == 0, "no two disks have one position");
    positions |= 1U << disk.index;
    require(disk.cdrom || !disk.path.empty(), "a disk has an image");
  }
  for (const auto& serial : config.serial) {
    require(!serial || !serial->backend.empty(), "a serial port has an other end");
  }
  for (const NicConfig& nic : config.nics) {
    require(nic.tap_fd >= 0 || !nic.tap_name.empty(), "a network card has an interface");
  }
  for (const QmpSocketConfig& qmp : config.qmp) {
    require(qmp.fd >= 0 || !qmp.path.empty(), "a QMP socket has a path");
  }
}

void run(Input in) {
  const auto choice = in.byte();
  const auto raw = in.bytes(in.size());
  const std::string text{raw.begin(), raw.end()};
  std::vector<std::string_view> args;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = rest.find('\n');
    args.push_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const toolstack::Environment environment{
      .console_limit = (choice & 8U) != 0 && !args.empty() ? args.back() : std::string_view{}};
  const auto parsed = toolstack::parse_command_line(args, environment);
  if (!parsed) {
    require(!parsed.error().message.empty(), "a refusal says why");
    require(parsed.error().message.size() < 64 * (text.size() + 1024), "a refusal is bounded");
  } else if (parsed->action == toolstack::Invocation::Action::serve) {
    check(parsed->config);
  }
}

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::run(dm::fuzz::Input{data, size});
  return 0;
}
