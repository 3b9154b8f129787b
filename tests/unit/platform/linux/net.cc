// SPDX-License-Identifier: MIT
// The host's end of a network card's cable: a real tap and a real packet socket on that tap's
// interface, in a network namespace of the test's own. What one sends the other receives, with the
// kernel between them as the judge of every header.
#include "platform/linux/net/net_header.h"
#include "platform/linux/net/software_offload.h"

#include <boost/test/unit_test.hpp>

#include "net_rig.h"

namespace {

using namespace dm;
using namespace dm::test;

BOOST_AUTO_TEST_SUITE(net)

BOOST_AUTO_TEST_CASE(a_frame_crosses_from_tap_to_packet_socket_and_back_unchanged) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  const Bytes there = udp_frame(700);
  BOOST_TEST((cable.send(*cable.tap, there) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.packet) == there));
  const Bytes back = udp_frame(1400);
  BOOST_TEST((cable.send(*cable.packet, back) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.tap) == back));
}

BOOST_AUTO_TEST_CASE(a_frame_in_many_pieces_is_one_frame) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  Bytes frame = udp_frame(1000);
  std::vector<std::span<std::byte>> pieces;
  for (std::size_t at = 0; at < frame.size(); at += 13) {
    pieces.push_back(std::span{frame}.subspan(at, std::min<std::size_t>(13, frame.size() - at)));
  }
  BOOST_TEST((cable.tap->send({}, pieces) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.packet) == frame));
}

BOOST_AUTO_TEST_CASE(sixty_four_kib_of_tcp_are_one_frame_with_what_it_takes_to_cut_them) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  const Bytes large = tcp_frame(60000);
  BOOST_TEST((cable.send(*cable.tap, large, gso_of(1448)) == SendStatus::sent));
  NetOffload offload;
  const Bytes got = cable.take(*cable.packet, &offload);
  BOOST_TEST((got == large));
  BOOST_TEST((offload.gso == Gso::tcp4));
  BOOST_TEST(offload.segment_size == 1448);
  BOOST_TEST(offload.header_length == kTcpHeaders);
  BOOST_TEST(offload.needs_checksum);
  BOOST_TEST(offload.checksum_start == 34);
  BOOST_TEST(offload.checksum_offset == 16);
}

BOOST_AUTO_TEST_CASE(a_card_that_takes_no_large_frames_gets_them_cut_and_summed_by_the_kernel) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  const Bytes large = tcp_frame(5000);
  BOOST_TEST((cable.send(*cable.packet, large, gso_of(1448)) == SendStatus::sent));
  check_cut(large, 1448, cable.take_all(*cable.tap));
}

BOOST_AUTO_TEST_CASE(a_card_that_takes_large_frames_gets_them_whole) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  cable.tap->accept_offloads(true, true);
  const Bytes large = tcp_frame(30000);
  BOOST_TEST((cable.send(*cable.packet, large, gso_of(1448)) == SendStatus::sent));
  NetOffload offload;
  BOOST_TEST((cable.take(*cable.tap, &offload) == large));
  BOOST_TEST((offload.gso == Gso::tcp4));
  BOOST_TEST(offload.header_length == kTcpHeaders);
}

BOOST_AUTO_TEST_CASE(a_vlan_tag_that_the_kernel_keeps_apart_is_put_back) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  Bytes tagged = udp_frame(300);
  const std::byte tag[]{std::byte{0x81}, std::byte{0x00}, std::byte{0x20}, std::byte{0x07}};
  tagged.insert(tagged.begin() + 12, std::begin(tag), std::end(tag));
  BOOST_TEST((cable.send(*cable.tap, tagged) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.packet) == tagged));
  BOOST_TEST((cable.send(*cable.packet, tagged) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.tap) == tagged));
}

BOOST_AUTO_TEST_CASE(a_vlan_tag_goes_into_pieces_shorter_than_itself) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  Bytes tagged = udp_frame(40);
  const std::byte tag[]{std::byte{0x81}, std::byte{0x00}, std::byte{0x00}, std::byte{0x05}};
  tagged.insert(tagged.begin() + 12, std::begin(tag), std::end(tag));
  BOOST_TEST((cable.send(*cable.tap, tagged) == SendStatus::sent));
  Bytes room(200);
  std::vector<std::span<std::byte>> pieces;
  for (std::size_t at = 0; at < room.size(); at += 3) {
    pieces.push_back(std::span{room}.subspan(at, std::min<std::size_t>(3, room.size() - at)));
  }
  BOOST_TEST(cable.wait(*cable.packet));
  NetOffload offload;
  const Received got = cable.packet->receive(offload, pieces);
  BOOST_TEST(got.size == tagged.size());
  room.resize(got.size);
  BOOST_TEST((room == tagged));
}

