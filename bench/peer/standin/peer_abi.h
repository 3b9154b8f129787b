// SPDX-License-Identifier: MIT
#pragma once

// What the stand-in libraries (inside the device model) and the synthetic guest share. Everything
// is found by path in the folder that the environment variable PEER_DIR names, since a device model
// may close every descriptor it inherits:
//   ram      the guest's memory: frame n at offset n * 4096
//   slots    two pages: 0 the buffered ring (never used), 1 the request slots (Xen public header
//   hvm/ioreq.h) control  one Control
//
// Descriptors are fetched out of the guest process (pidfd_getfd), whose pid and numbers Control
// has: a stream that speaks like /dev/xen/evtchn, an eventfd that wakes the vCPU, and the eventfd
// that takes the stream's place for whoever uses the library's own calls (see evtchn.cc). Nobody
// has to wake up for that, so it adds little to a start.

#include <atomic>
#include <cstdint>

namespace peer {

inline constexpr unsigned kMaxRanges = 256;
inline constexpr unsigned kRemotePort = 5;  ///< vp_eport of vCPU 0
inline constexpr unsigned kBufferedPort = 2;
inline constexpr unsigned kLocalPortOffset = 10;  ///< local port = remote port + this

enum RangeKind : std::uint32_t { range_free, range_port, range_mmio, range_pci };

struct Range {
  std::atomic<std::uint32_t> kind;
  std::uint32_t pad;
  std::uint64_t first;
  std::uint64_t last;  ///< inclusive
};

struct Control {
  std::uint64_t ram_pages;
  std::uint32_t slow_ns;  ///< test switch: added to every notification
  std::int32_t guest_pid;
  std::int32_t events_fd;
  std::int32_t wake_fd;
  std::int32_t quick_fd;
  std::atomic<std::uint32_t> running;  ///< device-model/N/state was written
  std::atomic<std::uint32_t> enabled;  ///< ioreq server
  std::atomic<std::uint32_t> server_exists;
  std::atomic<std::uint32_t> shutdown;  ///< reason + 1
  // The port's state once the eventfd carries it.
  std::atomic<std::uint32_t> by_eventfd;
  std::atomic<std::uint32_t> masked;
  std::atomic<std::uint32_t> pending;
  std::atomic<std::uint32_t> mapped_pages;
  std::atomic<std::uint32_t> unmapped_pages;
  alignas(64) std::atomic<std::uint8_t> isa_level[16];
  std::atomic<std::uint8_t> intx_level[32 * 4];
  std::atomic<std::uint8_t> link_route[4];
  alignas(64) Range ranges[kMaxRanges];
};

}  // namespace peer
