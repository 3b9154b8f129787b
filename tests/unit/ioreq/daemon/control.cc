// SPDX-License-Identifier: MIT
// What QMP may do with a running machine, and what the guest sees of it.
#include "tests/unit/ioreq/daemon/pc_rig.h"

#include <algorithm>
#include <string>

namespace dm::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(control, ManagedPc)

// xl vcpu-set: the DSDT's _E02 reads the map at AF00h (Xen tools/libacpi/mk_dsdt.c).
BOOST_AUTO_TEST_CASE(a_new_vcpu_sets_its_bit_and_calls_the_guest) {
  firmware();
  outw(0xafe2, 0x0004);
  BOOST_TEST(inb(0xaf00) == 0x03);
  BOOST_TEST((control->plug_vcpu(4) == PlugResult::done));
  BOOST_TEST(inb(0xaf00) == 0x13);
  BOOST_TEST(irqs.isa(9));
  BOOST_TEST((inw(0xafe0) & 0x0004) != 0);
  outw(0xafe0, 0x0004);
  BOOST_TEST(!irqs.isa(9));
  BOOST_TEST(control->vcpus_online() == 3U);
  BOOST_TEST(control->vcpu_online(4));
  BOOST_TEST(!control->vcpu_online(2));
}

BOOST_AUTO_TEST_CASE(a_vcpu_comes_once_and_only_where_there_is_room_for_it) {
  BOOST_TEST((control->plug_vcpu(1) == PlugResult::already_there));
  BOOST_TEST((control->plug_vcpu(6) == PlugResult::out_of_range));
  BOOST_TEST((control->plug_vcpu(~0U) == PlugResult::out_of_range));
  BOOST_TEST(!control->vcpu_online(6));
  BOOST_TEST(!control->vcpu_online(~0U));
  BOOST_TEST(control->vcpus_online() == 2U);
}

BOOST_AUTO_TEST_CASE(without_acpi_no_vcpu_comes_and_those_there_are_listed) {
  MachineConfig no_acpi = six_vcpus();
  no_acpi.acpi = false;
  ManagedPc pc{no_acpi};
  BOOST_TEST((pc.control->plug_vcpu(2) == PlugResult::no_acpi));
  BOOST_TEST(pc.control->vcpu_online(1));
  BOOST_TEST(!pc.control->vcpu_online(2));
  BOOST_TEST(pc.control->vcpus_online() == 2U);
}

// Xen does not see what we write through our mappings: every page has to be named by the time that
// `stop` is answered, since then the last round of the migration reads memory.
BOOST_AUTO_TEST_CASE(pages_that_devices_write_are_told_before_stop_is_answered) {
  firmware();
  control->track_dirty(true);
  ide_dma(0xc8, 3, 16, 0x200800);  // 8 KiB, three pages
  ide_command(0, 0x20, 9, 1);
  rep_ins(0x1f0, 2, 0x300ff0, 256);  // across a page
  lines[0]->type_silently("x");
  rep_ins(0x3f8, 1, 0x400000, 1);
  rep_outs(0x3f8, 1, 0x500000, 16);  // only read
  control->stop();
  const std::set<std::uint64_t> expected{0x200, 0x201, 0x202, 0x300, 0x301, 0x400};
  BOOST_TEST(dirty.waiting.empty());
  BOOST_TEST((dirty.told == expected));
}

BOOST_AUTO_TEST_CASE(a_transfer_under_way_at_stop_is_complete_and_told) {
  firmware();
  disks[0].hold();
  control->track_dirty(true);
  ide_dma(0xc8, 3, 8, 0x200000);
  BOOST_TEST(disks[0].pending() == 1U);
  BOOST_TEST(dirty.waiting.empty());
  control->stop();
  BOOST_TEST(disks[0].pending() == 0U);
  BOOST_TEST((dirty.told == std::set<std::uint64_t>{0x200}));
}

BOOST_AUTO_TEST_CASE(nobody_is_told_before_or_after_tracking) {
  firmware();
  ide_dma(0xc8, 3, 8, 0x200000);
  control->stop();
  control->cont();
  BOOST_TEST(dirty.flushes == 0);
  control->track_dirty(true);
  ide_dma(0xc8, 3, 8, 0x300000);
  control->track_dirty(false);
  control->track_dirty(false);
  BOOST_TEST((dirty.told == std::set<std::uint64_t>{0x300}));
  BOOST_TEST(dirty.flushes == 1);
  ide_dma(0xc8, 3, 8, 0x400000);
  BOOST_TEST(dirty.waiting.empty());
}