BOOST_AUTO_TEST_CASE(a_jumbo_frame_crosses_both_ways) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  cable.set_mtu(9000);
  const Bytes jumbo = udp_frame(8900);
  BOOST_TEST((cable.send(*cable.tap, jumbo) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.packet) == jumbo));
  BOOST_TEST((cable.send(*cable.packet, jumbo) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.tap) == jumbo));
}

BOOST_AUTO_TEST_CASE(frames_for_a_card_without_buffers_wake_nobody) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  cable.tap->want_receive(true);
  run_for(cable.loop, 20ms);
  cable.tap->want_receive(false);
  run_for(cable.loop, 20ms);
  const auto wakeups = cable.loop.counters().wakeups;
  for (int i = 0; i < 50; ++i) {
    BOOST_TEST((cable.send(*cable.packet, udp_frame(200)) == SendStatus::sent));
    (void)cable.loop.wait(0ns);
  }
  BOOST_TEST(cable.loop.counters().wakeups == wakeups);
  cable.tap->want_receive(true);
  BOOST_TEST(cable.take_all(*cable.tap).size() == 50U);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_said_to_be_cut) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  BOOST_TEST((cable.send(*cable.tap, udp_frame(1000)) == SendStatus::sent));
  BOOST_TEST(cable.wait(*cable.packet));
  Bytes room(100);
  std::span<std::byte> piece{room};
  NetOffload offload;
  BOOST_TEST(cable.packet->receive(offload, {&piece, 1}).truncated);
}

BOOST_AUTO_TEST_CASE(frames_wait_in_the_kernel_until_somebody_wants_them) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  cable.tap_client->backend.want_receive(false);
  BOOST_TEST((cable.send(*cable.packet, udp_frame(100)) == SendStatus::sent));
  run_for(cable.loop, 20ms);
  BOOST_TEST(cable.tap_client->receivable == 0);
  cable.tap->want_receive(true);
  BOOST_TEST(run_until(cable.loop, [&] { return cable.tap_client->receivable == 1; }));
}

BOOST_AUTO_TEST_CASE(the_card_hears_when_the_interface_goes_down_and_up) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  BOOST_TEST(cable.tap->link_up());
  cable.set_up(false);
  BOOST_TEST(run_until(cable.loop, [&] { return cable.tap_client->links == "-"; }));
  BOOST_TEST(!cable.tap->link_up());
  cable.set_up(true);
  BOOST_TEST(run_until(cable.loop, [&] { return cable.tap_client->links == "-+"; }));
}

BOOST_AUTO_TEST_CASE(an_interface_that_is_down_refuses_frames_and_nothing_else_happens) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  cable.set_up(false);
  BOOST_TEST((cable.send(*cable.tap, udp_frame(100)) == SendStatus::failed));
  BOOST_TEST(cable.tap->counters().send_failed == 1U);
}

BOOST_AUTO_TEST_CASE(a_tap_without_headers_gets_its_frames_cut_and_summed_here) {
  Cable cable{Cable::WithoutHeader{}};
  if (!cable.there()) {
    return;
  }
  const Bytes large = tcp_frame(9001);
  BOOST_TEST((cable.send(*cable.tap, large, gso_of(1400)) == SendStatus::sent));
  check_cut(large, 1400, cable.take_all(*cable.packet));
  Bytes partial = udp_frame(333);
  const NetOffload sum = start_sum(partial);
  BOOST_TEST((cable.send(*cable.tap, partial, sum) == SendStatus::sent));
  BOOST_TEST(udp_sum_is_right(cable.take(*cable.packet)));
}

