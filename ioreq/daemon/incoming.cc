// SPDX-License-Identifier: MIT
#include "ioreq/daemon/incoming.h"

#include "core/obs/log.h"
#include "ioreq/machine/machine_state.h"
#include "ioreq/machine/make_devices.h"
#include "platform/linux/error_text.h"
#include "platform/linux/whole_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
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

/// Whether a file goes on with another state. Nothing is read.
bool another_follows(int fd) {
  std::array<std::byte, kSavedHeader> next{};
  const ::off_t here = ::lseek(fd, 0, SEEK_CUR);  // -1 for a console: it has one state
  const ssize_t got = here < 0 ? -1 : ::pread(fd, next.data(), next.size(), here);
  return got > 0 && state::begins_saved_state(std::span{next}.first(static_cast<std::size_t>(got)));
}

/// A console's file has a state for each save of its guest where QEMU writes it. Memory is that of
/// the last one, so that counts; if it is not whole, none does.
Result<std::vector<std::byte>> read_last_state(int fd, std::chrono::milliseconds patience) {
  auto state = read_state(fd, patience);
  while (state && another_follows(fd)) {
    state = read_state(fd, patience);
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

Result<Incoming> read_incoming(int fd, std::chrono::milliseconds patience) {
  auto state = read_last_state(fd, patience);
  if (!state) {
    return failed(state.error());
  }
  const auto gone = unplugged_in(*state);
  if (!gone) {
    return failed(gone.error());
  }
  const auto video = video_memory_in(*state);
  if (!video) {
    return failed(video.error());
  }
  return Incoming{.state = std::move(*state), .gone = *gone, .video = *video};
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
