// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/block.h"
#include "core/result.h"

#include <functional>
#include <memory>

namespace dm {

/// Port to an image that management has named for a CD-ROM drive and that is not open yet. The
/// platform knows its path or descriptor, and owns it; the owner of the drive only opens it. Thread
/// rule: the loop's thread only.
class DiscImage {
 public:
  using Opened = std::function<void(Result<std::unique_ptr<BlockBackend>>)>;

  DiscImage() = default;
  DiscImage(const DiscImage&) = delete;
  DiscImage& operator=(const DiscImage&) = delete;
  virtual ~DiscImage() = default;

  /// Opens the image; call it once. Calls `opened` once, from inside this call or later from the
  /// loop. If the platform is destroyed before, `opened` is not called. This object may be gone
  /// when `opened` is called.
  virtual void open(Opened opened) = 0;
};

}  // namespace dm
