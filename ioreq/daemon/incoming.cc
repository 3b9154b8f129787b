// SPDX-License-Identifier: MIT
#include "ioreq/daemon/incoming.h"

#include "core/obs/log.h"
#include "ioreq/machine/machine_state.h"
#include "platform/linux/error_text.h"
#include "platform/linux/whole_io.h"

#include <fcntl.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace dm {

namespace {

Error failed(const Error& why) {
  return Error{"the saved guest cannot go on here: " + why.message +
               ". Its saved file is as it was; a migrated guest goes on where it came from"};
}

Result<std::vector<std::byte>> read_state(int fd, std::chrono::milliseconds patience) {
  std::vector<std::byte> state(kSavedHeader);
  if (auto header = host::read_whole(fd, state, patience); !header) {
    return fail("its state cannot be read: ", header.error().message);
  }
  const auto length = saved_state_length(state);
  if (!length) {
    return length.error();
  }
  state.resize(*length);
  if (auto rest = host::read_whole(fd, std::span{state}.subspan(kSavedHeader), patience); !rest) {
    return fail("its state cannot be read: ", rest.error().message);
  }
  return state;
}

}  // namespace

Result<host::UniqueFd> adopt_incoming(int fd) {
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    const std::string text = host::error_text(errno);
    return failed(Error{"-incoming fd:" + std::to_string(fd) + ": " + text});
  }
  return host::UniqueFd{fd};
}

Result<> load_incoming(int fd, Machine& machine, std::chrono::milliseconds patience) {
  const auto state = read_state(fd, patience);
  if (!state) {
    return failed(state.error());
  }
  machine.pause();
  if (auto loaded = machine.load(*state); !loaded) {
    return failed(loaded.error());
  }
  log::info("the state of the devices is loaded: ", state->size(), " bytes");
  return {};
}

}  // namespace dm
