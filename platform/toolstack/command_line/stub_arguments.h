// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dm::toolstack {

/// The part of xenstore that a stub domain's start needs. Relative paths are below our own domain's
/// directory.
class XenstoreReader {
 public:
  virtual ~XenstoreReader() = default;
  /// Nothing if there is no such node, or if it may not be read.
  [[nodiscard]] virtual std::optional<std::string> read(const std::string& path) const = 0;
  /// The names of a node's children; nothing in the same cases.
  [[nodiscard]] virtual std::optional<std::vector<std::string>> list(
      const std::string& path) const = 0;
};

/// What libxl wants a stub domain to do: the command line it would have given a process in dom0.
struct StubArguments {
  std::uint32_t domid = 0;  ///< of the guest
  std::vector<std::string> arguments;
};

/// Limits on a stub domain's arguments. libxl writes less for any guest that we can serve, so if
/// there is more, somebody else wrote it.
inline constexpr std::size_t kMaxStubArguments = 999;
inline constexpr std::size_t kMaxStubArgumentBytes = 65'536;  ///< sum over all arguments

/// Reads /vm/UUID/image/dm-argv/001 and so on. A list with a gap, or one that cannot be read whole,
/// is an error: with half a command line, a guest would run without half of its disks. Source:
/// libxl_dm.c (libxl__write_stub_dmargs).
[[nodiscard]] Result<StubArguments> read_stub_arguments(const XenstoreReader& xenstore);

/// The names ("xvda") of the guest's PV disks that nobody serves, at most kMostNamedDisks. libxl
/// gives PV disks that are not raw to the device model in dom0. But beside a stub domain, it starts
/// one only for the devices of the stub domain itself. CD-ROMs are left out, because guests use the
/// emulated drive. Source: libxl_disk.c for the nodes.
inline constexpr std::size_t kMostNamedDisks = 8;
[[nodiscard]] std::vector<std::string> unserved_pv_disks(const XenstoreReader& xenstore,
                                                         std::uint32_t domid);

/// The file of this domain whose bytes are in a CD-ROM drive: "/dev/xvdc", or /dev/null for a drive
/// that is to be empty. `device` is the number of libxl's name for it, "5632"; `position` that of
/// IDE, 0 to 3, after which Linux's blkfront names the disk. Nothing while there is no such disk.
/// libxl writes both ends of a disk at once, so this tells what is meant to be there; the kernel
/// follows, and until it has, the file is not there. Source: libxl_disk.c for the nodes.
[[nodiscard]] std::optional<std::string> disc_file(const XenstoreReader& xenstore,
                                                   const std::string& device,
                                                   unsigned position);

}  // namespace dm::toolstack
