// SPDX-License-Identifier: MIT
// NBD exports, over a server that answers as the test wants.
#include "platform/linux/nbd/nbd_disk.h"
#include "tests/unit/platform/linux/disk_fixture.h"
#include "tests/unit/platform/linux/nbd_rig.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <optional>
#include <string>

using namespace dm;
using namespace dm::test;

namespace {

constexpr std::uint32_t kNbdEio = 5, kNbdEnospc = 28;

struct NbdFixture : DiskFixture {
  std::unique_ptr<BlockBackend> connect(NbdPeer::Manner manner = {}, bool read_only = false) {
    peer.reset();
    peer.emplace(dir.file("s" + std::to_string(++peers)), std::move(manner));
    return open(peer->address(), read_only);
  }
  std::string error_with(NbdPeer::Manner manner) {
    peer.reset();
    peer.emplace(dir.file("s" + std::to_string(++peers)), std::move(manner));
    return error_of(peer->address());
  }
  std::size_t count(std::uint16_t type) const {
    const auto all = peer->requests();
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [=](const NbdRequest& request) { return request.type == type; }));
  }
  static void be_patient(BlockBackend& disk, std::chrono::milliseconds time) {
    static_cast<host::NbdDisk&>(disk).set_patience(time);
  }

  int peers = 0;
  std::optional<NbdPeer> peer;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(nbd, NbdFixture)

BOOST_AUTO_TEST_CASE(an_export_is_read_and_written_by_any_cut) {
  const auto disk = connect();
  BOOST_TEST(disk->info().size == kMiB);
  BOOST_TEST(!disk->info().read_only);
  BOOST_TEST(disk->info().can_discard);
  for (const std::size_t piece : {std::size_t{512}, std::size_t{1536}, std::size_t{65536}}) {
    Io in{256 * 1024, piece};
    BOOST_TEST(run(*disk, in, BlockOp::read, 4096) == BlockStatus::ok);
    BOOST_TEST(in.request.done_bytes == 256U * 1024);
    expect_pattern(in.buffer, 4096);
  }
  Io out{100 * 512, 512};
  fill(out.buffer, 3);
  BOOST_TEST(run(*disk, out, BlockOp::write, 512) == BlockStatus::ok);
  Io back{100 * 512, 4096};
  BOOST_TEST(run(*disk, back, BlockOp::read, 512) == BlockStatus::ok);
  BOOST_TEST((back.buffer == out.buffer));
}

