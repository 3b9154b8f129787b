// SPDX-License-Identifier: MIT
#pragma once

#include "core/bounds.h"
#include "tests/fuzz/input.h"

#include <cstdint>

namespace dm::fuzz {

/// What the strict host has been asked for since the process began. On a real host each is a system
/// call; those that cost more than one are counted by themselves too.
struct HostCalls {
  std::uint64_t system = 0;  ///< all but mappings and the answers' event channels
  std::uint64_t maps = 0;
  std::uint64_t images = 0;  ///< requests and flushes
  std::uint64_t sends = 0;
  std::uint64_t bytes = 0;  ///< of requests to images, and of frames sent

  void image(std::uint64_t length) noexcept {
    ++system;
    ++images;
    bytes += length;
  }
  void sent(std::uint64_t length) noexcept {
    ++system;
    ++sends;
    bytes += length;
  }
};
inline HostCalls host_calls;

/// From here to check(): so many requests, with so many items, and so many units of work.
class Costs {
 public:
  void check(std::uint64_t requests, std::uint64_t items, std::uint64_t units) const noexcept {
    const HostCalls& now = host_calls;
    require(now.maps - before_.maps <=
                requests * bounds::kMapsPerRequest + units * bounds::kMapsPerUnit,
            "mappings are bounded");
    require(now.images - before_.images <=
                requests * bounds::kImageRequestsPerRequest + units * bounds::kImageRequestsPerUnit,
            "requests to images are bounded");
    require(now.sends - before_.sends <=
                requests * bounds::kSendsPerRequest + units * bounds::kSendsPerUnit,
            "frames are sent one a unit");
    require(now.bytes - before_.bytes <=
                requests * bounds::kBytesPerRequest + units * bounds::kBytesPerUnit,
            "bytes are bounded");
    require(now.system - before_.system <=
                items * bounds::kSystemCallsPerItem + units * bounds::kSystemCallsPerUnit,
            "system calls are bounded");
  }

 private:
  const HostCalls before_ = host_calls;
};

}  // namespace dm::fuzz
