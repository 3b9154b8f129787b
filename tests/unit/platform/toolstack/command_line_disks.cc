// SPDX-License-Identifier: MIT
// Disks and CD-ROM drives on command lines of libxl 4.17.
#include "tests/unit/platform/toolstack/golden.h"

#include <string>
#include <utility>
#include <vector>

namespace dm::toolstack::test {
namespace {

BOOST_AUTO_TEST_SUITE(command_line_disks)

BOOST_AUTO_TEST_CASE(four_ide_disks_come_in_the_order_of_their_places) {
  const MachineConfig machine = machine_of(
      {.disks = {"-drive", "file=/d,if=ide,index=3,media=disk,format=raw,cache=writeback",  //
                 "-drive", "file=/a,if=ide,index=0,media=disk,format=raw,cache=writeback", "-drive",
                 "file=/c,if=ide,index=2,media=disk,format=raw,cache=writeback", "-drive",
                 "file=/b,if=ide,index=1,media=disk,format=raw,cache=writeback"}});
  BOOST_TEST_REQUIRE(machine.disks.size() == 4U);
  for (unsigned i = 0; i < 4; ++i) {
    BOOST_TEST(machine.disks[i].index == i);
    BOOST_TEST(machine.disks[i].path == (std::string{"/"} + "abcd"[i]));
  }
}

BOOST_AUTO_TEST_CASE(a_file_name_may_hold_commas) {
  // libxl escapes nothing: what does not start with a key of ours goes on with the name.
  const MachineConfig machine = machine_of(
      {.disks = {"-drive",
                 "file=/srv/a,b,,c=d,e,if=ide,index=0,media=disk,format=raw,cache=writeback"}});
  BOOST_TEST(machine.disks.at(0).path == "/srv/a,b,,c=d,e");
  const MachineConfig last =
      machine_of({.disks = {"-drive", "if=ide,index=0,format=raw,file=/srv/a,b,"}});
  BOOST_TEST(last.disks.at(0).path == "/srv/a,b,");
}

BOOST_AUTO_TEST_CASE(the_order_of_keys_does_not_matter) {
  const MachineConfig machine = machine_of(
      {.disks = {"-drive", "cache=writeback,format=raw,media=disk,index=2,if=ide,file=/x"}});
  BOOST_TEST(machine.disks.at(0).path == "/x");
  BOOST_TEST(machine.disks.at(0).index == 2U);
}

BOOST_AUTO_TEST_CASE(a_stub_domain_names_its_own_block_devices) {
  const MachineConfig machine = machine_of(
      {.disks = {"-drive",
                 "file=/dev/xvda,if=ide,index=0,media=disk,format=host_device,cache=writeback"}});
  BOOST_TEST((machine.disks.at(0).format == ImageFormat::host_device));
}

BOOST_AUTO_TEST_CASE(readonly_is_kept_for_a_disk) {
  // B31, XSA-142: libxl does not say it for IDE disks, but who says it must get it.
  const MachineConfig machine =
      machine_of({.disks = {"-drive", "file=/x,if=ide,index=0,media=disk,format=raw,readonly=on"}});
  BOOST_TEST(machine.disks.at(0).read_only);
}

BOOST_AUTO_TEST_CASE(images_that_are_not_raw_and_nbd_exports_are_taken_as_they_are_called) {
  const MachineConfig machine = machine_of(
      {.disks = {"-drive", "file=/a,if=ide,index=0,media=disk,format=qcow2,cache=writeback",
                 "-drive", "file=/b,if=ide,index=1,media=disk,format=vpc,cache=writeback", "-drive",
                 "file=nbd:unix:/s:exportname=x,if=ide,index=2,media=disk,format=raw,"
                 "cache=writeback"}});
  BOOST_TEST((machine.disks[0].format == ImageFormat::qcow2));
  BOOST_TEST((machine.disks[1].format == ImageFormat::vpc));
  BOOST_TEST(machine.disks[2].path == "nbd:unix:/s:exportname=x");
  BOOST_TEST(!noted(machine, "PV back end"));  // platform/pv is one
}

BOOST_AUTO_TEST_CASE(a_disk_that_nobody_serves_to_the_guests_own_driver_is_noted) {
  const Arguments qcow2 = {"-drive",
                           "file=/a,if=ide,index=0,media=disk,format=qcow2,cache=writeback"};
  const Arguments bound = {"-xen-domid-restrict"};
  const auto told = [](const Golden& guest) {
    return noted(machine_of(guest), "no PV back end with dm_restrict=1");
  };
  BOOST_TEST(!told({.disks = qcow2}));
  BOOST_TEST(told({.restrict = bound, .disks = qcow2}));
  BOOST_TEST(told({.disks = qcow2, .last = {"-runas", "1000:1000"}}));
  BOOST_TEST(!told({.restrict = bound, .machine = {"-machine", "pc,accel=xen"}, .disks = qcow2}));
  BOOST_TEST(!told({.restrict = bound}));
}

BOOST_AUTO_TEST_CASE(cache_none_and_cache_direct_ask_to_go_past_the_page_cache) {
  for (const auto& [text, direct] :
       std::vector<std::pair<std::string, bool>>{{"cache=writeback", false},
                                                 {"cache=none", true},
                                                 {"cache=directsync", true},
                                                 {"cache=unsafe", false},
                                                 {"cache.direct=on", true},
                                                 {"cache=writeback,cache.direct=on", true},
                                                 {"cache=none,cache.direct=off", false}}) {
    const std::string drive = "file=/x,if=ide,index=0,media=disk,format=raw," + text;
    const MachineConfig machine = machine_of({.disks = {"-drive", drive}});
    BOOST_TEST(machine.disks[0].direct == direct, text);
  }
}

BOOST_AUTO_TEST_CASE(another_cache_mode_is_noted) {
  const MachineConfig machine = machine_of(
      {.disks = {"-drive", "file=/x,if=ide,index=0,media=disk,format=raw,cache=unsafe"}});
  BOOST_TEST(noted(machine, "cache=writeback is used"));
}

BOOST_AUTO_TEST_CASE(a_cdrom_with_a_disc_and_an_empty_one_take_ide_places) {
  const MachineConfig machine = machine_of(
      {.disks = {"-drive",
                 "file=/dev/vg/guest,if=ide,index=0,media=disk,format=raw,cache=writeback",
                 "-drive", "if=none,readonly=on,id=ide-5632,file=/iso/a,b.iso,format=raw",  //
                 "-device", "ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0",           //
                 "-drive", "if=none,readonly=on,id=ide-5696",                               //
                 "-device", "ide-cd,id=ide-5696,drive=ide-5696,bus=ide.1,unit=1"}});
  BOOST_TEST_REQUIRE(machine.disks.size() == 3U);
  BOOST_TEST(!machine.disks[0].cdrom);
  BOOST_TEST(machine.disks[1].cdrom);
  BOOST_TEST(machine.disks[1].read_only);
  BOOST_TEST(machine.disks[1].index == 2U);
  BOOST_TEST(machine.disks[1].id == "ide-5632");
  BOOST_TEST(machine.disks[1].path == "/iso/a,b.iso");
  BOOST_TEST(machine.disks[2].index == 3U);
  BOOST_TEST(machine.disks[2].path.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
