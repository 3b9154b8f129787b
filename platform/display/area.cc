// SPDX-License-Identifier: MIT
#include "platform/display/area.h"

#include "platform/linux/error_text.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace dm::display {

Result<AreaFiles> make_area() {
  AreaFiles files;
  files.writable = host::UniqueFd{::memfd_create("stubdm screen", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!files.writable || ::ftruncate(files.writable.get(), sizeof(Area)) != 0 ||
      ::fcntl(files.writable.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return fail("no memory to share with the screen's display: ", host::error_text(errno));
  }
  const std::string itself = "/proc/self/fd/" + std::to_string(files.writable.get());
  files.readable = host::UniqueFd{::open(itself.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!files.readable) {
    return fail("the memory for the screen cannot be opened for reading: ",
                host::error_text(errno));
  }
  return files;
}

Result<MappedArea> MappedArea::map(int file, bool writable) {
  void* const at = ::mmap(nullptr, sizeof(Area), writable ? PROT_READ | PROT_WRITE : PROT_READ,
                          MAP_SHARED, file, 0);
  if (at == MAP_FAILED) {
    return fail("the memory for the screen cannot be mapped: ", host::error_text(errno));
  }
  return MappedArea{static_cast<Area*>(at)};
}

MappedArea::MappedArea(MappedArea&& other) noexcept : area_{std::exchange(other.area_, nullptr)} {}

MappedArea::~MappedArea() {
  if (area_ != nullptr) {
    static_cast<void>(::munmap(area_, sizeof(Area)));
  }
}

void MappedArea::forget_drawn() noexcept {
  static_cast<void>(::madvise(&area_->drawn, sizeof area_->drawn, MADV_REMOVE));
}

}  // namespace dm::display