BOOST_AUTO_TEST_CASE(s3_and_back_resets_devices_and_keeps_what_only_firmware_sets_up) {
  firmware();
  config_write({1, 0}, 0x60, 1, 0x05);
  outb(0x3ff, 0x5a);
  outb(0x3f9, 0x03);
  ide_dma(0xc8, 3, 8, 0x200000);
  outb(0x1f6, 0xf0);  // drive 1
  outb(0x64, 0x60);
  outb(0x60, 0x00);
  outl(0xcf8, 0x80001234);
  outw(0xb004, 0x2401);
  BOOST_TEST(domain.suspends() == 1U);
  control->wake();
  BOOST_TEST(wakes == 1U);
  BOOST_TEST(inb(0x3ff) == 0x00);
  BOOST_TEST(inb(0x3f9) == 0x00);
  BOOST_TEST(inl(0xcf8) == 0x00000000U);
  // Drives: device 0 selected, signature, no interrupt, an idle bus master.
  BOOST_TEST((inb(0x1f6) & 0x10) == 0);
  BOOST_TEST(inb(0x1f7) == 0x50);
  BOOST_TEST(inb(0x1f3) == 0x01);
  BOOST_TEST(!irqs.isa(14));
  BOOST_TEST(inl(kBusMaster + 4) == 0U);
  BOOST_TEST((inb(kBusMaster + 2) & 0x05) == 0);
  // ACPI where the tables say, enabled; routes; and the code by which SeaBIOS knows a resume.
  BOOST_TEST((inw(0xb004) & 1) == 1);
  BOOST_TEST(irqs.link_route(0) == 5U);
  outb(0x70, 0x0f);
  BOOST_TEST(inb(0x71) == 0xfe);
  // And the machine works.
  disks[0].stamp(7);
  ide_dma(0xc8, 7, 1, 0x300000);
  const auto expected = rig::ScriptedBlock::pattern(7);
  BOOST_TEST(std::equal(expected.begin(), expected.end(), memory.ram().begin() + 0x300000));
  outw(0xb004, 0x2001);
  BOOST_TEST(domain.shutdowns().size() == 1U);
}

// RAM that held a ring is somebody else's when a guest resumes; its driver sets the card up anew.
BOOST_AUTO_TEST_CASE(a_card_that_slept_forgets_its_rings_and_keeps_its_place) {
  ManagedPc pc{with_a_card()};
  pc.firmware();
  pc.open_card(0x20000, 0x10000, 0x400000);
  rig::ScriptedNet& cable = *pc.cables[0];
  cable.arrive(rig::Bytes(60, std::byte{0xff}));
  pc.settle();
  BOOST_TEST(pc.card(0x2810) == 1U);          // RDH
  BOOST_TEST(pc.irqs.intx(kCard.device, 0));  // and nobody reads ICR
  pc.outw(0xb004, 0x2401);
  pc.control->wake();
  BOOST_TEST_REQUIRE(pc.wakes == 1U);
  BOOST_TEST(!pc.irqs.intx(kCard.device, 0));
  const std::vector<std::byte> before(pc.memory.ram().begin(), pc.memory.ram().end());
  cable.arrive(rig::Bytes(60, std::byte{0xff}));
  cable.client->on_receivable();  // as a loop may still have it in hand
  pc.settle();
  BOOST_TEST(std::equal(before.begin(), before.end(), pc.memory.ram().begin()));
  BOOST_TEST(!pc.irqs.intx(kCard.device, 0));
  for (const std::uint32_t reg : {0x0100U, 0x0400U, 0x00d0U, 0x2800U, 0x2808U, 0x2810U, 0x3800U}) {
    BOOST_TEST(pc.card(reg) == 0U, "register " << reg);
  }
  BOOST_TEST(pc.card(0x5400) == 0x123e1600U);  // RAL, read from the EEPROM again
  // PCI configuration is as firmware left it, so the card can be used at once.
  pc.open_card(0x28000, 0x18000, 0x500000);
  pc.settle();
  BOOST_TEST(pc.card(0x2810) == 1U);
  BOOST_TEST(pc.irqs.intx(kCard.device, 0));
}

