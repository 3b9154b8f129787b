// SPDX-License-Identifier: MIT
#include "platform/linux/image/disc_opener.h"

#include "platform/linux/image/disk.h"

#include <utility>

namespace dm::host {

void DiscOpener::open(const std::string& name, UniqueFd fd, ImageFormat format, Opened opened) {
  std::erase_if(openings_, [](const auto& opening) { return opening->finished(); });
  if (is_raw(format) || (!fd && is_nbd(name))) {
    opened(open_disc(loop_, name, std::move(fd), format));
    return;
  }
  DiskConfig config;
  config.path = name;
  config.cdrom = config.read_only = true;
  config.format = format;
  if (auto opening = begin_nbd(loop_, config, std::move(fd), patience_, std::move(opened))) {
    openings_.push_back(std::move(opening));
  }
}

}  // namespace dm::host
