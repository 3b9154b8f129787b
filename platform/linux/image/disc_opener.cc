// SPDX-License-Identifier: MIT
#include "platform/linux/image/disc_opener.h"

#include "platform/linux/image/disk.h"

#include <utility>

namespace dm::host {

namespace {

class NamedImage final : public DiscImage {
 public:
  NamedImage(DiscOpener& opener, std::string name, UniqueFd fd, ImageFormat format) noexcept
      : opener_{opener}, name_{std::move(name)}, fd_{std::move(fd)}, format_{format} {}
  void open(Opened opened) override {
    opener_.open(name_, std::move(fd_), format_, std::move(opened));
  }

 private:
  DiscOpener& opener_;
  std::string name_;
  UniqueFd fd_;
  ImageFormat format_;
};

}  // namespace

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

std::unique_ptr<DiscImage> DiscOpener::image(std::string name, UniqueFd fd, ImageFormat format) {
  return std::make_unique<NamedImage>(*this, std::move(name), std::move(fd), format);
}

}  // namespace dm::host
