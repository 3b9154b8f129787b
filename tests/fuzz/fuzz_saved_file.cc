// SPDX-License-Identifier: MIT
// `stubdm inspect --state FILE` of any file. An input is a byte that says how the file is made, and
// what is in it: bytes as they are; a whole guest of xl's with any device model's part; one whose
// records are any; one or more states with a checksum that fits and any fields.
#include "ioreq/daemon/inspect_state.h"
#include "ioreq/machine/machine_state.h"
#include "platform/toolstack/saved_guest/saved_guest.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/inspection.h"
#include "tests/rig/saved_guest_file.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace dm::fuzz {

namespace {

using Bytes = std::vector<std::byte>;

Bytes as_bytes(std::span<const std::uint8_t> from) {
  const auto bytes = std::as_bytes(from);
  return {bytes.begin(), bytes.end()};
}

/// A state whose devices have any fields.
Bytes state_of(Input& in) {
  constexpr std::array<std::string_view, 6> kNames{"chipset", "ide",  "serial0",
                                                   "nic0",    "nic1", "later"};
  std::vector<SavedDevice> devices;
  for (std::size_t i = in.below(4); i != 0 && !in.empty(); --i) {
    const std::string_view name = kNames[in.below(kNames.size())];
    const std::size_t size = in.take<std::uint16_t>();
    devices.push_back({.name = std::string{name}, .bytes = as_bytes(in.bytes(size))});
  }
  return write_saved_state(devices);
}

Bytes stream_of(Input& in) {
  rig::SavedGuestFile file;
  file.xl_header(in.flag() ? "{}" : "").libxl_header();
  while (!in.empty()) {
    switch (in.below(6)) {
      case 0:
        file.libxc(static_cast<unsigned>(in.below(3)));
        break;
      case 1:
        file.record(static_cast<std::uint32_t>(in.below(8)), as_bytes(in.bytes(in.byte())));
        break;
      case 2:
        file.emulator(3, state_of(in));
        break;
      case 3:
        file.u32(in.take<std::uint32_t>());
        break;
      case 4:
        file.u32(static_cast<std::uint32_t>(in.below(16))).u32(in.take<std::uint32_t>());
        break;
      default:
        file.raw(as_bytes(in.bytes(in.byte())));
        break;
    }
  }
  return file.bytes;
}

Bytes file_of(Input& in) {
  switch (in.below(4)) {
    case 0:
      return as_bytes(in.bytes(in.size()));
    case 1:
      return rig::SavedGuestFile::of(state_of(in));
    case 2:
      return stream_of(in);
    default: {
      Bytes file;
      while (!in.empty()) {
        const Bytes one = state_of(in);
        file.insert(file.end(), one.begin(), one.end());
      }
      return file;
    }
  }
}

void run(Input in) {
  const Bytes bytes = file_of(in);
  const toolstack::SavedFile file{rig::memory_file(bytes), bytes.size()};
  if (const auto part = toolstack::find_device_model(file); part) {
    require(part->offset <= bytes.size() && part->length <= bytes.size() - part->offset,
            "what is found is in the file");
  }
  const host::UniqueFd by_name = rig::memory_file(bytes);
  const auto shown = inspect_state("/proc/self/fd/" + std::to_string(by_name.get()));
  check_inspection(shown,
                   {.error = 300, .json = (std::size_t{4} << 20) + 16 * bytes.size(), .depth = 32});
}

}  // namespace

}  // namespace dm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dm::fuzz::run(dm::fuzz::Input{data, size});
  return 0;
}
