// SPDX-License-Identifier: MIT
#include "bench/peer/floor/floor.h"
#include "bench/peer/guest/e1000.h"

#include <fcntl.h>
#include <liburing.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <span>

namespace peer {

namespace {

int open_tap() {
  const int tap = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s", settings.tap.c_str());
  if (tap < 0 || ::ioctl(tap, TUNSETIFF, &request) != 0) {
    return -1;
  }
  ::ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4);
  return tap;
}

struct Header {  // virtio_net_hdr, whose own header is no C++
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t hdr_len = 0;
  std::uint16_t gso_size = 0;
  std::uint16_t csum_start = 0;
  std::uint16_t csum_offset = 0;
};

/// Sixteen frames a call, by an io_uring, none waiting for another; the time of one of them.
void batched(const char* name, int tap, std::span<const iovec> parts, std::size_t bytes) {
  constexpr unsigned kTogether = 16;
  io_uring ring{};
  if (::io_uring_queue_init(kTogether, &ring,
                            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) < 0) {
    return;
  }
  static_cast<void>(::io_uring_register_files(&ring, &tap, 1));
  std::vector<std::uint64_t> ticks = measure(times(50'000.0 / kTogether), [&] {
    for (unsigned i = 0; i < kTogether; ++i) {
      io_uring_sqe* const entry = ::io_uring_get_sqe(&ring);
      ::io_uring_prep_writev2(entry, 0, parts.data(), static_cast<unsigned>(parts.size()), 0,
                              RWF_NOWAIT);
      entry->flags |= IOSQE_FIXED_FILE;
    }
    static_cast<void>(::io_uring_submit_and_wait(&ring, kTogether));
    ::io_uring_cq_advance(&ring, kTogether);
  });
  ::io_uring_queue_exit(&ring);
  for (std::uint64_t& tick : ticks) {
    tick /= kTogether;
  }
  report(name, std::move(ticks), static_cast<double>(bytes));
}

}  // namespace

void tap_writes() {
  const int tap = settings.tap.empty() ? -1 : open_tap();
  if (tap < 0) {
    return;
  }
  std::vector<std::uint8_t> frame(65536, 0x55);
  // Ethernet to nobody here, IPv4, TCP: enough for the host to take it as a segment to be cut.
  const std::array<std::uint8_t, 54> head{
      0x02, 0, 0,    0, 0,  9, 0x02, 0, 0,  0, 0,    1,    0x08, 0x00, 0x45, 0, 0xff, 0xdc,
      0,    0, 0x40, 0, 64, 6, 0,    0, 10, 9, 0,    1,    10,   9,    0,    2, 0x10, 0,
      0x20, 0, 0,    0, 0,  1, 0,    0, 0,  1, 0x50, 0x10, 0xff, 0xff, 0,    0, 0,    0};
  std::copy(head.begin(), head.end(), frame.begin());
  const auto row = [&](const char* name, std::size_t bytes, std::span<const iovec> parts) {
    report(
        name,
        measure(times(50'000),
                [&] {
                  static_cast<void>(!::writev(tap, parts.data(), static_cast<int>(parts.size())));
                }),
        static_cast<double>(bytes));
  };
  const auto plain = [&](const char* name, const char* together, std::size_t bytes) {
    Header header;
    const std::array<iovec, 2> frame_parts{{{&header, sizeof header}, {frame.data(), bytes}}};
    row(name, bytes, frame_parts);
    batched(together, tap, frame_parts, bytes);
  };
  plain("floor_tap_write_60", "floor_tap_batch_60", 60);
  plain("floor_tap_write_1514", "floor_tap_batch_1514", 1514);
  // Headers and scattered pages, as the guest's driver has them (guest/e1000.cc).
  Header large{.flags = 1,
               .gso_type = 1,
               .hdr_len = 54,
               .gso_size = 1460,
               .csum_start = 34,
               .csum_offset = 16};
  constexpr std::size_t kPayload = 65160;
  std::vector<std::uint8_t> pages(16 * 8192, 0x55);
  std::vector<iovec> parts{{&large, sizeof large}, {frame.data(), head.size()}};
  for (std::size_t at = 0; at < kPayload; at += 4096) {
    parts.push_back(
        {&pages[at / 4096 * 7 % 16 * 8192], std::min<std::size_t>(4096, kPayload - at)});
  }
  row("floor_tap_write_tso", head.size() + kPayload, parts);
  ::close(tap);
}

void tap_reads(const char* row, std::uint32_t bytes) {
  const int tap = settings.tap.empty() ? -1 : open_tap();
  if (tap < 0) {
    return;
  }
  Wire wire{settings.tap};
  std::vector<std::uint8_t> frame(65536);
  std::vector<std::uint64_t> ticks;
  std::uint32_t number = 1;
  for (std::size_t round = 0; round < times(20); ++round) {
    if (!wire.inject(2000, bytes, number)) {
      break;
    }
    for (;;) {
      const std::uint64_t begin = Clock::ticks();
      const ssize_t got = ::read(tap, frame.data(), frame.size());
      if (got <= 0) {
        break;
      }
      ticks.push_back(Clock::ticks() - begin);
    }
    wire.forget();
  }
  ::close(tap);
  if (!ticks.empty()) {
    report(row, std::move(ticks), bytes);
  }
}

}  // namespace peer
