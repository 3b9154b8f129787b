// SPDX-License-Identifier: MIT
#include "platform/display/server/video_source.h"

#include "platform/display/area.h"
#include "platform/linux/error_text.h"
#include "platform/xen/errors.h"
#include "platform/xen/handles.h"

#include <sys/mman.h>

#include <cerrno>
#include <numeric>
#include <string>
#include <vector>

namespace dm::display {

namespace {

constexpr std::size_t kPage = 4096;

/// Does so much video memory make sense?
[[nodiscard]] Result<> check(std::uint64_t at, std::uint64_t bytes) {
  if (bytes == 0 || bytes > kMostVideoBytes || bytes % kPage != 0 || at % kPage != 0) {
    return fail("the screen's video memory makes no sense: ", std::to_string(bytes), " bytes at ",
                std::to_string(at));
  }
  return {};
}

}  // namespace

Result<VideoSource> VideoSource::of_guest(std::uint32_t domid,
                                          std::uint64_t at,
                                          std::uint64_t bytes) {
  if (auto good = check(at, bytes); !good) {
    return good.error();
  }
  auto handle = xen::open_foreign_memory();
  if (!handle) {
    return handle.error();
  }
  const auto guest = static_cast<domid_t>(domid);
  if (xenforeignmemory_restrict(handle->get(), guest) != 0) {
    return xen::explain_domain("confine the memory handle of the display", guest, errno);
  }
  const std::size_t pages = bytes / kPage;
  std::vector<xen_pfn_t> frames(pages);
  std::iota(frames.begin(), frames.end(), at / kPage);
  std::vector<int> errors(pages);
  auto* const mapped = static_cast<std::byte*>(
      xenforeignmemory_map(handle->get(), guest, PROT_READ, pages, frames.data(), errors.data()));
  if (mapped == nullptr) {
    return xen::explain_domain("map the screen", guest, errno);
  }
  for (std::size_t page = 0; page < pages; ++page) {
    if (errors[page] != 0 && ::mmap(mapped + page * kPage, kPage, PROT_READ,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
      return fail("no memory for the screen: ", host::error_text(errno));
    }
  }
  return VideoSource{{mapped, bytes}};
}

Result<VideoSource> VideoSource::of_file(int file, std::uint64_t bytes) {
  if (auto good = check(0, bytes); !good) {
    return good.error();
  }
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) {
    return fail("the file of video memory cannot be mapped: ", host::error_text(errno));
  }
  return VideoSource{{static_cast<std::byte*>(mapped), bytes}};
}

VideoSource::~VideoSource() {
  if (!bytes_.empty()) {
    static_cast<void>(::munmap(bytes_.data(), bytes_.size()));
  }
}

}  // namespace dm::display
