// SPDX-License-Identifier: MIT
// A kernel file that is made up, and files in memory to start a guest from.
#pragma once

#include "core/boot/linux_image.h"
#include "core/ports/boot_file.h"
#include "ioreq/machine/backends.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::rig {

/// Of a kernel file, what its header says. Offsets typed anew from Linux,
/// Documentation/arch/x86/boot.rst.
struct KernelHeader {
  unsigned setup_sectors = 4;
  std::uint16_t version = 0x20f;
  std::uint8_t flags = 1;  ///< LOADED_HIGH
  std::uint32_t ramdisk_most = 0x7fffffff;
  std::uint32_t command_line_most = 2047;
};

template <class T>
void poke_at(std::vector<std::byte>& to, std::size_t at, T value) {
  std::memcpy(&to.at(at + sizeof value - 1) - (sizeof value - 1), &value, sizeof value);
}

/// `size` bytes in all; those of the protected-mode part tell their place.
[[nodiscard]] inline std::vector<std::byte> make_kernel(std::size_t size,
                                                        const KernelHeader& header = {}) {
  std::vector<std::byte> file(std::max<std::size_t>(size, 0x300));
  for (std::size_t i = 0x300; i < file.size(); ++i) {
    file[i] = static_cast<std::byte>(i * 7 + (i >> 12U));
  }
  poke_at(file, 0x1f1, static_cast<std::uint8_t>(header.setup_sectors));
  poke_at(file, 0x1fa, std::uint16_t{0x1234});
  poke_at(file, 0x1fe, std::uint16_t{0xaa55});
  std::memcpy(&file[0x202], "HdrS", 4);
  poke_at(file, 0x206, header.version);
  poke_at(file, 0x211, header.flags);
  poke_at(file, 0x22c, header.ramdisk_most);
  poke_at(file, 0x238, header.command_line_most);
  file.resize(size);
  return file;
}

class MemoryBootFile final : public BootFile {
 public:
  explicit MemoryBootFile(std::vector<std::byte> bytes) : bytes_{std::move(bytes)} {}
  [[nodiscard]] std::uint64_t size() const noexcept override { return bytes_.size(); }
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> to) noexcept override {
    ++reads;
    if (broken || offset > bytes_.size() || to.size() > bytes_.size() - offset) {
      return false;
    }
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
    return true;
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "/boot/file"; }
  [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

  bool broken = false;
  unsigned reads = 0;

 private:
  std::vector<std::byte> bytes_;
};

/// What a machine is started from: a kernel of that size, and a ramdisk.
[[nodiscard]] inline Backends::Boot make_boot(std::size_t kernel_size, std::size_t initrd_size) {
  auto kernel = std::make_unique<MemoryBootFile>(make_kernel(kernel_size));
  auto image = boot::prepare_linux(
      {.head = std::span{kernel->bytes()}.first(std::min(kernel_size, boot::kMostSetup)),
       .kernel_size = kernel_size,
       .initrd_size = initrd_size,
       .command_line = "console=ttyS0",
       .memory = 0});
  return {.kernel = std::move(kernel),
          .initrd = std::make_unique<MemoryBootFile>(
              std::vector<std::byte>(initrd_size, std::byte{0x3c})),
          .image = std::move(image).value()};
}

}  // namespace dm::rig