BOOST_AUTO_TEST_CASE(spans_that_adjoin_are_one_command) {
  const auto disk = connect();
  Io in{64 * 1024, 4096};
  BOOST_TEST(run(*disk, in, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(count(0) == 1U);
  std::swap(in.spans[3], in.spans[7]);
  BOOST_TEST(run(*disk, in, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(count(0) == 6U);
}

BOOST_AUTO_TEST_CASE(nothing_is_done_inside_submit_and_everything_by_the_loop) {
  const auto disk = connect();
  std::deque<Io> many;
  for (unsigned i = 0; i < 200; ++i) {
    disk->submit(many.emplace_back(4096, 512).as(BlockOp::read, std::uint64_t{i} * 4096));
    BOOST_TEST(!many.back().done());
  }
  Io refused{4096};
  disk->submit(refused.as(BlockOp::read, kMiB));
  BOOST_TEST(!refused.done());
  BOOST_TEST(disk->in_flight() == 201U);
  BOOST_TEST(disk->engine() == "NBD");
  BOOST_TEST(run_until(loop, [&] {
    return refused.done() &&
           std::all_of(many.begin(), many.end(), [](const Io& io) { return io.done(); });
  }));
  BOOST_TEST(disk->in_flight() == 0U);
  BOOST_TEST(refused.status == BlockStatus::out_of_range);
  for (unsigned i = 0; i < 200; ++i) {
    BOOST_TEST(many[i].completions == 1);
    expect_pattern(many[i].buffer, std::uint64_t{i} * 4096);
  }
}

BOOST_AUTO_TEST_CASE(answers_in_any_order_find_their_requests) {
  std::vector<NbdRequest> held;
  const auto disk = connect({.answer = [&held](NbdPeer& server, const NbdRequest& request) {
    held.push_back(request);
    if (held.size() == 8) {
      std::for_each(held.rbegin(), held.rend(),
                    [&](const NbdRequest& one) { server.good_answer(one); });
      held.clear();
    }
    return true;
  }});
  std::deque<Io> many;
  for (unsigned i = 0; i < 32; ++i) {
    disk->submit(many.emplace_back(8192).as(BlockOp::read, std::uint64_t{i} * 8192));
  }
  disk->drain();
  for (unsigned i = 0; i < 32; ++i) {
    BOOST_TEST(many[i].status == BlockStatus::ok);
    expect_pattern(many[i].buffer, std::uint64_t{i} * 8192);
  }
}

BOOST_AUTO_TEST_CASE(past_the_end_and_read_only_reach_no_server) {  // B15, B31
  const auto disk = connect({}, true);
  BOOST_TEST(disk->info().read_only);
  Io io{1024};
  const std::uint64_t huge = ~std::uint64_t{0};
  for (const std::uint64_t at : {kMiB - 512, kMiB, huge, huge - 1023}) {
    BOOST_TEST(run(*disk, io, BlockOp::read, at) == BlockStatus::out_of_range);
  }
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::read_only);
  io.discard(0, 1024);
  BOOST_TEST(run(*disk, io) == BlockStatus::read_only);
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST((disk->flush_now() == BlockStatus::ok));
  BOOST_TEST(peer->requests().size() == 0U);
}

BOOST_AUTO_TEST_CASE(flush_fua_and_trim_are_the_servers) {
  const auto disk = connect();
  Io io{4096};
  BOOST_TEST(flush(*disk) == BlockStatus::ok);  // an earlier process may have left something
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST(count(3) == 1U);
  BOOST_TEST(run(*disk, io, BlockOp::write, 0, true) == BlockStatus::ok);
  BOOST_TEST((peer->requests().back().flags & 1U) == 1U);
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  BOOST_TEST(count(3) == 1U);
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  BOOST_TEST((disk->flush_now() == BlockStatus::ok));
  BOOST_TEST(count(3) == 2U);
  io.discard(8192, 65536);
  BOOST_TEST(run(*disk, io) == BlockStatus::ok);
  BOOST_TEST(count(4) == 1U);
  BOOST_TEST(peer->requests().back().length == 65536U);
}

BOOST_AUTO_TEST_CASE(without_fua_a_durable_write_ends_with_a_flush) {
  const auto disk = connect({.flags = NbdPeer::kHasFlags | NbdPeer::kFlush});
  BOOST_TEST(!disk->info().can_discard);
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::write, 0, true) == BlockStatus::ok);
  const auto all = peer->requests();
  BOOST_REQUIRE_EQUAL(all.size(), 2U);
  BOOST_TEST(all[0].type == 1U);
  BOOST_TEST(all[0].flags == 0U);
  BOOST_TEST(all[1].type == 3U);
  io.discard(0, 4096);
  BOOST_TEST(run(*disk, io) == BlockStatus::ok);  // a hint
}

BOOST_AUTO_TEST_CASE(a_failed_flush_fails_for_good) {  // B33
  bool fail_once = true;
  const auto disk = connect({.answer = [&](NbdPeer& server, const NbdRequest& request) {
    if (request.type == 3 && std::exchange(fail_once, false)) {
      server.reply(request.cookie, kNbdEio);
      return true;
    }
    return false;
  }});
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::ok);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST((disk->flush_now() == BlockStatus::io_error));
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(an_error_fails_its_request_and_says_how_far_it_got) {
  const auto disk = connect({.answer = [](NbdPeer& server, const NbdRequest& request) {
    const bool bad = request.offset == 8192;
    if (bad) {
      server.reply(request.cookie, request.type == 1 ? kNbdEnospc : kNbdEio);
    }
    return bad;
  }});
  Io io{16384};
  std::swap(io.spans[0], io.spans[2]);  // each span its own command
  std::swap(io.spans[1], io.spans[3]);
  std::swap(io.spans[0], io.spans[1]);
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::io_error);
  BOOST_TEST(io.request.done_bytes == 8192U);
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::no_space);
  BOOST_TEST(run(*disk, io, BlockOp::read, 65536) == BlockStatus::ok);
}

