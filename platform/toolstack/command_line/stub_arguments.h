// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dm::toolstack {

/// The part of xenstore that a stub domain's start needs. Relative paths are below the own
/// domain's directory.
class XenstoreReader {
 public:
  virtual ~XenstoreReader() = default;
  /// Nothing where there is no such node or it may not be read.
  [[nodiscard]] virtual std::optional<std::string> read(const std::string& path) const = 0;
  /// The names of a node's children; nothing as for read().
  [[nodiscard]] virtual std::optional<std::vector<std::string>> list(
      const std::string& path) const = 0;
};

/// What libxl wants a stub domain to do: the command line it would have given a process in dom0.
struct StubArguments {
  std::uint32_t domid = 0;  ///< of the guest
  std::vector<std::string> arguments;
};

/// More than libxl writes for any guest that we can serve: beyond it somebody else wrote them.
inline constexpr std::size_t kMaxStubArguments = 999;
inline constexpr std::size_t kMaxStubArgumentBytes = 65'536;  ///< of all together

/// Reads /vm/UUID/image/dm-argv/001 and so on. A list with a gap, or one that cannot be read whole,
/// is an error: half a command line would be a guest without half of its disks. Source: libxl_dm.c
/// (libxl__write_stub_dmargs).
[[nodiscard]] Result<StubArguments> read_stub_arguments(const XenstoreReader& xenstore);

/// The guest's PV disks that nobody serves, by name ("xvda"), at most kMostNamedDisks: libxl gives
/// those that are not raw to the device model in dom0, and beside a stub domain it starts one for
/// the stub domain's devices alone. CD-ROMs are left out: guests use the emulated drive.
/// Source: libxl_disk.c for the nodes.
inline constexpr std::size_t kMostNamedDisks = 8;
[[nodiscard]] std::vector<std::string> unserved_pv_disks(const XenstoreReader& xenstore,
                                                         std::uint32_t domid);

}  // namespace dm::toolstack