BOOST_AUTO_TEST_CASE(a_tap_that_the_toolstack_opened_carries_frames_and_offloads_both_ways) {
  Cable cable{Cable::Inherited{}};
  if (!cable.there()) {
    return;
  }
  const NetBackend::Counters before = cable.tap->counters();
  const Bytes there = udp_frame(700);
  BOOST_TEST((cable.send(*cable.tap, there) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.packet) == there));
  const Bytes back = udp_frame(1400);
  BOOST_TEST((cable.send(*cable.packet, back) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.tap) == back));
  cable.tap->accept_offloads(true, true);
  const Bytes large = tcp_frame(30000);
  BOOST_TEST((cable.send(*cable.tap, large, gso_of(1448)) == SendStatus::sent));
  BOOST_TEST((cable.take(*cable.packet) == large));
  BOOST_TEST((cable.send(*cable.packet, large, gso_of(1448)) == SendStatus::sent));
  NetOffload offload;
  BOOST_TEST((cable.take(*cable.tap, &offload) == large));
  BOOST_TEST((offload.gso == Gso::tcp4));
  const NetBackend::Counters& moved = cable.tap->counters();
  BOOST_TEST(moved.sent - before.sent == 2U);
  BOOST_TEST(moved.sent_bytes - before.sent_bytes == there.size() + large.size());
  BOOST_TEST(moved.received_bytes - before.received_bytes == back.size() + large.size());
  // Reading an empty one does not wait, whatever flags it came with.
  BOOST_TEST(cable.take(*cable.tap).empty());
}

BOOST_AUTO_TEST_CASE(promiscuous_mode_is_the_interfaces_only_while_the_card_asks_for_it) {
  Cable cable;
  if (!cable.there()) {
    return;
  }
  // Not 0: a tap's interface knows no filter for the card's own address.
  const auto before = cable.promiscuity();
  cable.packet->set_promiscuous(true);
  BOOST_TEST(cable.promiscuity() == before + 1);
  cable.packet->set_promiscuous(true);
  BOOST_TEST(cable.promiscuity() == before + 1);
  cable.packet->set_promiscuous(false);
  BOOST_TEST(cable.promiscuity() == before);
}

BOOST_AUTO_TEST_CASE(an_interface_that_is_not_there_is_said_so) {
  host::Loop loop;
  const auto made = host::PacketNet::create(loop, "no-such-if0", {2, 0, 0, 0, 0, 1});
  BOOST_TEST_REQUIRE(made.has_error());
  BOOST_TEST(made.error().message == "network card on no-such-if0: there is no such interface");
}

BOOST_AUTO_TEST_CASE(a_name_too_long_for_an_interface_is_said_so) {
  host::Loop loop;
  const auto made = host::TapNet::create(loop, "vif12345.0-emulated");
  BOOST_TEST_REQUIRE(made.has_error());
  BOOST_TEST(made.error().message ==
             "network card 'vif12345.0-emulated': an interface's name has 1 to 15 bytes");
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_is_no_tap_is_said_so) {
  host::Loop loop;
  const auto made = host::TapNet::adopt(loop, host::UniqueFd{::open("/dev/null", O_RDWR)});
  BOOST_TEST_REQUIRE(made.has_error());
  BOOST_TEST(made.error().message.find("is no tap interface") != std::string::npos);
}

// Offsets that the kernel would never send; the rows are: flags, gso_type, hdr_len, gso_size,
// csum_start, csum_offset.
BOOST_AUTO_TEST_CASE(a_header_that_makes_no_sense_is_not_believed) {
  Bytes frame = tcp_frame(100);
  std::span<std::byte> piece{frame};
  const auto believed = [&](const host::NetHeader& header) {
    return host::from_header(header, {&piece, 1}, frame.size()).has_value();
  };
  const auto size = static_cast<std::uint16_t>(frame.size());
  BOOST_TEST(believed({1, 0, 0, 0, 34, 16}));
  BOOST_TEST(!believed({1, 0, 0, 0, size, 16}));
  BOOST_TEST(!believed({1, 0, 0, 0, 0xffff, 0xffff}));
  BOOST_TEST(!believed({1, 0, 0, 0, static_cast<std::uint16_t>(size - 17), 16}));
  BOOST_TEST(believed({1, 1, 66, 1448, 34, 16}));
  BOOST_TEST(!believed({0, 1, 66, 1448, 34, 16}));  // a large frame without a sum to be made
  BOOST_TEST(!believed({1, 1, 66, 0, 34, 16}));
  BOOST_TEST(!believed({1, 3, 66, 1448, 34, 6}));  // UDP fragments
  BOOST_TEST(!believed({1, 5, 66, 1448, 34, 6}));  // UDP segments
  BOOST_TEST(!believed({1, 1, 66, 1448, static_cast<std::uint16_t>(size - 18), 16}));
  frame[34 + 12] = std::byte{0x40};  // a TCP header of 16 bytes
  BOOST_TEST(!believed({1, 1, 66, 1448, 34, 16}));
  frame[34 + 12] = std::byte{0xf0};  // of 60, all of them there
  BOOST_TEST(believed({1, 1, 66, 1448, 34, 16}));
}