BOOST_AUTO_TEST_CASE(a_server_that_hangs_up_is_a_broken_disk_and_never_silence) {
  const auto disk = connect({.answer = [](NbdPeer& server, const NbdRequest& request) {
    if (request.type == 1) {
      server.hang_up();
      return true;
    }
    return false;
  }});
  Io io{65536};
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
  Io one{4096};
  Io two{4096};
  disk->submit(one.as(BlockOp::write, 0));
  disk->submit(two.as(BlockOp::read, 0));
  BOOST_TEST(run_until(loop, [&] { return one.done() && two.done(); }));
  BOOST_TEST(one.status == BlockStatus::io_error);
  BOOST_TEST(two.status == BlockStatus::io_error);
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::io_error);
  BOOST_TEST(flush(*disk) == BlockStatus::io_error);
  BOOST_TEST((disk->flush_now() == BlockStatus::io_error));
  run_for(loop, 20ms);
  BOOST_TEST(stays_idle(loop, 50ms));
}

BOOST_AUTO_TEST_CASE(a_server_that_goes_while_nothing_is_under_way_is_noticed_by_the_next_request) {
  const auto disk = connect();
  peer.reset();
  run_for(loop, 20ms);
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::io_error);
  BOOST_TEST(run(*disk, io, BlockOp::write, 0) == BlockStatus::io_error);
  disk->drain();
}

BOOST_AUTO_TEST_CASE(what_a_hostile_server_says_ends_the_connection_and_nothing_else) {
  const auto with = [this](const std::function<void(NbdPeer&, const NbdRequest&)>& answer) {
    const auto disk = connect({.answer = [&](NbdPeer& server, const NbdRequest& request) {
      answer(server, request);
      return true;
    }});
    be_patient(*disk, 300ms);
    std::deque<Io> many;
    for (unsigned i = 0; i < 5; ++i) {
      disk->submit(many.emplace_back(4096).as(BlockOp::read, std::uint64_t{i} * 4096));
    }
    disk->drain();
    for (const Io& io : many) {
      BOOST_TEST(io.completions == 1);
      BOOST_TEST(io.status == BlockStatus::io_error);
    }
    Io late{4096};
    BOOST_TEST(run(*disk, late, BlockOp::write, 0) == BlockStatus::io_error);
  };
  const std::array<std::byte, 4096> garbage{};
  with([&](NbdPeer& server, const NbdRequest&) { server.send(garbage); });
  with([&](NbdPeer& server, const NbdRequest& request) {  // a short reply, and then the end
    server.reply(request.cookie, 0, std::span{garbage}.first(100));
    server.hang_up();
  });
  with([&](NbdPeer& server, const NbdRequest& request) {  // a short reply, and then silence
    if (request.offset == 0) {
      server.reply(request.cookie, 0, std::span{garbage}.first(100));
    }
  });
  with([&](NbdPeer& server, const NbdRequest& request) {  // an answer nobody asked for
    server.reply(request.cookie + 1000, 0, garbage);
  });
  with([&](NbdPeer&, const NbdRequest&) {});  // no answer at all
}

