// SPDX-License-Identifier: MIT
#pragma once

#include "core/obs/log.h"
#include "platform/linux/disk/file_disk.h"
#include "platform/linux/image/disk.h"
#include "tests/unit/platform/linux/support.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>
#include <vector>

namespace dm {

inline std::ostream& operator<<(std::ostream& out, BlockStatus status) {
  static constexpr const char* kNames[] = {"ok", "io_error", "no_space", "out_of_range",
                                           "read_only"};
  return out << kNames[static_cast<std::size_t>(status)];
}

}  // namespace dm

namespace dm::test {

/// Requests as a device makes them: buffers cut into spans.
struct Io {
  explicit Io(std::size_t size = 0, std::size_t piece = 4096) : buffer(size) {
    for (std::size_t at = 0; at < size; at += piece) {
      spans.push_back(std::span{buffer}.subspan(at, std::min(piece, size - at)));
    }
    request.owner = this;
    request.done = [](BlockRequest& done, BlockStatus result) noexcept {
      Io& self = *static_cast<Io*>(done.owner);
      self.status = result;
      ++self.completions;
      if (self.then) {
        self.then();
      }
    };
  }
  Io(const Io&) = delete;
  Io& operator=(const Io&) = delete;

  BlockRequest& as(BlockOp op, std::uint64_t offset, bool durable = false) {
    request.op = op;
    request.offset = offset;
    request.length = buffer.size();
    request.data = spans;
    request.durable = durable;
    completions = 0;
    return request;
  }
  BlockRequest& discard(std::uint64_t offset, std::uint64_t length) {
    as(BlockOp::discard, offset).length = length;
    return request;
  }
  [[nodiscard]] bool done() const { return completions != 0; }

  std::vector<std::byte> buffer;
  std::vector<std::span<std::byte>> spans;
  BlockRequest request;
  BlockStatus status = BlockStatus::ok;
  int completions = 0;
  std::function<void()> then;
};

struct DiskFixture {
  DiskFixture() {
    set_faults({});
    reset_calls();
    log::set_sink([](log::Level, std::string_view) noexcept {});
  }
  ~DiskFixture() {
    set_faults({});
    log::set_sink(nullptr);
  }

  std::unique_ptr<BlockBackend> open(const std::string& path, bool read_only = false) {
    DiskConfig config;
    config.path = path;
    config.read_only = read_only;
    return open(config);
  }
  std::unique_ptr<BlockBackend> open(const DiskConfig& config) {
    auto opened = host::open_disk(loop, config);
    BOOST_REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    return std::move(*opened);
  }
  std::string error_of(const std::string& path, bool read_only = false) {
    DiskConfig config;
    config.path = path;
    config.read_only = read_only;
    auto opened = host::open_disk(loop, config);
    BOOST_REQUIRE(!opened.has_value());
    return opened.error().message;
  }
  BlockStatus run(BlockBackend& disk, Io& io) {
    disk.submit(io.request);
    BOOST_TEST(run_until(loop, [&] { return io.done(); }));
    BOOST_TEST(io.completions == 1);
    return io.status;
  }
  BlockStatus run(BlockBackend& disk, Io& io, BlockOp op, std::uint64_t at, bool durable = false) {
    io.as(op, at, durable);
    return run(disk, io);
  }
  BlockStatus flush(BlockBackend& disk) {
    Io io;
    return run(disk, io, BlockOp::flush, 0);
  }
  static const host::FileDisk::Counters& counters(const BlockBackend& disk) {
    return static_cast<const host::FileDisk&>(disk).counters();
  }

  host::Loop loop;
  TempDir dir;
};

inline void expect_pattern(std::span<const std::byte> got, std::uint64_t from) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] != pattern(from + i)) {
      BOOST_FAIL("byte " << i << " of what was read at " << from << " is wrong");
    }
  }
}

inline void fill(std::span<std::byte> buffer, unsigned seed) {
  for (std::size_t i = 0; i < buffer.size(); ++i) {
    buffer[i] = static_cast<std::byte>((i * 7 + seed) & 0xff);
  }
}

inline constexpr std::uint64_t kMiB = 1 << 20;

}  // namespace dm::test
