// SPDX-License-Identifier: MIT
#include "platform/xen/xen_video.h"

#include "platform/xen/errors.h"
#include "platform/xen/handles.h"

#include <xen/memory.h>

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

namespace dm::xen {

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr unsigned kSuperpageOrder = 9;
constexpr std::size_t kSuperpage = std::size_t{1} << kSuperpageOrder;  // pages

/// XENMEM_populate_physmap, with its buffer.
class Populate {
 public:
  [[nodiscard]] static Result<Populate> open(DomId domid, std::size_t most_extents) {
    CallHandle handle{xencall_open(library_logger(), 0)};
    if (!handle) {
      return explain_open("/dev/xen/privcmd", errno);
    }
    Buffer buffer{xencall_alloc_buffer(handle.get(), sizeof(xen_memory_reservation) +
                                                         most_extents * sizeof(xen_pfn_t)),
                  FreeBuffer{handle.get()}};
    if (!buffer) {
      return fail("no memory for a hypercall buffer: ", error_text(errno));
    }
    return Populate{std::move(handle), std::move(buffer), domid};
  }

  /// `extents` of 2^order pages from `first` on. How many were done; or a negative errno value.
  [[nodiscard]] long run(std::uint64_t first, std::size_t extents, unsigned order) noexcept {
    void* const behind = static_cast<std::byte*>(buffer_.get()) + sizeof(xen_memory_reservation);
    auto* const frames = static_cast<xen_pfn_t*>(behind);
    for (std::size_t i = 0; i < extents; ++i) {
      frames[i] = first + (i << order);
    }
    xen_memory_reservation reservation{};
    set_xen_guest_handle(reservation.extent_start, frames);
    reservation.nr_extents = extents;
    reservation.extent_order = order;
    reservation.domid = domid_;
    std::memcpy(buffer_.get(), &reservation, sizeof reservation);
    const int done = xencall2(handle_.get(), __HYPERVISOR_memory_op, XENMEM_populate_physmap,
                              reinterpret_cast<std::uint64_t>(buffer_.get()));
    return done < 0 ? -errno : done;
  }

 private:
  struct FreeBuffer {
    xencall_handle* handle;
    void operator()(void* buffer) const noexcept { xencall_free_buffer(handle, buffer); }
  };
  using CallHandle = std::unique_ptr<xencall_handle, Closer<&xencall_close>>;
  using Buffer = std::unique_ptr<void, FreeBuffer>;
  Populate(CallHandle handle, Buffer buffer, DomId domid) noexcept
      : handle_{std::move(handle)}, buffer_{std::move(buffer)}, domid_{domid} {}

  CallHandle handle_;
  Buffer buffer_;
  DomId domid_;
};

Error no_memory(std::size_t pages, std::size_t got, long error) {
  const std::string size = std::to_string(pages * kPageSize / kMiB);
  if (error == -EPERM || error == -EACCES) {
    return fail("the ", size,
                " MiB of video memory cannot be had: this process may not give memory to the "
                "guest. In a stub domain write vga=\"none\"");
  }
  return fail("the ", size, " MiB of video memory cannot be had: Xen gave ", std::to_string(got),
              " of ", std::to_string(pages),
              " pages. Either the host has no more memory, or videoram in xl.cfg is not what was "
              "reserved for it");
}

}  // namespace

Gpa video_memory_place(std::size_t bytes, bool xen_platform) noexcept {
  constexpr std::uint64_t kFirst = 0xf0000000;
  constexpr std::uint64_t kPlatformBar = 16 * kMiB;
  return Gpa{xen_platform && bytes <= kPlatformBar ? kFirst + kPlatformBar : kFirst};
}

Result<> populate_video_memory(DomId domid, Gpa at, std::size_t bytes) {
  const std::size_t pages = bytes / kPageSize;
  auto populate = Populate::open(domid, pages);
  if (!populate) {
    return populate.error();
  }
  // Superpages first: where none is left, and in a guest without them, the rest is done by pages.
  const long large = populate->run(at.gfn(), pages / kSuperpage, kSuperpageOrder);
  std::size_t got = large > 0 ? static_cast<std::size_t>(large) * kSuperpage : 0;
  long error = std::min(large, 0L);
  if (got < pages) {
    const long small = populate->run(at.gfn() + got, pages - got, 0);
    got += small > 0 ? static_cast<std::size_t>(small) : 0;
    error = std::min(small, 0L);
  }
  if (got < pages) {
    return no_memory(pages, got, error);
  }
  return {};
}

XenVideoMemory::XenVideoMemory(const Ports& ports, Gpa at, std::size_t bytes)
    : ports_{ports}, at_{at}, home_{at}, frames_(bytes / kPageSize), errors_(bytes / kPageSize) {}

