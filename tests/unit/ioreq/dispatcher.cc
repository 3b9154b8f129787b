// SPDX-License-Identifier: MIT
#include "ioreq/dispatcher.h"

#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

using dm::IoAccess;
using dm::IoHandler;
using dm::rig::RawRequest;

// Xen public header hvm/ioreq.h
constexpr std::uint8_t kPio = 0;
constexpr std::uint8_t kCopy = 1;
constexpr std::uint8_t kPciConfig = 2;
constexpr std::uint8_t kTimeOffset = 7;
constexpr std::uint8_t kInvalidate = 8;
constexpr std::uint64_t kOnes = ~std::uint64_t{0};

/// Gives 1, 2, 3... on reads and keeps what is written.
struct Counter {
  std::uint64_t next = 1;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> writes;
  std::vector<std::uint64_t> read_at;
  unsigned runs = 0;
  std::uint64_t read(IoAccess a) noexcept {
    read_at.push_back(a.offset);
    return next++;
  }
  void write(IoAccess a, std::uint64_t value) noexcept { writes.emplace_back(a.offset, value); }
  std::size_t read_run(IoAccess a, std::span<std::byte> to) noexcept {
    ++runs;
    for (std::size_t i = 0; i + a.size <= to.size(); i += a.size) {
      std::memcpy(to.data() + i, &next, a.size);
      ++next;
    }
    return to.size();
  }
  std::size_t write_run(IoAccess a, std::span<const std::byte> from) noexcept {
    ++runs;
    for (std::size_t i = 0; i + a.size <= from.size(); i += a.size) {
      std::uint64_t value = 0;
      std::memcpy(&value, from.data() + i, a.size);
      writes.emplace_back(a.offset, value);
    }
    return from.size();
  }
};

struct Devices {
  dm::rig::SimGuest guest;
  Counter port;
  Counter fifo;
  Counter memory;
  dm::PioClaim port_claim = guest.pio().claim(
      {0x100, 0x107}, IoHandler::bind<&Counter::read, &Counter::write>(port), "port");
  dm::PioClaim fifo_claim = guest.pio().claim(
      {0x1f0, 0x1f0 + 3},
      IoHandler::
          bind_with_runs<&Counter::read, &Counter::write, &Counter::read_run, &Counter::write_run>(
              fifo),
      "fifo");
  dm::MmioClaim memory_claim = guest.mmio().claim(
      {0xf0000000, 0xf000ffff}, IoHandler::bind<&Counter::read, &Counter::write>(memory), "memory");
};

BOOST_FIXTURE_TEST_SUITE(dispatcher, Devices)

BOOST_AUTO_TEST_CASE(a_plain_read_gives_exactly_the_bytes_of_its_width) {
  port.next = 0x1122334455667788;
  BOOST_TEST(guest.send({.addr = 0x100, .data = kOnes, .size = 1, .type = kPio, .read = true}) ==
             0x88U);
  port.next = 0x1122334455667788;
  BOOST_TEST(guest.send({.addr = 0x100, .data = kOnes, .size = 4, .type = kPio, .read = true}) ==
             0x55667788U);
}

BOOST_AUTO_TEST_CASE(a_plain_write_uses_only_the_bytes_of_its_width) {
  guest.send({.addr = 0x102, .data = 0xaabbccddeeff1122, .size = 2, .type = kPio});
  BOOST_TEST((port.writes == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{2, 0x1122}}));
}

BOOST_AUTO_TEST_CASE(rep_outs_hands_the_run_to_the_device_whole) {
  for (std::uint16_t i = 0; i < 256; ++i) {
    guest.poke<std::uint16_t>(0x2000 + 2U * i, static_cast<std::uint16_t>(i * 3));
  }
  guest.rep_outs(0x1f0, 2, 0x2000, 256);
  BOOST_TEST(fifo.runs == 1U);
  BOOST_TEST_REQUIRE(fifo.writes.size() == 256U);
  BOOST_TEST(fifo.writes[255].second == 255U * 3);
}

