// SPDX-License-Identifier: MIT
// Several devices at once, as guests and hostile guests use them: unplug with transfers under way,
// four serial ports, INVALIDATE and reset in the middle of things.
#include "core/obs/log.h"
#include "tests/unit/ioreq/daemon/pc_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace dm::test {
namespace {

BOOST_AUTO_TEST_SUITE(engine)

struct Unplug {
  const char* name;
  std::function<void(ManagedPc&)> ask;
  std::array<bool, 4> open_afterwards;
};
std::ostream& operator<<(std::ostream& out, const Unplug& unplug) {
  return out << unplug.name;
}

const std::vector<Unplug> kUnplugs{
    {"all disks", [](ManagedPc& pc) { pc.outw(0x10, 0x0001); }, {}},
    {"disks and cards", [](ManagedPc& pc) { pc.outw(0x10, 0x0003); }, {}},
    {"all bits", [](ManagedPc& pc) { pc.outw(0x10, 0xffff); }, {}},
    {"all but the primary master",
     [](ManagedPc& pc) { pc.outw(0x10, 0x0004); },
     {true, false, false, false}},
    {"network cards only", [](ManagedPc& pc) { pc.outw(0x10, 0x0002); }, {true, true, true, true}},
    {"NVMe only", [](ManagedPc& pc) { pc.outw(0x10, 0x0008); }, {true, true, true, true}},
    {"old SUSE, all", [](ManagedPc& pc) { pc.outb(ManagedPc::kPlatformBar + 4, 1); }, {}},
    {"old SUSE, disks", [](ManagedPc& pc) { pc.outb(ManagedPc::kPlatformBar + 8, 1); }, {}},
    {"old SUSE, cards",
     [](ManagedPc& pc) { pc.outb(ManagedPc::kPlatformBar + 8, 2); },
     {true, true, true, true}},
};

// D18, XSA-139: on return of the write the guest's own drivers open the same images.
BOOST_DATA_TEST_CASE(unplug_with_a_write_under_way_leaves_it_durable_and_the_image_closed,
                     boost::unit_test::data::make(kUnplugs),
                     unplug) {
  ManagedPc pc;
  pc.firmware();
  const auto data = rig::ScriptedBlock::pattern(77);
  std::ranges::copy(data, pc.memory.ram().begin() + 0x200000);
  pc.disks[0].hold();
  pc.ide_dma(0xca, 5, 1, 0x200000);
  BOOST_TEST(pc.disks[0].pending() == 1U);
  unplug.ask(pc);
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(pc.disks[i].is_open() == unplug.open_afterwards[i], "disk " << i);
  }
  if (!unplug.open_afterwards[0]) {
    BOOST_TEST(pc.disks[0].pending() == 0U);
    pc.disks[0].power_cut();
    BOOST_TEST((pc.disks[0].sector(5) == data));
    BOOST_TEST(pc.inb(0x1f7) == 0x00);
  }
  unplug.ask(pc);
  unplug.ask(pc);
  // Whatever the guest does with the hole that is left.
  pc.outb(ManagedPc::kBusMaster, 0x00);
  pc.outb(ManagedPc::kBusMaster, 0x09);
  pc.ide_command(0, 0xc8, 0, 1);
  pc.ide_command(1, 0xec, 0, 1);
  pc.outb(0x3f6, 0x04);
  pc.outb(0x3f6, 0x00);
  pc.rep_ins(0x1f0, 2, 0x300000, 256);
  pc.disks[0].hold(false);
  pc.disks[0].complete_all();
  pc.settle();
  BOOST_TEST(pc.config_read(ManagedPc::kIde, 0, 4) == 0x70108086U);
}

BOOST_AUTO_TEST_CASE(unplug_in_the_middle_of_a_pio_block_is_an_end_to_it) {
  ManagedPc pc;
  pc.firmware();
  pc.ide_command(0, 0x30, 5, 1);
  pc.rep_outs(0x1f0, 2, 0x200000, 100);
  pc.outw(0x10, 0x0001);
  pc.rep_outs(0x1f0, 2, 0x200000, 156);
  BOOST_TEST(!pc.disks[0].is_open());
  BOOST_TEST(std::ranges::none_of(pc.disks[0].log, [](const auto& entry) {
    return entry.op == BlockOp::write;
  }));  // half a sector never reaches a disk
}