Result<std::unique_ptr<XenVideoMemory>> XenVideoMemory::open(const Ports& ports,
                                                             Gpa at,
                                                             std::size_t bytes) {
  std::unique_ptr<XenVideoMemory> video{new XenVideoMemory{ports, at, bytes}};
  std::byte* const mapped = video->map(at, PROT_READ | PROT_WRITE);
  if (mapped == nullptr) {
    return explain_domain("map the video memory", ports.domid, errno);
  }
  video->bytes_ = {mapped, bytes};
  const auto missing = std::ranges::count_if(video->errors_, [](int error) { return error != 0; });
  if (missing != 0) {
    return fail("the guest's video memory is not where it should be: ", std::to_string(missing),
                " of ", std::to_string(video->pages()), " pages are missing");
  }
  static_cast<void>(ports.ops.pin_memory_cacheattr(at.gfn(), at.gfn() + video->pages() - 1,
                                                   XEN_DMOP_MEM_CACHEATTR_WB));
  return video;
}

XenVideoMemory::~XenVideoMemory() {
  if (!bytes_.empty()) {
    static_cast<void>(xenforeignmemory_unmap(&ports_.memory, bytes_.data(), pages()));
  }
}

/// What is missing has its error set.
std::byte* XenVideoMemory::map(Gpa at, int protection) noexcept {
  std::iota(frames_.begin(), frames_.end(), at.gfn());
  return static_cast<std::byte*>(xenforeignmemory_map(&ports_.memory, ports_.domid, protection,
                                                      pages(), frames_.data(), errors_.data()));
}

/// Also when Xen does not tell.
bool XenVideoMemory::anything_at(Gpa at) noexcept {
  std::byte* const looked = map(at, PROT_READ);
  if (looked == nullptr) {
    return true;
  }
  static_cast<void>(xenforeignmemory_unmap(&ports_.memory, looked, pages()));
  return std::ranges::any_of(errors_, [](int error) { return error == 0; });
}

/// The first page from number `from` on that is not there; pages() when Xen does not tell.
std::size_t XenVideoMemory::first_missing(Gpa at, std::size_t from) noexcept {
  std::byte* const looked = map(at, PROT_READ);
  if (looked == nullptr) {
    return pages();
  }
  static_cast<void>(xenforeignmemory_unmap(&ports_.memory, looked, pages()));
  const auto missing = std::find_if(errors_.begin() + static_cast<std::ptrdiff_t>(from),
                                    errors_.end(), [](int error) { return error != 0; });
  return static_cast<std::size_t>(missing - errors_.begin());
}

/// The operation ends at a page that the guest has given away, and does not say where. Such a page
/// is skipped, a few times: a guest that punches more holes into its video memory loses what lies
/// behind them, until it moves it again.
void XenVideoMemory::relocate(Gpa to) noexcept {
  constexpr unsigned kHoles = 3;
  std::size_t done = 0;
  for (unsigned hole = 0; hole <= kHoles && done < pages(); ++hole) {
    const int error = ports_.ops.relocate_memory(at_.gfn() + done, to.gfn() + done,
                                                 static_cast<std::uint32_t>(pages() - done));
    if (error == 0) {
      return;
    }
    complaints_.warning("domain ", ports_.domid,
                        " has given away pages of its video memory: errno ", error,
                        " where it is moved");
    done = first_missing(to, done) + 1;
  }
}

bool XenVideoMemory::move(Gpa to) noexcept {
  if (anything_at(to)) {
    return false;
  }
  const auto pin = [this](std::uint32_t type) {
    static_cast<void>(ports_.ops.pin_memory_cacheattr(at_.gfn(), at_.gfn() + pages() - 1, type));
  };
  relocate(to);
  pin(XEN_DMOP_DELETE_MEM_CACHEATTR);
  at_ = to;
  pin(XEN_DMOP_MEM_CACHEATTR_WB);
  return true;
}

bool XenVideoMemory::take_dirty(std::size_t first,
                                std::size_t count,
                                std::span<std::uint64_t> bitmap) noexcept {
  constexpr std::size_t kMostTracked = std::size_t{4096} * 8;
  if (count == 0 || count > kMostTracked || first > pages() || count > pages() - first ||
      bitmap.size() < (count + 63) / 64) {
    return false;
  }
  tracked_ = true;
  return ports_.ops.track_dirty_vram(at_.gfn() + first, static_cast<std::uint32_t>(count),
                                     bitmap) == 0;
}

void XenVideoMemory::stop_tracking() noexcept {
  if (std::exchange(tracked_, false)) {
    std::uint64_t none = 0;
    static_cast<void>(ports_.ops.track_dirty_vram(0, 0, std::span{&none, 1}));
  }
}

}  // namespace dm::xen
