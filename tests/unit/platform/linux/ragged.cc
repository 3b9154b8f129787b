// SPDX-License-Identifier: MIT
// Images that end within a sector: the disk has that sector, the image stays as long as it is.
#include "tests/unit/platform/linux/disk_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#ifdef DM_TEST_NBD
#include "tests/unit/platform/linux/nbd_rig.h"
#endif

using namespace dm;
using namespace dm::test;

namespace {

std::string logged;

enum class Way { cached, direct, nbd };

struct RaggedFixture : DiskFixture {
  static constexpr std::array<std::uint64_t, 11> kSizes{1,    100,  511,  513,    612,      2047,
                                                        2049, 4097, 8191, 135000, 123456789};
  static constexpr std::size_t kLooked = 16384;

  RaggedFixture() {
    logged.clear();
    log::set_sink([](log::Level, std::string_view line) noexcept { logged.append(line) += '\n'; });
  }
  /// A file of so many bytes, whose last 16 KiB are its pattern.
  std::string make(std::uint64_t size) {
    const std::string path = dir.file("i" + std::to_string(++images));
    std::string end(std::min<std::uint64_t>(size, kLooked), '\0');
    for (std::size_t i = 0; i < end.size(); ++i) {
      end[i] = static_cast<char>(pattern(size - end.size() + i));
    }
    { std::ofstream file{path, std::ios::binary}; }
    std::filesystem::resize_file(path, size - end.size());
    std::ofstream{path, std::ios::binary | std::ios::app} << end;
    return path;
  }
  /// Nullptr where this way is not there.
  std::unique_ptr<BlockBackend> open_as(Way way, const std::string& path, bool disc = false) {
    DiskConfig config;
    config.path = path;
    config.cdrom = config.read_only = disc;
    config.direct = way == Way::direct;
    if (way == Way::direct) {
      const host::UniqueFd fd{::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC)};
      if (!fd) {
        std::fputs("NOT RUN: the file system below /var/tmp has no O_DIRECT\n", stderr);
        return nullptr;
      }
    }
    if (way == Way::nbd) {
#ifdef DM_TEST_NBD
      server.emplace(dir.file("s" + std::to_string(++images)),
                     NbdPeer::Manner{.size = std::filesystem::file_size(path)});
      std::ranges::copy(bytes(contents(path)), server->image().begin());
      config.path = server->address();
#else
      return nullptr;
#endif
    }
    return open(config);
  }
  /// What is stored, its last 16 KiB.
  std::string stored(Way way, const std::string& path) {
#ifdef DM_TEST_NBD
    if (way == Way::nbd) {
      const auto end =
          std::span{server->image()}.last(std::min<std::size_t>(server->image().size(), kLooked));
      return {reinterpret_cast<const char*>(end.data()), end.size()};
    }
#endif
    static_cast<void>(way);
    const std::uint64_t size = std::filesystem::file_size(path);
    std::string end(std::min<std::uint64_t>(size, kLooked), '\0');
    std::ifstream file{path, std::ios::binary};
    file.seekg(static_cast<std::streamoff>(size - end.size()));
    file.read(end.data(), static_cast<std::streamsize>(end.size()));
    return end;
  }
  std::uint64_t stored_size(Way way, const std::string& path) {
#ifdef DM_TEST_NBD
    if (way == Way::nbd) {
      return server->image().size();
    }
#endif
    static_cast<void>(way);
    return std::filesystem::file_size(path);
  }
  static void expect_sector(std::span<const std::byte> got, std::uint64_t at, std::uint64_t size) {
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::byte right = at + i < size ? pattern(at + i) : std::byte{0};
      if (got[i] != right) {
        BOOST_FAIL("byte " << i << " of what was read at " << at << " of " << size << " is wrong");
      }
    }
  }
  void for_each(const std::function<void(Way, std::uint64_t)>& work) {
    for (const Way way : {Way::cached, Way::direct, Way::nbd}) {
      for (const std::uint64_t size : kSizes) {
        if (way == Way::nbd && size > kMiB) {
          continue;  // its server keeps all of it in memory
        }
        BOOST_TEST_CONTEXT("way " << static_cast<int>(way) << ", size " << size) {
          work(way, size);
        }
      }
    }
  }

  int images = 0;
#ifdef DM_TEST_NBD
  std::optional<NbdPeer> server;
#endif
};

