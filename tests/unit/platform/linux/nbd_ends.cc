// SPDX-License-Identifier: MIT
// NBD servers that go, or fall silent, at every byte of every exchange: each request ends once, and
// whoever waits has one deadline.
#include "platform/linux/nbd/nbd_disk.h"
#include "platform/linux/nbd/nbd_open.h"
#include "tests/rig/nbd_script.h"
#include "tests/unit/platform/linux/disk_fixture.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string>

using namespace dm;
using namespace dm::test;

namespace {

using Manner = NbdScript::Manner;

/// Who waits: the loop's turns first, or at once. The last two close the disk.
enum class Waits { by_loop, drain, flush_now, close };
constexpr std::array kWays{Waits::by_loop, Waits::drain, Waits::flush_now, Waits::close};

struct Seen {
  bool opened = false;
  std::size_t sent = 0;      ///< by the server
  std::size_t received = 0;  ///< by it
  std::size_t failed = 0;    ///< requests
};

struct EndsFixture : DiskFixture {
  static constexpr std::chrono::seconds kPatience{20};
  static constexpr std::chrono::seconds kFarewell{1};

  std::unique_ptr<BlockBackend> connect(NbdScript& server) {
    DiskConfig config;
    config.path = "nbd:unix:/x";
    auto opened = host::open_nbd_connection(loop, config, server.take_client(), 10s, server);
    return opened ? std::move(*opened) : nullptr;
  }
  /// What a guest asks for at once: every operation, a durable write among them, spans that are
  /// commands of their own.
  static void ask(BlockBackend& disk, std::deque<Io>& all, std::size_t spans) {
    const auto add = [&](std::size_t size, std::size_t piece) -> Io& {
      Io& io = all.emplace_back(size, piece);
      std::ranges::reverse(io.spans);  // none adjoins the next
      return io;
    };
    disk.submit(add(512, 512).as(BlockOp::write, 0, true));
    disk.submit(add(spans * 16, 16).as(BlockOp::read, 512));
    disk.submit(add(64, 64).as(BlockOp::write, 1024));
    disk.submit(all.emplace_back(0).as(BlockOp::flush, 0));
    disk.submit(all.emplace_back(0).discard(4096, 4096));
    disk.submit(add(32, 16).as(BlockOp::write, 2048, true));
  }
  void turn(NbdScript& server, const std::deque<Io>& all) {
    for (unsigned i = 0; i < 400 && !std::ranges::all_of(all, &Io::done); ++i) {
      server.act();
      loop.poll();
    }
  }
  /// One life of a disk. What must hold is looked at here.
  Seen live(const Manner& manner, Waits waits, std::size_t spans = 4) {
    NbdScript server{manner};
    Seen seen;
    auto disk = connect(server);
    seen.opened = disk != nullptr;
    const auto before = server.passed;
    BOOST_TEST((before <= 10s));
    std::deque<Io> all;
    if (seen.opened) {
      ask(*disk, all, spans);
      server.waits = 0;
      const auto handlers = loop.counters().handlers;
      switch (waits) {
        case Waits::by_loop:
          turn(server, all);
          disk->drain();
          break;
        case Waits::drain:
          disk->drain();
          break;
        case Waits::flush_now:
          static_cast<void>(disk->flush_now());
          break;
        case Waits::close:
          break;
      }
      if (waits != Waits::close) {
        BOOST_TEST(disk->in_flight() == 0U);
        BOOST_TEST((server.passed - before <= kPatience));
        check_after(*disk, server);
      }
      disk.reset();
      BOOST_TEST((server.passed - before <= kPatience + kFarewell));
      BOOST_TEST(server.waits <= 200 + 2 * (server.sent + server.received));
      BOOST_TEST(loop.counters().handlers - handlers <= 2000U);
    }
    for (const Io& io : all) {
      BOOST_TEST(io.completions == 1);
      seen.failed += io.status != BlockStatus::ok ? 1U : 0U;
    }
    check_data(all);
    seen.sent = server.sent;
    seen.received = server.received;
    return seen;
  }
  /// A lost disk says so at once and stays quiet; a live one answers.
  void check_after(BlockBackend& disk, NbdScript& server) {
    if (!server.connected()) {
      Io late{512};
      disk.submit(late.as(BlockOp::write, 0, true));
      disk.drain();
      BOOST_TEST(late.completions == 1);
      BOOST_TEST(late.status == BlockStatus::io_error);
      BOOST_TEST((disk.flush_now() == BlockStatus::io_error));
      while (loop.poll()) {
      }
      const auto handlers = loop.counters().handlers;
      for (unsigned i = 0; i < 5; ++i) {
        loop.poll();
      }
      BOOST_TEST(loop.counters().handlers == handlers);
    }
  }
  /// What was read is right, or said to be wrong.
  static void check_data(std::deque<Io>& all) {
    if (all.size() > 1 && all[1].status == BlockStatus::ok) {
      std::uint64_t at = 512;
      for (const auto span : all[1].spans) {
        for (const std::byte got : span) {
          BOOST_REQUIRE(got == NbdScript::byte_at(at));
          ++at;
        }
      }
    }
  }
  void for_each_server(const std::function<void(const Manner&)>& work) {
    constexpr std::uint16_t kBase = NbdScript::kHasFlags;
    constexpr std::uint16_t kFlush = NbdScript::kFlush;
    constexpr std::uint16_t kFua = NbdScript::kFua;
    constexpr std::uint16_t kTrim = NbdScript::kTrim;
    for (const bool structured : {false, true}) {
      for (const unsigned flags :
           {unsigned{kBase}, kBase | unsigned{kFlush}, kBase | unsigned{kFlush} | kFua,
            kBase | unsigned{kFlush} | kFua | kTrim, kBase | unsigned{kFua} | kTrim,
            kBase | unsigned{kFlush} | kTrim}) {
        BOOST_TEST_CONTEXT("flags " << flags << ", structured " << structured) {
          work({.flags = static_cast<std::uint16_t>(flags), .structured = structured});
        }
      }
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(nbd_ends, EndsFixture)

BOOST_AUTO_TEST_CASE(a_server_that_stays_serves_everything) {
  for_each_server([this](const Manner& manner) {
    for (const Waits waits : kWays) {
      const Seen seen = live(manner, waits);
      BOOST_TEST(seen.opened);
      BOOST_TEST(seen.failed == 0U);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_server_may_go_at_any_byte_it_sends) {
  for_each_server([this](const Manner& manner) {
    const std::size_t all = live(manner, Waits::drain).sent;
    for (std::size_t limit = 0; limit < all; ++limit) {
      BOOST_TEST_CONTEXT("after " << limit << " bytes") {
        Manner goes = manner;
        goes.send_limit = limit;
        goes.hangs_up = true;
        live(goes, kWays.at(limit % kWays.size()));
        if (limit % 7 == 0) {
          live(goes, kWays.at((limit + 1) % kWays.size()));
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(a_server_may_go_at_any_byte_it_takes) {
  for_each_server([this](const Manner& manner) {
    const std::size_t all = live(manner, Waits::drain).received;
    for (std::size_t limit = 1; limit < all; ++limit) {
      BOOST_TEST_CONTEXT("after " << limit << " bytes") {
        Manner goes = manner;
        goes.receive_limit = limit;
        goes.hangs_up = true;
        live(goes, kWays.at(limit % kWays.size()));
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(a_server_may_fall_silent_at_any_byte) {
  for_each_server([this](const Manner& manner) {
    const std::size_t all = live(manner, Waits::drain).sent;
    for (std::size_t limit = 0; limit < all; limit += 3) {
      BOOST_TEST_CONTEXT("after " << limit << " bytes") {
        Manner silent = manner;
        silent.send_limit = limit;
        live(silent, kWays.at(1 + limit % 3));
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(a_server_that_dribbles_moves_no_deadline) {
  for_each_server([this](const Manner& manner) {
    NbdScript::Manner dribbles = manner;
    dribbles.size = 1 << 20;
    NbdScript server{dribbles};
    const auto disk = connect(server);
    BOOST_REQUIRE(disk != nullptr);
    std::deque<Io> all;
    ask(*disk, all, 200);
    server.set_dribbling(true);
    const auto before = server.passed;
    // Whoever waits, and as often as he does before the loop goes on.
    static_cast<void>(disk->flush_now());
    disk->drain();
    static_cast<void>(disk->flush_now());
    BOOST_TEST((server.passed - before <= kPatience));
    BOOST_TEST((server.passed - before >= kPatience - 1s));
    BOOST_TEST(server.waits < 100U);
    for (const Io& io : all) {
      BOOST_TEST(io.completions == 1);
    }
  });
}

BOOST_AUTO_TEST_CASE(many_requests_of_many_spans_end_once_each_wherever_it_goes) {
  const Manner manner{.flags = NbdScript::kHasFlags | NbdScript::kFlush};
  const std::size_t all = live(manner, Waits::drain, 300).sent;
  for (std::size_t limit = 0; limit < all; limit += 97) {
    for (const bool hangs_up : {false, true}) {
      Manner goes = manner;
      goes.send_limit = limit;
      goes.hangs_up = hangs_up;
      BOOST_TEST_CONTEXT("after " << limit << " bytes") {
        live(goes, hangs_up ? kWays.at(limit % 4) : Waits::flush_now, 300);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_durable_write_whose_flush_was_never_answered_is_an_error) {
  // The server acknowledges the write, has no FUA, and goes at once.
  const Manner manner{.flags = NbdScript::kHasFlags | NbdScript::kFlush, .structured = false};
  NbdScript server{manner};
  const auto disk = connect(server);
  BOOST_REQUIRE(disk != nullptr);
  Io io{512};
  disk->submit(io.as(BlockOp::write, 0, true));
  server.act();  // takes the write, and answers
  server.hang_up();
  for (unsigned i = 0; i < 8; ++i) {
    loop.poll();  // reads both at once
  }
  BOOST_TEST(io.completions == 1);
  disk->drain();
  BOOST_TEST(io.completions == 1);
  BOOST_TEST(io.status == BlockStatus::io_error);
  BOOST_TEST(io.request.done_bytes == 0U);
  BOOST_TEST((disk->flush_now() == BlockStatus::io_error));
}

BOOST_AUTO_TEST_CASE(an_export_that_ends_within_a_sector_ends_the_same_way) {
  for (std::size_t limit = 0; limit < 900; limit += 5) {
    for (const bool hangs_up : {false, true}) {
      NbdScript server{{.size = 8192 + 100,
                        .flags = NbdScript::kHasFlags | NbdScript::kFlush,
                        .send_limit = limit,
                        .hangs_up = hangs_up}};
      const auto disk = connect(server);
      if (disk == nullptr) {
        continue;
      }
      const auto before = server.passed;
      std::deque<Io> all;
      for (unsigned i = 0; i < 8; ++i) {
        disk->submit(all.emplace_back(1024, 300).as(BlockOp::read, 8192 - 512));
        disk->submit(all.emplace_back(512).as(BlockOp::write, 8192, true));
      }
      disk->drain();
      BOOST_TEST(disk->in_flight() == 0U);
      BOOST_TEST((server.passed - before <= kPatience));
      for (const Io& io : all) {
        BOOST_TEST(io.completions == 1);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
