// SPDX-License-Identifier: MIT
#pragma once

#include "platform/linux/unique_fd.h"
#include "platform/linux/whole_io.h"

#include <sys/mman.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace dm::rig {

/// A file in memory, at its end.
[[nodiscard]] inline host::UniqueFd memory_file(std::span<const std::byte> bytes) {
  host::UniqueFd file{::memfd_create("test", MFD_CLOEXEC)};
  if (!host::write_whole(file.get(), bytes, std::chrono::seconds{10})) {
    throw std::runtime_error("no file in memory");
  }
  return file;
}

/// What `xl save` writes, piece by piece. Numbers typed from Xen 4.17: tools/xl/xl.h,
/// docs/specs/libxl-migration-stream.pandoc, docs/specs/libxc-migration-stream.pandoc.
class SavedGuestFile {
 public:
  std::vector<std::byte> bytes;

  SavedGuestFile& text(std::string_view text) { return raw(std::as_bytes(std::span{text})); }
  SavedGuestFile& raw(std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return *this;
  }
  /// Little endian.
  SavedGuestFile& u32(std::uint32_t value) { return raw(std::as_bytes(std::span{&value, 1})); }
  SavedGuestFile& be32(std::uint32_t value) { return u32(__builtin_bswap32(value)); }

  SavedGuestFile& xl_header(std::string_view config = "{\"name\":\"guest\"}",
                            std::uint32_t flags = 3) {
    text({"Xen saved domain, xl format\n \0 \r", 32});
    const auto size = static_cast<std::uint32_t>(config.size());
    return u32(0x01020304).u32(flags).u32(0).u32(size).text(config);
  }
  SavedGuestFile& libxl_header(std::uint32_t version = 2, std::uint32_t options = 0) {
    return text("LibxlFmt").be32(version).be32(options);
  }
  SavedGuestFile& record(std::uint32_t type, std::span<const std::byte> body = {}) {
    u32(type).u32(static_cast<std::uint32_t>(body.size())).raw(body);
    bytes.resize(bytes.size() + (8 - body.size() % 8) % 8);
    return *this;
  }
  /// LIBXC_CONTEXT and libxc's stream with `pages` records of a page of guest memory each.
  SavedGuestFile& libxc(unsigned pages = 3, std::uint32_t version = 3) {
    record(1);
    u32(0xffffffff).u32(0xffffffff).be32(0x58454e46).be32(version).u32(0).u32(0);
    u32(2).u32(12).u32(4).u32(17);  // the domain's header: HVM, 4 KiB pages, Xen 4.17
    const std::vector<std::byte> page(16 + 4096, std::byte{0x5a});
    for (unsigned i = 0; i < pages; ++i) {
      record(1, page);
    }
    return record(0);
  }
  SavedGuestFile& emulator(std::uint32_t type, std::span<const std::byte> blob) {
    SavedGuestFile body;
    body.u32(2).u32(0).raw(blob);
    return record(type, body.bytes);
  }

  /// The whole, as xl writes it.
  [[nodiscard]] static std::vector<std::byte> of(std::span<const std::byte> blob,
                                                 std::string_view config = "{}") {
    SavedGuestFile file;
    file.xl_header(config).libxl_header().libxc();
    constexpr std::array<char, 4> kKeyAndValue{'x', 0, 'y', 0};
    file.emulator(2, std::as_bytes(std::span{kKeyAndValue}));
    return file.emulator(3, blob).record(0).bytes;
  }
};

}  // namespace dm::rig
