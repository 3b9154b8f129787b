// SPDX-License-Identifier: MIT
#include "core/boot/linux_image.h"

#include "core/text/number.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

namespace dm::boot {

namespace {

// boot.rst, "The Real-Mode Kernel Header": offsets in the file.
constexpr std::size_t kSetupSectors = 0x1f1;     // u8; 0 means 4
constexpr std::size_t kVideoMode = 0x1fa;        // u16
constexpr std::size_t kBootFlag = 0x1fe;         // u16, AA55h
constexpr std::size_t kHeaderMagic = 0x202;      // u32, "HdrS"
constexpr std::size_t kVersion = 0x206;          // u16
constexpr std::size_t kLoaderType = 0x210;       // u8
constexpr std::size_t kLoadFlags = 0x211;        // u8
constexpr std::size_t kRamdiskImage = 0x218;     // u32
constexpr std::size_t kRamdiskSize = 0x21c;      // u32
constexpr std::size_t kHeapEnd = 0x224;          // u16
constexpr std::size_t kCommandLine = 0x228;      // u32
constexpr std::size_t kRamdiskMost = 0x22c;      // u32, from 2.03 on
constexpr std::size_t kCommandLineMost = 0x238;  // u32, from 2.06 on
constexpr std::size_t kSetupData = 0x250;        // u64, from 2.09 on
constexpr std::size_t kHeaderEnd = 0x268;        // of what is looked at here

constexpr std::size_t kSector = 512;
constexpr unsigned kUsualSetupSectors = 4;
constexpr std::uint8_t kLoaderUnknown = 0xff;
constexpr std::uint8_t kLoadedHigh = 1U << 0U;
constexpr std::uint8_t kCanUseHeap = 1U << 7U;
/// Up to the command line, less the boot sector and what the stack needs.
constexpr std::uint32_t kHeapEndValue = kCommandLineAddress - kSetupAddress - 0x200;
constexpr std::uint32_t kOldRamdiskMost = 0x37ffffff;
constexpr std::uint32_t kOldCommandLineMost = 255;
/// RAM below 4 GiB ends there at most, without a wish of the guest's own (libxl,
/// HVM_BELOW_4G_RAM_END).
constexpr std::uint64_t kMostLowMemory = 0xf0000000;
/// The BIOS' own tables at the top of RAM.
constexpr std::uint64_t kBiosMemory = std::uint64_t{1} << 20;

template <class T>
[[nodiscard]] T get(std::span<const std::byte> from, std::size_t at) noexcept {
  T value{};
  std::memcpy(&value, from.subspan(at, sizeof value).data(), sizeof value);
  return value;
}
template <class T>
void put(std::span<std::byte> to, std::size_t at, T value) noexcept {
  std::memcpy(to.subspan(at, sizeof value).data(), &value, sizeof value);
}

[[nodiscard]] bool begins(std::span<const std::byte> head, std::string_view with) noexcept {
  return head.size() >= with.size() && std::memcmp(head.data(), with.data(), with.size()) == 0;
}

/// What people take for a kernel.
[[nodiscard]] std::string_view what_else(std::span<const std::byte> head) noexcept {
  constexpr std::uint32_t kMultiboot = 0x1badb002;
  constexpr std::size_t kMultibootWithin = 8192;
  if (begins(head,
             "\x7f"
             "ELF")) {
    return "an ELF program (as vmlinux), of which HVM guests want the compressed image, bzImage";
  }
  if (begins(head, "\x1f\x8b")) {
    return "compressed by gzip: unpack it first";
  }
  for (std::size_t at = 0; at + 4 <= std::min(head.size(), kMultibootWithin); at += 4) {
    if (get<std::uint32_t>(head, at) == kMultiboot) {
      return "a multiboot program, which only a boot loader on a disk can start";
    }
  }
  if (begins(head, "MZ")) {
    return "an EFI program without Linux' own header";
  }
  return "no Linux kernel";
}

/// "vga=": a number, or one of three words (boot.rst, "Special Command Line Options").
[[nodiscard]] std::optional<std::uint16_t> video_mode(std::string_view command_line) noexcept {
  constexpr std::string_view kKey = "vga=";
  std::size_t at = 0;
  while ((at = command_line.find(kKey, at)) != std::string_view::npos && at != 0 &&
         command_line[at - 1] != ' ') {
    at += kKey.size();
  }
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view word = command_line.substr(at + kKey.size());
  word = word.substr(0, word.find(' '));
  if (word == "normal") {
    return std::uint16_t{0xffff};
  }
  if (word == "ext") {
    return std::uint16_t{0xfffe};
  }
  if (word == "ask") {
    return std::uint16_t{0xfffd};
  }
  if (word.starts_with("0x")) {
    std::uint32_t value = 0;
    for (const char c : word.substr(2)) {
      const auto digit = std::string_view{"0123456789abcdef"}.find(static_cast<char>(c | 0x20));
      if (digit == std::string_view::npos || value > 0xfff) {
        return std::nullopt;
      }
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return static_cast<std::uint16_t>(value);
  }
  return parse_number<std::uint16_t>(word, 0, 0xffff);
}

/// Nothing, or what stands against it.
[[nodiscard]] Result<> check_header(const LinuxFiles& files) {
  const auto head = files.head;
  if (head.size() < kHeaderEnd || get<std::uint16_t>(head, kBootFlag) != 0xaa55 ||
      !begins(head.subspan(kHeaderMagic), "HdrS")) {
    return fail("it is ", what_else(head));
  }
  if (get<std::uint16_t>(head, kVersion) < 0x202 ||
      (get<std::uint8_t>(head, kLoadFlags) & kLoadedHigh) == 0) {
    return fail("it is a Linux kernel of the last century (zImage, or boot protocol before 2.02)");
  }
  return {};
}

[[nodiscard]] std::string mib(std::uint64_t bytes) {
  return std::to_string((bytes + (1U << 20U) - 1) >> 20U) + " MiB";
}

[[nodiscard]] Result<> check_room(const LinuxFiles& files, std::uint64_t kernel) {
  const std::uint64_t most =
      files.memory == 0 ? kMostLowMemory : std::min(files.memory, kMostLowMemory);
  // Two 32-bit sums of files that may be of any size: neither can wrap in 64 bits.
  if (kernel > most || files.initrd_size > most ||
      kKernelAddress + kernel + files.initrd_size + kBiosMemory > most) {
    return fail("kernel and ramdisk, ", mib(kernel + files.initrd_size),
                ", do not fit into the guest's memory below 4 GiB (", mib(most), ")");
  }
  return {};
}

void fill_in(std::span<std::byte> setup, const LinuxFiles& files) {
  put(setup, kLoaderType, kLoaderUnknown);
  put(setup, kLoadFlags,
      static_cast<std::uint8_t>(get<std::uint8_t>(setup, kLoadFlags) | kCanUseHeap));
  put(setup, kRamdiskImage, std::uint32_t{0});  // its place is the loader's to choose
  put(setup, kRamdiskSize, static_cast<std::uint32_t>(files.initrd_size));
  put(setup, kHeapEnd, static_cast<std::uint16_t>(kHeapEndValue));
  put(setup, kCommandLine, kCommandLineAddress);
  if (get<std::uint16_t>(setup, kVersion) < 0x203) {
    put(setup, kRamdiskMost, kOldRamdiskMost);
  }
  if (get<std::uint16_t>(setup, kVersion) >= 0x209) {
    put(setup, kSetupData, std::uint64_t{0});
  }
  if (const auto mode = video_mode(files.command_line)) {
    put(setup, kVideoMode, *mode);
  }
}

}  // namespace

Result<LinuxImage> prepare_linux(const LinuxFiles& files) {
  if (auto good = check_header(files); !good) {
    return good.error();
  }
  const auto head = files.head;
  const auto given = get<std::uint8_t>(head, kSetupSectors);
  const std::size_t setup = ((given == 0 ? kUsualSetupSectors : given) + std::size_t{1}) * kSector;
  if (setup > kMostSetup || setup >= files.kernel_size || setup > head.size() ||
      setup < kHeaderEnd) {
    return fail("it is damaged: its setup of ", std::to_string(setup), " bytes does not fit");
  }
  const std::uint64_t kernel = files.kernel_size - setup;
  if (auto room = check_room(files, kernel); !room) {
    return room.error();
  }
  const std::size_t longest = std::min<std::size_t>(get<std::uint16_t>(head, kVersion) >= 0x206
                                                        ? get<std::uint32_t>(head, kCommandLineMost)
                                                        : kOldCommandLineMost,
                                                    kMostCommandLine - 1);
  if (files.command_line.size() > longest ||
      files.command_line.find('\0') != std::string_view::npos) {
    return fail("its command line has ", std::to_string(files.command_line.size()),
                " bytes, and this kernel takes ", std::to_string(longest), " of text");
  }
  LinuxImage image;
  image.setup.assign(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(setup));
  fill_in(image.setup, files);
  const auto text = std::as_bytes(std::span{files.command_line});
  image.command_line.assign(text.begin(), text.end());
  image.command_line.push_back(std::byte{0});
  image.kernel_offset = static_cast<std::uint32_t>(setup);
  image.kernel_size = static_cast<std::uint32_t>(kernel);
  image.initrd_size = static_cast<std::uint32_t>(files.initrd_size);
  return image;
}

}  // namespace dm::boot