BOOST_AUTO_TEST_CASE(a_card_that_left_does_not_come_back_by_sleep) {
  ManagedPc pc{with_a_card()};
  pc.firmware();
  pc.open_card(0x20000, 0x10000, 0x400000);
  pc.outw(0x10, 0x0002);
  pc.outw(0xb004, 0x2401);
  pc.control->wake();
  BOOST_TEST_REQUIRE(pc.wakes == 1U);
  BOOST_TEST(pc.cables[0]->client == nullptr);
  BOOST_TEST(pc.card(0x0008) == 0xffffffffU);  // STATUS: nobody there
  BOOST_TEST(pc.machine->work().empty());
}

BOOST_AUTO_TEST_CASE(waking_a_guest_that_does_not_sleep_changes_nothing) {
  firmware();
  outb(0x3ff, 0x5a);
  control->wake();
  BOOST_TEST(wakes == 0U);
  BOOST_TEST(inb(0x3ff) == 0x5a);
  outw(0xb004, 0x2401);
  control->wake();
  outb(0x3ff, 0x5b);
  control->wake();
  BOOST_TEST(wakes == 1U);
  BOOST_TEST(inb(0x3ff) == 0x5b);
}

/// Xen restores it awake: HVM_PARAM_ACPI_S_STATE is in no stream, and vCPU 0 is at F000:FFF0.
BOOST_AUTO_TEST_CASE(a_guest_that_is_saved_asleep_finds_its_devices_woken_up_where_it_is_restored) {
  ManagedPc pc{with_a_card()};
  pc.firmware();
  pc.open_card(0x20000, 0x10000, 0x400000);
  pc.outb(0x3ff, 0x5a);
  pc.outw(0xb004, 0x2401);
  pc.control->stop();
  const std::vector<std::byte> state = pc.control->save(0);
  ManagedPc other{with_a_card()};
  other.machine->pause();
  BOOST_TEST_REQUIRE(other.machine->load(state).has_value());
  other.machine->resume();
  BOOST_TEST(other.card(0x0100) == 0U);  // RCTL: the card is as after its reset
  BOOST_TEST(other.inb(0x3ff) == 0);     // SCR
  other.outb(0x70, 0x0f);
  BOOST_TEST(other.inb(0x71) == 0xfe);  // by which the BIOS knows a resume
  // Where it is saved from it still sleeps, and wakes as ever.
  pc.control->cont();
  pc.control->wake();
  BOOST_TEST(pc.wakes == 1U);
  pc.open_card(0x28000, 0x18000, 0x500000);
}

BOOST_AUTO_TEST_CASE(a_read_under_way_at_sleep_ends_before_the_guest_wakes) {
  firmware();
  disks[0].hold();
  ide_dma(0xc8, 3, 8, 0x200000);
  outw(0xb004, 0x2401);
  BOOST_TEST(disks[0].pending() == 0U);  // sleep makes data durable, which settles everything
  disks[0].hold(false);
  control->wake();
  BOOST_TEST(inb(0x1f7) == 0x50);
}

BOOST_AUTO_TEST_CASE(a_machine_that_ends_listens_on_none_of_its_serial_ports) {
  machine->stop_listening();
  for (const ScriptedChardev* const line : lines) {
    BOOST_TEST(!line->listening);
  }
}

BOOST_AUTO_TEST_CASE(drives_are_told_with_what_they_have_moved_until_they_leave) {
  firmware();
  ide_dma(0xc8, 0, 16, 0x200000);
  ide_dma(0xca, 0, 4, 0x200000);
  ide_command(0, 0xe7, 0, 0);
  auto drives = control->drives();
  BOOST_TEST_REQUIRE(drives.size() == 4U);
  BOOST_TEST(drives[0].name == "ide0-hd0");
  BOOST_TEST(drives[3].name == "ide1-hd1");
  BOOST_TEST(drives[0].image == "scripted");
  BOOST_TEST(drives[0].size == std::uint64_t{64} << 20U);
  BOOST_TEST(drives[0].stats.bytes[0] == 8192U);
  BOOST_TEST(drives[0].stats.bytes[1] == 2048U);
  BOOST_TEST(drives[0].stats.operations[2] == 1U);
  BOOST_TEST(drives[1].stats.operations[0] == 0U);
  outw(0x10, 0x0001);
  BOOST_TEST(control->drives().empty());
}

