// SPDX-License-Identifier: MIT
#include "ioreq/daemon/stub_broker.h"

#include "core/obs/log.h"
#include "platform/toolstack/store/xenstore.h"

#include <fcntl.h>

#include <cerrno>
#include <exception>
#include <string_view>

namespace dm {

StubBroker::StubBroker(const MachineConfig& config) {
  constexpr std::string_view kNamed = "ide-";  // by libxl
  for (const DiskConfig& disk : config.disks) {
    if (disk.cdrom && disk.index < drives_.size() && disk.id.starts_with(kNamed)) {
      drives_.at(disk.index) = disk.id.substr(kNamed.size());
    }
  }
}

int StubBroker::sleep(std::uint32_t /*state*/) noexcept {
  return EOPNOTSUPP;
}

int StubBroker::disc(std::uint32_t position, host::UniqueFd& to) noexcept {
  if (position >= drives_.size() || drives_.at(position).empty()) {
    return EPERM;
  }
  try {
    const auto store = toolstack::Xenstore::open();
    if (!store) {
      return EIO;
    }
    const auto file = toolstack::disc_file(*store, drives_.at(position), position);
    if (!file) {
      return ENOENT;
    }
    to = host::UniqueFd{::open(file->c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    return to ? 0 : errno;
  } catch (const std::exception& failure) {
    log::warning("a new disc cannot be looked for: ", failure.what());
    return ENOMEM;
  }
}

}  // namespace dm