BOOST_AUTO_TEST_CASE(rep_ins_fills_the_guests_memory) {
  guest.rep_ins(0x1f0, 2, 0x2ffe, 3);  // across a page
  BOOST_TEST(guest.peek<std::uint16_t>(0x2ffe) == 1);
  BOOST_TEST(guest.peek<std::uint16_t>(0x3000) == 2);
  BOOST_TEST(guest.peek<std::uint16_t>(0x3002) == 3);
  BOOST_TEST(guest.peek<std::uint16_t>(0x3004) == 0);
}

BOOST_AUTO_TEST_CASE(rep_ins_downwards_starts_at_the_highest_address) {
  guest.rep_ins(0x1f0, 4, 0x2008, 3, true);
  BOOST_TEST(guest.peek<std::uint32_t>(0x2008) == 1U);
  BOOST_TEST(guest.peek<std::uint32_t>(0x2004) == 2U);
  BOOST_TEST(guest.peek<std::uint32_t>(0x2000) == 3U);
}

BOOST_AUTO_TEST_CASE(rep_outs_downwards_sends_in_that_order) {
  guest.poke<std::uint32_t>(0x2000, 0x03020100);
  guest.rep_outs(0x100, 1, 0x2003, 4, true);
  BOOST_TEST((port.writes == std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                                 {0, 3}, {0, 2}, {0, 1}, {0, 0}}));
}

BOOST_AUTO_TEST_CASE(
    string_items_outside_ram_read_ones_and_drop_data_but_the_device_still_sees_them) {
  const std::uint64_t end = guest.ram().size();
  guest.poke<std::uint16_t>(end - 2, 0x1234);
  guest.rep_outs(0x1f0, 2, end - 2, 2);
  BOOST_TEST((fifo.writes ==
              std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 0x1234}, {0, 0xffff}}));
  guest.rep_ins(0x1f0, 2, end, 4);
  BOOST_TEST(fifo.next == 5U);
  BOOST_TEST(guest.dispatcher().counters().not_ram == 5U);
}

BOOST_AUTO_TEST_CASE(memory_moves_step_on_both_sides) {
  for (std::uint32_t i = 0; i < 4; ++i) {
    guest.poke<std::uint32_t>(0x4000 + 4 * i, 0x100 + i);
  }
  guest.send({.addr = 0xf0000010,
              .data = 0x4000,
              .count = 4,
              .size = 4,
              .type = kCopy,
              .data_is_ptr = true});
  BOOST_TEST((memory.writes == std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                                   {0x10, 0x100}, {0x14, 0x101}, {0x18, 0x102}, {0x1c, 0x103}}));
  guest.send({.addr = 0xf0000020,
              .data = 0x5008,
              .count = 2,
              .size = 8,
              .type = kCopy,
              .data_is_ptr = true,
              .read = true,
              .descending = true});
  BOOST_TEST((memory.read_at == std::vector<std::uint64_t>{0x20, 0x18}));
  BOOST_TEST(guest.peek<std::uint64_t>(0x5008) == 1U);
  BOOST_TEST(guest.peek<std::uint64_t>(0x5000) == 2U);
}

BOOST_AUTO_TEST_CASE(rep_stos_stores_one_value_at_stepping_addresses) {
  guest.send(
      {.addr = 0xf0000100, .data = 0xffffffff00000007, .count = 3, .size = 4, .type = kCopy});
  BOOST_TEST((memory.writes == std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                                   {0x100, 7}, {0x104, 7}, {0x108, 7}}));
}

BOOST_AUTO_TEST_CASE(repeated_reads_with_immediate_data_keep_the_last) {
  BOOST_TEST(guest.send({.addr = 0x100, .count = 3, .size = 2, .type = kPio, .read = true}) == 3U);
}

