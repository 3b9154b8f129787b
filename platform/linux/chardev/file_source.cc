// SPDX-License-Identifier: MIT
#include "platform/linux/chardev/file_source.h"

#include "platform/linux/loop/loop.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace dm::host {

FileSource::FileSource(Loop& loop, UniqueFd file)
    : file_{std::move(file)}, turn_{Work::bind<&FileSource::tell>(loop.turn_queue(), *this)} {}

void FileSource::attach(CharClient* client) noexcept {
  client_ = client;
  turn_.schedule();
}

bool FileSource::tell() noexcept {
  if (client_ != nullptr) {
    client_->on_readable();
  }
  return false;
}

std::size_t FileSource::write(std::span<const std::byte> bytes) noexcept {
  counters_.dropped += bytes.size();
  return bytes.size();
}

std::size_t FileSource::read(std::span<std::byte> to) noexcept {
  if (ended_) {
    return 0;
  }
  ssize_t count = 0;
  do {
    ++counters_.reads;
    count = ::read(file_.get(), to.data(), to.size());
  } while (count < 0 && errno == EINTR);
  if (count <= 0) {
    ended_ = !to.empty();
    return 0;
  }
  counters_.input += static_cast<std::uint64_t>(count);
  return static_cast<std::size_t>(count);
}

}  // namespace dm::host