BOOST_AUTO_TEST_CASE(nothing_lands_after_a_drain_that_gave_up) {
  std::atomic<bool> answer = false;
  const auto disk = connect({.answer = [&](NbdPeer& server, const NbdRequest& request) {
    while (!answer) {
      std::this_thread::sleep_for(1ms);
    }
    server.good_answer(request);
    return true;
  }});
  be_patient(*disk, 50ms);
  Io io{65536};
  disk->submit(io.as(BlockOp::read, 0));
  disk->drain();
  BOOST_TEST(io.status == BlockStatus::io_error);
  std::fill(io.buffer.begin(), io.buffer.end(), std::byte{0x5a});
  answer = true;
  run_for(loop, 50ms);
  BOOST_TEST(io.completions == 1);
  BOOST_TEST(std::all_of(io.buffer.begin(), io.buffer.end(),
                         [](std::byte b) { return b == std::byte{0x5a}; }));
}

BOOST_AUTO_TEST_CASE(an_export_that_shrinks_gives_errors) {
  std::atomic<std::uint64_t> size = kMiB;
  const auto disk = connect({.answer = [&](NbdPeer& server, const NbdRequest& request) {
    const bool beyond = request.offset + request.length > size;
    if (beyond) {
      server.reply(request.cookie, 22);  // EINVAL
    }
    return beyond;
  }});
  size = 65536;
  Io io{4096};
  BOOST_TEST(run(*disk, io, BlockOp::read, 65536) == BlockStatus::io_error);
  BOOST_TEST(run(*disk, io, BlockOp::read, 0) == BlockStatus::ok);
  BOOST_TEST(disk->info().size == kMiB);
}

BOOST_AUTO_TEST_CASE(a_disk_that_goes_says_goodbye_and_finishes_its_requests_first) {
  Io io{65536};
  {
    const auto disk = connect();
    disk->submit(io.as(BlockOp::read, 0));
  }
  BOOST_TEST(io.completions == 1);
  BOOST_TEST(io.status == BlockStatus::ok);
  BOOST_TEST(count(2) == 1U);
}

BOOST_AUTO_TEST_CASE(an_idle_export_wakes_nobody) {
  const auto disk = connect();
  BOOST_TEST(flush(*disk) == BlockStatus::ok);
  run_for(loop, 20ms);
  BOOST_TEST(stays_idle(loop, 100ms));
}

BOOST_AUTO_TEST_CASE(a_server_that_is_none_is_told_at_the_start) {
  BOOST_TEST(error_of("nbd:unix:" + dir.file("nobody")).find("cannot") != std::string::npos);
  BOOST_TEST(error_with({.greeting = "HTTP/1.1 400 Bad Request\r\n\r\n"}).find("cannot") !=
             std::string::npos);
  BOOST_TEST(error_with({.size = 0}).find("empty") != std::string::npos);
  BOOST_TEST(error_with({.flags = NbdPeer::kHasFlags | NbdPeer::kReadOnly}).find("read only") !=
             std::string::npos);
  for (const char* const address :
       {"nbd:", "nbd:unix:", "nbd:host", "nbd::1", "nbds://h/x", "nbd+vsock://1/"}) {
    if (is_nbd(address)) {
      BOOST_TEST(!error_of(address).empty());
    }
  }
  DiskConfig config;
  config.path = "nbd:unix:/x";
  config.format = ImageFormat::qcow2;
  const auto opened = host::open_disk(loop, config);
  BOOST_REQUIRE(opened.has_error());
  BOOST_TEST(opened.error().message.find("format=raw") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(addresses_are_uris_or_what_qemu_took_before) {
  for (const bool uri : {false, true}) {
    peer.reset();
    const std::string path = dir.file(uri ? "u" : "o");
    peer.emplace(path, NbdPeer::Manner{});
    const auto disk =
        open(uri ? "nbd+unix:///name?socket=" + path : "nbd:unix:" + path + ":exportname=name");
    Io io{4096};
    BOOST_TEST(run(*disk, io, BlockOp::read, 512) == BlockStatus::ok);
    expect_pattern(io.buffer, 512);
  }
}

BOOST_AUTO_TEST_SUITE_END()
