// SPDX-License-Identifier: MIT
// Every kind of disk when another device model is about to open its image
// (BlockBackend::hand_over): what was written is there for the other one, nothing is written any
// more, and the disk goes on if the guest does so here after all.
#include "tests/unit/platform/linux/disk_fixture.h"

#ifdef DM_TEST_NBD
#include "tests/unit/platform/linux/nbd_rig.h"
#endif

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

using namespace dm;
using namespace dm::test;

namespace {

struct HandOver : DiskFixture {
  struct Kind {
    std::string name;
    DiskConfig config;
    bool two_may_have_it = true;  ///< no lock
  };

  [[nodiscard]] Kind raw(std::string name, std::uint64_t size, bool direct = false) const {
    Kind kind{.name = std::move(name), .config = {}};
    kind.config.path = dir.image(kind.name, size);
    kind.config.direct = direct;
    return kind;
  }
  /// Null where the program is missing.
  [[nodiscard]] std::optional<Kind> converted(ImageFormat format) const {
    if (std::system("command -v qemu-nbd qemu-img > /dev/null") != 0) {
      std::fputs("NOT RUN: qemu-nbd and qemu-img (package qemu-utils) are not installed\n", stderr);
      return std::nullopt;
    }
    Kind kind{.name = std::string{name_of(format)}, .config = {}, .two_may_have_it = false};
    kind.config.path = dir.file("image." + kind.name);
    kind.config.format = format;
    const std::string command = "qemu-img convert -f raw -O " + kind.name + " " +
                                dir.image("plain." + kind.name, kMiB) + " " + kind.config.path +
                                " > /dev/null";
    BOOST_TEST_REQUIRE(std::system(command.c_str()) == 0);
    return kind;
  }
  [[nodiscard]] bool can_be_opened(const DiskConfig& config) {
    return host::open_disk(loop, config).has_value();
  }
  BlockStatus write(BlockBackend& disk, std::uint64_t at, unsigned seed) {
    Io io{4096};
    fill(io.buffer, seed);
    return run(disk, io, BlockOp::write, at);
  }
  bool reads_back(BlockBackend& disk, std::uint64_t at, unsigned seed) {
    Io in{4096};
    Io expected{4096};
    fill(expected.buffer, seed);
    return run(disk, in, BlockOp::read, at) == BlockStatus::ok && in.buffer == expected.buffer;
  }
  /// Through the whole of a migration that fails, twice.
  void conforms(const Kind& kind) {
    BOOST_TEST_CONTEXT(kind.name) {
      const auto disk = open(kind.config);
      const BlockInfo before = disk->info();
      for (unsigned round = 1; round < 3; ++round) {
        BOOST_TEST(write(*disk, 4096 * round, round) == BlockStatus::ok);
        if (!kind.two_may_have_it) {
          BOOST_TEST(!can_be_opened(kind.config));
        }
        BOOST_TEST(disk->hand_over() == BlockStatus::ok);
        {
          const auto other = open(kind.config);
          BOOST_TEST(reads_back(*other, 4096 * round, round));
        }
        BOOST_TEST(disk->in_flight() == 0U);
        BOOST_TEST(disk->take_back());
        BOOST_TEST(disk->info().size == before.size);
        BOOST_TEST(reads_back(*disk, 4096 * round, round));
        BOOST_TEST(disk->stats().operations[1] == round);
      }
      BOOST_TEST(disk->hand_over() == BlockStatus::ok);
      const std::string bytes = contents(kind.config.path);
      if (!kind.two_may_have_it) {
        BOOST_TEST(disk->flush_now() == BlockStatus::ok);
        BOOST_TEST(write(*disk, 0, 9) == BlockStatus::io_error);
      }
      BOOST_TEST((contents(kind.config.path) == bytes));
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(hand_over, HandOver)

BOOST_AUTO_TEST_CASE(raw_images_are_durable_and_go_on) {
  conforms(raw("file", kMiB));
  conforms(raw("ragged", kMiB + 100));
  conforms(raw("direct", kMiB, true));
  conforms(raw("ragged direct", kMiB + 100, true));
}

BOOST_AUTO_TEST_CASE(a_raw_image_is_synced_even_if_the_guest_never_flushed) {
  const auto disk = open(dir.image("file", kMiB));
  BOOST_TEST(write(*disk, 0, 1) == BlockStatus::ok);
  reset_calls();
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  BOOST_TEST(calls().syncs == 1U);
}

BOOST_AUTO_TEST_CASE(a_raw_image_that_cannot_be_synced_is_not_handed_over) {
  const auto disk = open(dir.image("file", kMiB));
  BOOST_TEST(write(*disk, 0, 1) == BlockStatus::ok);
  set_faults({.sync_error = EIO});
  BOOST_TEST(disk->hand_over() == BlockStatus::io_error);
}

#ifdef DM_TEST_NBD

BOOST_AUTO_TEST_CASE(images_with_a_lock_are_closed_and_had_again) {
  for (const ImageFormat format : {ImageFormat::qcow2, ImageFormat::vpc, ImageFormat::vmdk}) {
    if (const auto kind = converted(format)) {
      conforms(*kind);
    }
  }
}

/// The target's process was killed: its server ends a moment after the guest goes on here.
BOOST_AUTO_TEST_CASE(an_image_that_somebody_keeps_open_is_not_had_again) {
  const auto kind = converted(ImageFormat::qcow2);
  if (!kind) {
    return;
  }
  const auto disk = open(kind->config);
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  const auto other = open(kind->config);
  BOOST_TEST(!disk->take_back());
  BOOST_TEST(write(*disk, 0, 1) == BlockStatus::io_error);
  BOOST_TEST(write(*other, 0, 1) == BlockStatus::ok);
}

/// Two readers: a disc on both hosts at once.
BOOST_AUTO_TEST_CASE(a_read_only_image_stays_open_and_keeps_no_reader_out) {
  auto kind = converted(ImageFormat::qcow2);
  if (!kind) {
    return;
  }
  kind->config.read_only = true;
  const auto disk = open(kind->config);
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  const auto other = open(kind->config);
  Io io{4096};
  BOOST_TEST(run(*other, io, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(disk->take_back());
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
}

/// Another's server has no lock of ours. It is asked to make everything durable.
BOOST_AUTO_TEST_CASE(an_export_is_flushed_and_its_connection_stays) {
  NbdPeer peer{dir.file("socket"), {}};
  const auto disk = open(peer.address());
  BOOST_TEST(write(*disk, 4096, 3) == BlockStatus::ok);
  BOOST_TEST(disk->hand_over() == BlockStatus::ok);
  BOOST_TEST(peer.requests().back().type == 3U);
  const std::size_t asked = peer.requests().size();
  BOOST_TEST(disk->take_back());
  BOOST_TEST(peer.requests().size() == asked);
  BOOST_TEST(reads_back(*disk, 4096, 3));
}

#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