constexpr std::uint64_t sectors_of(std::uint64_t size, std::uint64_t sector) {
  return (size + sector - 1) / sector * sector;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ragged, RaggedFixture)

BOOST_AUTO_TEST_CASE(the_last_sector_is_there_and_reads_as_zeros_behind_the_end) {
  for_each([this](Way way, std::uint64_t size) {
    for (const bool disc : {false, true}) {
      const std::string path = make(size);
      const auto disk = open_as(way, path, disc);
      if (disk == nullptr) {
        return;
      }
      const std::uint64_t sector = disc ? 2048 : 512;
      const std::uint64_t all = sectors_of(size, sector);
      BOOST_TEST(disk->info().size == all);
      BOOST_TEST(disk->info().read_only == disc);
      Io last{sector};
      fill(last.buffer, 7);
      BOOST_TEST(run(*disk, last, BlockOp::read, all - sector) == BlockStatus::ok);
      BOOST_TEST(last.request.done_bytes == sector);
      expect_sector(last.buffer, all - sector, size);
      // Many sectors, cut anywhere, up to the end: what read-ahead asks for.
      for (const std::size_t piece : {std::size_t{300}, std::size_t{512}, std::size_t{100'000}}) {
        const std::uint64_t length = std::min<std::uint64_t>(all, 8192);
        Io many{length, piece};
        fill(many.buffer, 9);
        BOOST_TEST(run(*disk, many, BlockOp::read, all - length) == BlockStatus::ok);
        BOOST_TEST(many.request.done_bytes == length);
        expect_sector(many.buffer, all - length, size);
      }
      Io beyond{sector};
      BOOST_TEST(run(*disk, beyond, BlockOp::read, all) == BlockStatus::out_of_range);
      BOOST_TEST(run(*disk, beyond, BlockOp::read, ~std::uint64_t{0}) == BlockStatus::out_of_range);
      Io over{2 * sector};
      BOOST_TEST(run(*disk, over, BlockOp::read, all - sector) == BlockStatus::out_of_range);
      BOOST_TEST(disk->in_flight() == 0U);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_write_into_it_goes_up_to_the_end_and_is_an_error_beyond) {
  for_each([this](Way way, std::uint64_t size) {
    for (const bool durable : {false, true}) {
      const std::string path = make(size);
      const auto disk = open_as(way, path);
      if (disk == nullptr) {
        return;
      }
      const std::uint64_t all = sectors_of(size, 512);
      const std::uint64_t length = std::min<std::uint64_t>(all, 6144);
      const std::uint64_t at = all - length;
      Io out{length, 700};
      fill(out.buffer, 3);
      std::string right = stored(way, path);
      std::ranges::copy(std::span{out.buffer}.first(size - at),
                        std::as_writable_bytes(std::span{right}).last(size - at).begin());
      BOOST_TEST(run(*disk, out, BlockOp::write, at, durable) == BlockStatus::io_error);
      BOOST_TEST(out.request.done_bytes == size - at);
      BOOST_TEST((stored(way, path) == right));
      Io back{length};
      BOOST_TEST(run(*disk, back, BlockOp::read, at) == BlockStatus::ok);
      BOOST_TEST(std::equal(out.buffer.begin(),
                            out.buffer.begin() + static_cast<std::ptrdiff_t>(size - at),
                            back.buffer.begin()));
      BOOST_TEST(std::all_of(back.buffer.begin() + static_cast<std::ptrdiff_t>(size - at),
                             back.buffer.end(), [](std::byte b) { return b == std::byte{0}; }));
      if (all > 512) {  // whole sectors before it are written as ever
        Io before{512};
        BOOST_TEST(run(*disk, before, BlockOp::write, all - 1024, durable) == BlockStatus::ok);
      }
      BOOST_TEST(flush(*disk) == BlockStatus::ok);
      BOOST_TEST((disk->flush_now() == BlockStatus::ok));
      BOOST_TEST(stored_size(way, path) == size);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_discard_ends_where_the_image_does) {
  for_each([this](Way way, std::uint64_t size) {
    const std::string path = make(size);
    const auto disk = open_as(way, path);
    if (disk == nullptr) {
      return;
    }
    const std::uint64_t all = sectors_of(size, 512);
    Io io;
    io.discard(all - 512, 512);
    BOOST_TEST(run(*disk, io) == BlockStatus::ok);
    io.discard(0, all);
    BOOST_TEST(run(*disk, io) == BlockStatus::ok);
    BOOST_TEST(stored_size(way, path) == size);
    io.discard(all - 512, 1024);
    BOOST_TEST(run(*disk, io) == BlockStatus::out_of_range);
  });
}

BOOST_AUTO_TEST_CASE(many_at_once_end_once_each_by_the_loop_and_by_a_drain) {
  for (const Way way : {Way::cached, Way::direct, Way::nbd}) {
    for (const bool by_drain : {false, true}) {
      const std::uint64_t size = 9'700;
      const std::string path = make(size);
      const auto disk = open_as(way, path, true);
      if (disk == nullptr) {
        continue;
      }
      const std::uint64_t all = sectors_of(size, 2048);
      std::deque<Io> many;
      for (unsigned i = 0; i < 100; ++i) {
        // Through the end; wholly behind it; before it.
        const std::uint64_t at = i % 3 == 0 ? all - 1024 : i % 3 == 1 ? all - 512 : 0;
        disk->submit(many.emplace_back(at == all - 1024 ? 1024 : 512).as(BlockOp::read, at));
      }
      BOOST_TEST(disk->in_flight() <= 100U);
      if (by_drain) {
        disk->drain();
      } else {
        BOOST_TEST(run_until(loop, [&] {
          return std::all_of(many.begin(), many.end(), [](const Io& io) { return io.done(); });
        }));
      }
      BOOST_TEST(disk->in_flight() == 0U);
      for (const Io& io : many) {
        BOOST_TEST(io.completions == 1);
        BOOST_TEST(io.status == BlockStatus::ok);
        expect_sector(io.buffer, io.request.offset, size);
      }
      BOOST_TEST(disk->stats().operations[0] == 100U);
      BOOST_TEST(disk->stats().bytes[0] == 33U * 512 + 34U * 1024 + 33U * 512);
      BOOST_TEST(disk->stats().failed[0] == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_wait_from_inside_an_answer_ends) {
  const std::string path = make(9'700);
  const auto disk = open_as(Way::cached, path, true);
  const std::uint64_t all = sectors_of(9'700, 2048);
  Io first{512};
  Io second{512};
  disk->submit(first.as(BlockOp::read, all - 512));
  disk->submit(second.as(BlockOp::read, all - 512));
  first.then = [&] { disk->drain(); };
  disk->drain();
  BOOST_TEST(first.completions == 1);
  BOOST_TEST(second.completions == 1);
}

BOOST_AUTO_TEST_CASE(what_was_found_is_told_once) {
  const auto count = [](std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = logged.find(what, at)) != std::string::npos; ++at) {
      ++found;
    }
    return found;
  };
  for (const Way way : {Way::cached, Way::direct, Way::nbd}) {
    logged.clear();
    const auto disk = open_as(way, make(612));
    if (disk == nullptr) {
      continue;
    }
    Io io{512};
    BOOST_TEST(run(*disk, io, BlockOp::read, 512) == BlockStatus::ok);
    BOOST_TEST(run(*disk, io, BlockOp::write, 512) == BlockStatus::io_error);
    BOOST_TEST(run(*disk, io, BlockOp::write, 512) == BlockStatus::io_error);
    BOOST_TEST(count("no multiple of a sector of 512") == 1U);
    BOOST_TEST(count("from byte 100 on") == 1U);
    logged.clear();
    BOOST_TEST(open_as(way, make(4096)) != nullptr);
    BOOST_TEST(count("no multiple") == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_disc_that_is_put_in_later_has_its_last_sector_too) {
  for (const std::uint64_t size : {std::uint64_t{2047}, std::uint64_t{2049}, std::uint64_t{512}}) {
    const std::string path = make(size);
    auto opened = host::open_disc(
        loop, path, host::UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}, ImageFormat::raw);
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST((*opened)->info().size == sectors_of(size, 2048));
    Io io{2048};
    BOOST_TEST(run(**opened, io, BlockOp::read, sectors_of(size, 2048) - 2048) == BlockStatus::ok);
    expect_sector(io.buffer, sectors_of(size, 2048) - 2048, size);
  }
}

BOOST_AUTO_TEST_CASE(an_image_of_nothing_is_still_empty) {
  const std::string path = dir.file("empty");
  { std::ofstream file{path}; }
  BOOST_TEST(error_of(path).find("empty") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
