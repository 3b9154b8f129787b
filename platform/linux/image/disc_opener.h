// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/config/machine_config.h"
#include "core/ports/disc_image.h"
#include "core/result.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/nbd/nbd_open.h"
#include "platform/linux/unique_fd.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace dm::host {

/// open_disc() while a guest runs. If another process has to start, the loop goes on meanwhile. A
/// raw image is open when open() returns; so is an NBD export, for which it waits for its server
/// for at most a second. Thread rule: the loop's thread only.
class DiscOpener {
 public:
  using Opened = NbdOpening::Opened;
  /// The time for a qemu-nbd to start and to open its image. libxl 4.17 gives a whole QMP command
  /// 10 s.
  static constexpr std::chrono::seconds kPatience{8};

  /// `loop` outlives it, and what it has opened.
  explicit DiscOpener(Loop& loop, std::chrono::milliseconds patience = kPatience) noexcept
      : loop_{loop}, patience_{patience} {}
  DiscOpener(const DiscOpener&) = delete;
  DiscOpener& operator=(const DiscOpener&) = delete;
  /// Gives up what is not open yet; its `opened` is never called.
  ~DiscOpener() = default;

  /// Calls `opened` once, from inside or later from the loop.
  void open(const std::string& name, UniqueFd fd, ImageFormat format, Opened opened);
  /// Makes an image that its owner opens later, while this object exists. If `fd` is a descriptor,
  /// it is the image, and `name` is for messages; else `name` is opened. The format is never
  /// guessed.
  [[nodiscard]] std::unique_ptr<DiscImage> image(std::string name, UniqueFd fd, ImageFormat format);

 private:
  Loop& loop_;
  std::chrono::milliseconds patience_;
  std::vector<std::unique_ptr<NbdOpening>> openings_;
};

}  // namespace dm::host