BOOST_AUTO_TEST_CASE(large_frames_are_cut_right_whatever_their_length_and_pieces) {
  for (const std::size_t payload : {1U, 7U, 1399U, 1400U, 1401U, 2800U, 7001U, 65000U}) {
    for (const std::size_t piece_size : {1500U, 999U, 4096U}) {
      Bytes large = tcp_frame(payload);
      std::vector<std::span<std::byte>> pieces;
      for (std::size_t at = 0; at < large.size(); at += piece_size) {
        pieces.push_back(std::span{large}.subspan(at, std::min(piece_size, large.size() - at)));
      }
      host::SoftwareOffload cut{gso_of(1400), pieces};
      BOOST_TEST_REQUIRE(cut.ok());
      std::vector<Bytes> frames;
      while (!cut.done()) {
        Bytes one;
        for (const iovec& part : cut.next()) {
          const auto* const first = static_cast<const std::byte*>(part.iov_base);
          one.insert(one.end(), first, first + part.iov_len);
        }
        frames.push_back(one);
      }
      check_cut(large, 1400, frames);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_large_frame_whose_headers_are_not_where_it_says_is_not_cut) {
  Bytes large = tcp_frame(3000);
  std::span<std::byte> piece{large};
  const auto is_cut = [&](auto change) {
    NetOffload offload = gso_of(1400);
    change(offload);
    return host::SoftwareOffload{offload, {&piece, 1}}.ok();
  };
  BOOST_TEST(is_cut([](NetOffload&) {}));
  BOOST_TEST(!is_cut([](NetOffload& o) { o.segment_size = 0; }));
  BOOST_TEST(!is_cut([](NetOffload& o) { o.header_length = 53; }));   // half a TCP header
  BOOST_TEST(!is_cut([](NetOffload& o) { o.header_length = 257; }));  // more than is copied
  BOOST_TEST(!is_cut([](NetOffload& o) { o.header_length = 0xffff; }));
  BOOST_TEST(!is_cut([](NetOffload& o) { o.checksum_start = 33; }));  // in the IP header
  BOOST_TEST(!is_cut([](NetOffload& o) { o.checksum_start = 0; }));
  BOOST_TEST(!is_cut([](NetOffload& o) { o.checksum_start = 0xffff; }));
  BOOST_TEST(!is_cut([](NetOffload& o) { o.checksum_offset = 6; }));
  BOOST_TEST(!is_cut([](NetOffload& o) { o.gso = Gso::tcp6; }));  // 40 bytes would not fit
  piece = piece.first(60);
  BOOST_TEST(!is_cut([](NetOffload&) {}));  // headers of 66 bytes in a frame of 60
}

BOOST_AUTO_TEST_CASE(a_datagram_is_not_sent_as_one_without_a_checksum) {  // RFC 768: 0 means none
  Bytes frame(34 + 8 + 4);
  frame[40] = std::byte{0xff};  // the field: with zeros behind it the sum is all ones
  frame[41] = std::byte{0xff};
  std::span<std::byte> piece{frame};
  NetOffload offload;
  offload.needs_checksum = true;
  offload.checksum_start = 34;
  offload.checksum_offset = 6;
  host::SoftwareOffload one{offload, {&piece, 1}};
  BOOST_TEST_REQUIRE(one.ok());
  const auto parts = one.next();
  BOOST_TEST_REQUIRE(parts.size() == 2U);
  BOOST_TEST(parts[0].iov_len == 42U);
  const auto* const sent = static_cast<const std::byte*>(parts[0].iov_base);
  BOOST_TEST((sent[40] == std::byte{0xff} && sent[41] == std::byte{0xff}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