BOOST_AUTO_TEST_CASE(impossible_sizes_and_places_are_answered_with_ones_and_counted) {
  const std::vector<RawRequest> odd{
      {.addr = 0x100, .size = 0, .type = kPio, .read = true},
      {.addr = 0x100, .size = 3, .type = kPio, .read = true},
      {.addr = 0x100, .size = 8, .type = kPio, .read = true},
      {.addr = 0xf0000000, .size = 16, .type = kCopy, .read = true},
      {.addr = 0xf0000000, .size = 0x80000000, .type = kCopy, .read = true},
      {.addr = 0x10000, .size = 1, .type = kPio, .read = true},  // XSA-199
      {.addr = 0xffff, .size = 2, .type = kPio, .read = true},
      {.addr = kOnes, .size = 1, .type = kPio, .read = true},
      {.addr = std::uint64_t{0x100} << 32, .size = 4, .type = kPciConfig, .read = true},  // bus 1
      {.addr = 0x100, .size = 4, .type = kPciConfig, .read = true},  // register 256
      {.addr = 0, .size = 8, .type = kPciConfig, .read = true},
      {.addr = 0x100, .size = 1, .type = 200, .read = true},
      {.addr = 0x100, .size = 1, .type = 3, .read = true},
  };
  for (const RawRequest& request : odd) {
    BOOST_TEST(guest.send(request) == kOnes);
    RawRequest write = request;
    write.read = false;
    guest.send(write);
  }
  BOOST_TEST(port.writes.empty());
  BOOST_TEST(memory.writes.empty());
  const auto& counters = guest.dispatcher().counters();
  BOOST_TEST(counters.malformed + counters.unknown_type == 2 * odd.size());
  BOOST_TEST(counters.unknown_type == 4U);
}

BOOST_AUTO_TEST_CASE(count_zero_does_nothing_and_huge_counts_do_one_page) {
  guest.send({.addr = 0x100, .data = 1, .count = 0, .size = 1, .type = kPio});
  BOOST_TEST(port.writes.empty());
  guest.send({.addr = 0x100,
              .data = 0x1000,
              .count = 0xffffffff,
              .size = 4,
              .type = kPio,
              .data_is_ptr = true});
  BOOST_TEST(port.writes.size() == 1024U);
  guest.send({.addr = 0xf0000000, .data = 1, .count = 0xffffffff, .size = 1, .type = kCopy});
  BOOST_TEST(memory.writes.size() == 4096U);
  BOOST_TEST(guest.dispatcher().counters().malformed == 2U);
}

BOOST_AUTO_TEST_CASE(addresses_that_wrap_end_the_operation) {
  guest.send({.addr = kOnes - 3, .data = 1, .count = 8, .size = 4, .type = kCopy});
  guest.send({.addr = 4, .data = 1, .count = 8, .size = 4, .type = kCopy, .descending = true});
  guest.send({.addr = 0x100,
              .data = 8,
              .count = 8,
              .size = 4,
              .type = kPio,
              .data_is_ptr = true,
              .descending = true});
  BOOST_TEST(port.writes.size() == 3U);
  guest.send(
      {.addr = 0x100, .data = kOnes - 7, .count = 8, .size = 4, .type = kPio, .data_is_ptr = true});
  BOOST_TEST(port.writes.size() == 5U);
}

BOOST_AUTO_TEST_CASE(string_operations_on_configuration_registers_are_carried_out) {
  guest.send({.addr = 0,
              .data = 0x6000,
              .count = 2,
              .size = 4,
              .type = kPciConfig,
              .data_is_ptr = true,
              .read = true});
  BOOST_TEST(guest.peek<std::uint64_t>(0x6000) == kOnes);
}

BOOST_AUTO_TEST_CASE(invalidate_drops_the_mappings_and_is_answered) {
  std::uint32_t value = 0;
  BOOST_TEST(guest.memory().read(dm::Gpa{0}, value));
  BOOST_TEST(guest.sim_memory().mapped() == 1U);
  guest.send({.data = kOnes, .count = 0, .size = 4, .type = kInvalidate});
  BOOST_TEST(guest.sim_memory().mapped() == 0U);
  BOOST_TEST(guest.dispatcher().counters().invalidations == 1U);
}

BOOST_AUTO_TEST_CASE(time_offset_is_answered_and_changes_nothing) {
  guest.send({.data = 3600, .size = 8, .type = kTimeOffset});
  BOOST_TEST(guest.dispatcher().counters().unknown_type == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