BOOST_AUTO_TEST_CASE(pci_functions_are_told_as_their_configuration_space_says) {
  firmware();
  const auto all = control->pci_functions();
  BOOST_TEST_REQUIRE(all.size() == 5U);
  const auto& ide = all[2];
  BOOST_TEST(ide.device == 1U);
  BOOST_TEST(ide.function == 1U);
  BOOST_TEST(ide.vendor_id == 0x8086);
  BOOST_TEST(ide.device_id == 0x7010);
  BOOST_TEST(ide.class_code == 0x0101);
  BOOST_TEST_REQUIRE(ide.windows.size() == 1U);
  BOOST_TEST(ide.windows[0].bar == 4U);
  BOOST_TEST(ide.windows[0].address == kBusMaster);
  const auto& platform = all[4];
  BOOST_TEST(platform.subsystem_vendor_id == 0x5853);
  BOOST_TEST(platform.windows.size() == 2U);
  BOOST_TEST(platform.windows[1].address == 0U);  // memory decode is off
  BOOST_TEST(platform.windows[1].size == 16U << 20U);
  for (const auto& function : all) {
    BOOST_TEST(!function.name.empty());
  }
}

BOOST_AUTO_TEST_CASE(stop_and_cont_are_those_of_time_and_of_other_devices_too) {
  control->stop();
  BOOST_TEST(!guest_time.running);
  BOOST_TEST(!others_run);
  BOOST_TEST(!control->running());
  control->cont();
  BOOST_TEST(guest_time.running);
  BOOST_TEST(others_run);
  BOOST_TEST(control->running());
  BOOST_TEST(launches == 0U);  // it was there from the start
  control->quit();
  BOOST_TEST(quits == 1U);
}

/// TXDW waits for TIDV, and its time is over when stop comes: libxl takes the state and Xen's
/// levels at different moments after that.
BOOST_AUTO_TEST_CASE(what_is_due_when_stop_comes_waits_for_cont) {
  ManagedPc pc{with_a_card()};
  pc.firmware();
  pc.open_card(0x20000, 0x30000, 0x400000);
  (void)pc.card(0x00c0);                                         // ICR
  pc.card(0x3820, 100);                                          // TIDV: 102.4 us
  const std::uint64_t frame[2]{0x300000, 100 | 0x8bULL << 24U};  // IDE, RS, IFCS, EOP
  std::memcpy(pc.memory.ram().data() + 0x30000, frame, sizeof frame);
  pc.card(0x3818, 1);  // TDT
  BOOST_TEST(!pc.irqs.intx(4, 0));
  pc.clock.advance(std::chrono::milliseconds{1});
  pc.control->stop();
  const auto state = pc.machine->save();
  pc.settle();
  BOOST_TEST(!pc.irqs.intx(4, 0));
  BOOST_TEST((pc.machine->save() == state));
  BOOST_TEST(!pc.loop.asked_for);  // nor is there anything to be awake for
  pc.control->cont();
  pc.settle();
  BOOST_TEST(pc.irqs.intx(4, 0));
}

BOOST_AUTO_TEST_CASE(a_machine_that_starts_stopped_is_launched_by_the_first_cont_alone) {
  MachineConfig paused = six_vcpus();
  paused.start_paused = true;
  ManagedPc pc{paused};
  BOOST_TEST(!pc.guest_time.running);
  BOOST_TEST(pc.control->prelaunch());
  for (int i = 0; i < 2; ++i) {
    pc.control->cont();
    BOOST_TEST(pc.control->running());
    BOOST_TEST(pc.guest_time.running);
    pc.control->stop();
  }
  BOOST_TEST(pc.launches == 1U);
  BOOST_TEST(!pc.control->prelaunch());
  BOOST_TEST(pc.quits == 0U);
}

/// libxl takes a guest for restored when query-status says paused (dm_restrict), and sends cont.
BOOST_AUTO_TEST_CASE(a_guest_that_was_saved_is_paused_until_cont) {
  for (const bool start_paused : {false, true}) {
    MachineConfig saved = six_vcpus();
    saved.start_paused = start_paused;
    saved.incoming_fd = 3;
    ManagedPc pc{saved};
    BOOST_TEST(!pc.control->running());
    BOOST_TEST(!pc.control->prelaunch());
    BOOST_TEST(!pc.guest_time.running);
    pc.control->cont();
    BOOST_TEST(pc.control->running());
    BOOST_TEST(pc.guest_time.running);
    BOOST_TEST(pc.launches == (start_paused ? 1U : 0U));
  }
}

BOOST_AUTO_TEST_CASE(a_machine_that_cannot_be_launched_ends_and_no_time_passes) {
  MachineConfig paused = six_vcpus();
  paused.start_paused = true;
  ManagedPc pc{paused};
  pc.launches_well = false;
  pc.control->cont();
  BOOST_TEST(pc.quits == 1U);
  BOOST_TEST(!pc.control->running());
  BOOST_TEST(!pc.guest_time.running);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