// E6 and contract 1.7: a balloon takes pages while a transfer holds others.
BOOST_AUTO_TEST_CASE(invalidate_during_a_transfer_lets_it_finish_in_its_own_pages) {
  ManagedPc pc;
  pc.firmware();
  pc.disks[0].stamp(3);
  pc.disks[0].hold();
  pc.ide_dma(0xc8, 3, 1, 0x200000);
  BOOST_TEST_REQUIRE(pc.disks[0].pending() == 1U);
  pc.send({.data = ~std::uint64_t{0}, .count = 0, .size = 4, .type = 8}, 1);
  BOOST_TEST(pc.memory.mapped() == 1U);  // the window under the transfer, nothing else
  pc.disks[0].complete();
  pc.settle();
  BOOST_TEST(pc.memory.mapped() == 0U);
  const auto expected = rig::ScriptedBlock::pattern(3);
  BOOST_TEST(std::equal(expected.begin(), expected.end(), pc.memory.ram().begin() + 0x200000));
  BOOST_TEST(pc.irqs.isa(14));
}

BOOST_AUTO_TEST_CASE(reset_during_a_transfer_settles_it_and_ends_the_domain_once) {
  for (const auto& reset : std::vector<std::function<void(ManagedPc&)>>{
           [](ManagedPc& pc) { pc.outb(0xcf9, 0x06); }, [](ManagedPc& pc) { pc.outb(0x64, 0xfe); },
           [](ManagedPc& pc) { pc.outb(0x92, 0x01); },
           [](ManagedPc& pc) {
             pc.outb(0x64, 0xd1);
             pc.outb(0x60, 0x02);
           },
           [](ManagedPc& pc) { pc.outw(0xb004, 0x2001); }}) {
    ManagedPc pc;
    pc.firmware();
    pc.disks[0].hold();
    pc.ide_dma(0xca, 5, 8, 0x200000);
    reset(pc);
    BOOST_TEST(pc.disks[0].pending() == 0U);
    BOOST_TEST(pc.disks[0].flushes_now >= 1U);
    BOOST_TEST(pc.domain.shutdowns().size() == 1U);
    reset(pc);
    BOOST_TEST(pc.domain.shutdowns().size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_string_operation_on_pm1_control_flushes_each_disk_once) {
  for (const std::uint16_t last : {std::uint16_t{0x2401}, std::uint16_t{0x2001}}) {
    ManagedPc pc;
    pc.firmware();
    for (std::size_t i = 0; i < 2048; ++i) {
      const std::uint16_t value = i < 2047 ? 0x2401 : last;  // S3, S3, and S3 or S5
      std::memcpy(pc.memory.ram().data() + 0x200000 + i * 2, &value, sizeof value);
    }
    pc.rep_outs(0xb004, 2, 0x200000, 2048);
    for (const auto& disk : pc.disks) {
      BOOST_TEST(disk.flushes_now == 1U);
    }
    BOOST_TEST(pc.domain.suspends() == 1U);
    BOOST_TEST(pc.domain.shutdowns().size() == (last == 0x2001 ? 1U : 0U));
  }
}

BOOST_AUTO_TEST_CASE(a_guest_that_has_ended_goes_to_sleep_no_more) {
  ManagedPc pc;
  pc.firmware();
  for (std::size_t i = 0; i < 2048; ++i) {
    const std::uint16_t value = i == 0 ? 0x2001 : 0x2401;  // S5, then S3
    std::memcpy(pc.memory.ram().data() + 0x200000 + i * 2, &value, sizeof value);
  }
  pc.rep_outs(0xb004, 2, 0x200000, 2048);
  for (const auto& disk : pc.disks) {
    BOOST_TEST(disk.flushes_now == 1U);
  }
  BOOST_TEST(pc.domain.suspends() == 0U);
  BOOST_TEST(pc.domain.shutdowns().size() == 1U);
}

BOOST_AUTO_TEST_CASE(four_serial_ports_share_two_interrupts) {
  ManagedPc pc;
  constexpr std::array<std::uint16_t, 4> kBase{0x3f8, 0x2f8, 0x3e8, 0x2e8};
  constexpr std::array<unsigned, 4> kIrq{4, 3, 4, 3};
  for (std::size_t i = 0; i < 4; ++i) {
    pc.outb(static_cast<std::uint16_t>(kBase[i] + 4), 0x08);
    pc.outb(static_cast<std::uint16_t>(kBase[i] + 1), 0x01);
    pc.outb(kBase[i], static_cast<std::uint8_t>('a' + i));
    BOOST_TEST(pc.lines[i]->sent == std::string(1, static_cast<char>('a' + i)));
  }
  pc.lines[0]->type("0");
  pc.lines[2]->type("2");
  BOOST_TEST(pc.irqs.isa(4));
  BOOST_TEST(!pc.irqs.isa(3));
  BOOST_TEST(pc.inb(kBase[0]) == '0');
  BOOST_TEST(pc.irqs.isa(4));  // held by the third
  BOOST_TEST(pc.inb(kBase[2]) == '2');
  BOOST_TEST(!pc.irqs.isa(4));
  for (const std::size_t i : {1U, 3U}) {
    pc.lines[i]->send_break();
    BOOST_TEST((pc.inb(static_cast<std::uint16_t>(kBase[i] + 5)) & 0x11) == 0x11);  // BI, DR
    BOOST_TEST(pc.inb(kBase[i]) == 0);
    BOOST_TEST(!pc.irqs.isa(kIrq[i]));
    pc.lines[i]->set_lines({.cts = false});
    BOOST_TEST((pc.inb(static_cast<std::uint16_t>(kBase[i] + 6)) & 0x11) == 0x01);  // DCTS, no CTS
  }
}

BOOST_AUTO_TEST_CASE(a_stalled_terminal_blocks_neither_its_vcpu_nor_the_others) {
  ManagedPc pc;
  pc.outb(0x3fa, 0x01);
  pc.lines[0]->set_room(0);
  pc.rep_outs(0x3f8, 1, 0x200000, 4096);
  BOOST_TEST((pc.inb(0x3fd) & 0x60) == 0x00);
  pc.outb(0x2f8, 'x');
  BOOST_TEST(pc.lines[1]->sent == "x");
  pc.lines[0]->set_room(100);
  BOOST_TEST(pc.lines[0]->sent.size() == 16U);
  BOOST_TEST((pc.inb(0x3fd) & 0x60) == 0x60);
}

unsigned log_lines = 0;

// C10, XSA-180: each sleep makes data durable, and each failure to do so is worth a line, but a
// guest that cannot be put to sleep may try for ever.
BOOST_AUTO_TEST_CASE(a_guest_that_sleeps_in_a_loop_over_a_broken_disk_does_not_flood_the_log) {
  ManagedPc pc;
  pc.firmware();
  pc.disks[0].fail_flushes();
  log_lines = 0;
  log::set_sink([](log::Level, std::string_view) noexcept { ++log_lines; });
  for (int i = 0; i < 200; ++i) {
    pc.outw(0xb004, 0x2401);
    pc.outw(0x10, 0x0002);
    pc.outl(0x10, 0x60100);
  }
  log::set_sink(nullptr);
  BOOST_TEST(log_lines >= 2U);
  BOOST_TEST(log_lines <= 20U);
}

BOOST_AUTO_TEST_CASE(requests_of_all_vcpus_are_answered_in_one_turn_each_in_its_own_slot) {
  ManagedPc pc;
  for (unsigned vcpu = 0; vcpu < 6; ++vcpu) {
    rig::fill_slot(pc.port.slots(), {.addr = 0x3ff, .data = 0x10 + vcpu, .size = 1, .type = 0},
                   vcpu);
  }
  BOOST_TEST(pc.machine->poller().turn());
  for (unsigned vcpu = 0; vcpu < 6; ++vcpu) {
    rig::take_answer(pc.port.slots(), vcpu);
    BOOST_TEST(pc.port.notified(vcpu) == 1U);
  }
  BOOST_TEST(pc.inb(0x3ff) == 0x15);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
