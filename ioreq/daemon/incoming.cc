// SPDX-License-Identifier: MIT
#include "ioreq/daemon/incoming.h"

#include "core/obs/log.h"
#include "ioreq/machine/machine_state.h"
#include "ioreq/machine/make_devices.h"
#include "platform/linux/whole_io.h"

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dm {

namespace {

Error failed(const Error& why) {
  return Error{"the saved guest cannot go on here: " + why.message +
               ". Its saved file is as it was; a migrated guest goes on where it came from"};
}

Result<std::vector<std::byte>> read_state(int fd) {
  std::vector<std::byte> state(kSavedHeader);
  if (auto header = host::read_whole(fd, state); !header) {
    return fail("its state cannot be read: ", header.error().message);
  }
  const auto length = saved_state_length(state);
  if (!length) {
    return length.error();
  }
  state.resize(*length);
  if (auto rest = host::read_whole(fd, std::span{state}.subspan(kSavedHeader)); !rest) {
    return fail("its state cannot be read: ", rest.error().message);
  }
  return state;
}

}  // namespace

Result<Incoming> read_incoming(int fd) {
  auto state = read_state(fd);
  if (!state) {
    return failed(state.error());
  }
  const auto gone = unplugged_in(*state);
  if (!gone) {
    return failed(gone.error());
  }
  return Incoming{.state = std::move(*state), .gone = *gone};
}

Result<> load_incoming(const Incoming& saved, Machine& machine) {
  machine.pause();
  if (auto loaded = machine.load(saved.state); !loaded) {
    return failed(loaded.error());
  }
  log::info("the state of the devices is loaded: ", saved.state.size(), " bytes");
  return {};
}

}  // namespace dm
