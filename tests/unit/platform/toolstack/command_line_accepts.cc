// SPDX-License-Identifier: MIT
// Command lines of libxl 4.17 that are served, and what machine comes of them. Their disks are in
// command_line_disks.cc.
#include "tests/unit/platform/toolstack/golden.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace dm::toolstack::test {
namespace {

using Mac = std::array<std::uint8_t, 6>;

BOOST_AUTO_TEST_SUITE(command_line_accepts)

BOOST_AUTO_TEST_CASE(the_smallest_guest_becomes_a_machine) {
  const MachineConfig machine = machine_of({});
  BOOST_TEST(machine.domid == 7U);
  BOOST_TEST(machine.name == "guest");
  BOOST_TEST(machine.vcpus_online == 1U);
  BOOST_TEST(machine.vcpus_max == 1U);
  BOOST_TEST(machine.memory_mib == 512U);
  BOOST_TEST(machine.boot_order == "cda");
  BOOST_TEST(machine.xen_platform);
  BOOST_TEST(machine.acpi);
  BOOST_TEST(!machine.start_paused);
  BOOST_TEST(!machine.incoming_fd.has_value());
  BOOST_TEST(machine.nics.empty());
  BOOST_TEST(machine.notes.empty());
  BOOST_TEST(!machine.restrict_domid);
  BOOST_TEST_REQUIRE(machine.disks.size() == 1U);
  BOOST_TEST(machine.disks[0].path == "/dev/vg/guest");
  BOOST_TEST(machine.disks[0].index == 0U);
  BOOST_TEST(!machine.disks[0].cdrom);
  BOOST_TEST(!machine.disks[0].read_only);
  BOOST_TEST((machine.disks[0].format == ImageFormat::raw));
  BOOST_TEST_REQUIRE(machine.serial[0].has_value());
  BOOST_TEST(machine.serial[0]->backend == "pty");
  BOOST_TEST(!machine.serial[1].has_value());
  BOOST_TEST_REQUIRE(machine.qmp.size() == 2U);
  BOOST_TEST(machine.qmp[0].id == "libxl-cmd");
  BOOST_TEST(machine.qmp[0].path == "/var/run/xen/qmp-libxl-7");
  BOOST_TEST(machine.qmp[0].fd == -1);
  BOOST_TEST(machine.qmp[1].id == "libxenstat-cmd");
  BOOST_TEST(machine.qmp[1].path == "/var/run/xen/qmp-libxenstat-7");
}

// Beside a stub domain, libxl starts the same program in dom0 for that domain's consoles and disks.
BOOST_AUTO_TEST_CASE(a_pv_domain_gets_backends_and_no_machine) {
  const Arguments arguments = {
      "-xen-domid",
      "8",
      "-no-shutdown",
      "-chardev",
      "socket,id=libxl-cmd,path=/var/run/xen/qmp-libxl-8,server=on,wait=off",
      "-mon",
      "chardev=libxl-cmd,mode=control",
      "-chardev",
      "socket,id=libxenstat-cmd,path=/var/run/xen/qmp-libxenstat-8,server=on,wait=off",
      "-mon",
      "chardev=libxenstat-cmd,mode=control",
      "-nodefaults",
      "-no-user-config",
      "-xen-attach",
      "-name",
      "guest-dm",
      "-vnc",
      "none",
      "-display",
      "none",
      "-nographic",
      "-machine",
      "xenpv",
      "-m",
      "128"};
  const auto parsed = parse_command_line(arguments, {});
  BOOST_TEST_REQUIRE(parsed.has_value(), parsed.error().message);
  BOOST_TEST(parsed->config.pv);
  BOOST_TEST(parsed->config.domid == 8U);
  BOOST_TEST(parsed->config.qmp.size() == 2U);
  BOOST_TEST(!machine_of({}).pv);
}

BOOST_AUTO_TEST_CASE(without_smp_and_boot_there_is_one_vcpu_and_the_order_cda) {
  const MachineConfig machine = machine_of({.boot = {}});
  BOOST_TEST(machine.vcpus_max == 1U);
  BOOST_TEST(machine.boot_order == "cda");
}

BOOST_AUTO_TEST_CASE(a_kernel_of_the_host_has_a_ramdisk_and_a_command_line_or_neither) {
  const MachineConfig machine = machine_of(
      {.kernel = {"-kernel", "/boot/vmlinuz", "-initrd", "/boot/initrd", "-append", "-quiet ro"}});
  BOOST_TEST_REQUIRE(machine.kernel.has_value());
  BOOST_TEST(machine.kernel->path == "/boot/vmlinuz");
  BOOST_TEST(machine.kernel->initrd == "/boot/initrd");
  BOOST_TEST(machine.kernel->command_line == "-quiet ro");
  const MachineConfig bare = machine_of({.kernel = {"-kernel", "/boot/vmlinuz"}});
  BOOST_TEST_REQUIRE(bare.kernel.has_value());
  BOOST_TEST(bare.kernel->initrd.empty());
  BOOST_TEST(bare.kernel->command_line.empty());
  BOOST_TEST(!machine_of({}).kernel.has_value());
}

BOOST_AUTO_TEST_CASE(four_vcpus_are_online_and_possible) {
  const MachineConfig machine = machine_of({.smp = {"-smp", "4"}});
  BOOST_TEST(machine.vcpus_online == 4U);
  BOOST_TEST(machine.vcpus_max == 4U);
}

BOOST_AUTO_TEST_CASE(some_of_the_possible_vcpus_are_online) {
  const MachineConfig machine = machine_of({.smp = {"-smp", "2,maxcpus=128"}});
  BOOST_TEST(machine.vcpus_online == 2U);
  BOOST_TEST(machine.vcpus_max == 128U);
}

BOOST_AUTO_TEST_CASE(dm_restrict_hands_over_a_socket_and_starts_paused) {
  const MachineConfig machine =
      machine_of({.qmp = {"-chardev", "socket,id=libxl-cmd,fd=19,server=on,wait=off", "-S"},
                  .restrict = {"-xen-domid-restrict", "-chroot", "/var/run/xen/qemu-root-7"},
                  .last = {"-runas", "65536:65536"}});
  BOOST_TEST(machine.start_paused);
  BOOST_TEST(machine.qmp.at(0).fd == 19);
  BOOST_TEST(machine.qmp.at(0).path.empty());
  BOOST_TEST(machine.restrict_domid);
  BOOST_TEST(machine.chroot == "/var/run/xen/qemu-root-7");
  BOOST_TEST(machine.run_as == "65536:65536");
}

const Arguments kCard = {"-device", "VGA,vgamem_mb=16"};

BOOST_AUTO_TEST_CASE(the_screen_is_shown_where_xl_says) {
  const MachineConfig machine =
      machine_of({.vnc = {"-vnc", "127.0.0.1:0,to=99"}, .graphics = kCard});
  BOOST_TEST_REQUIRE(machine.vnc.has_value());
  BOOST_TEST(machine.vnc->host == "127.0.0.1");
  BOOST_TEST(machine.vnc->display == 0U);
  BOOST_TEST(machine.vnc->last.value() == 99U);
  BOOST_TEST(!machine.vnc->password);
  BOOST_TEST(!machine.vnc->websocket);
  BOOST_TEST(machine.notes.empty());
}

// D16, XSA-119
BOOST_AUTO_TEST_CASE(nothing_listens_without_a_word_of_it) {
  BOOST_TEST(!machine_of({.graphics = kCard}).vnc);
  BOOST_TEST(!machine_of({.vnc = {"-vnc", "none"}, .graphics = kCard}).vnc);
  const MachineConfig blind = machine_of({.vnc = {"-vnc", ":0"}});
  BOOST_TEST(!blind.vga);
  BOOST_TEST(noted(blind, "no graphics card"));
}

BOOST_AUTO_TEST_CASE(every_way_to_say_where_viewers_connect) {
  const auto vnc = [](const char* value) {
    return machine_of({.vnc = {"-vnc", value}, .graphics = kCard}).vnc.value();
  };
  BOOST_TEST(vnc(":7").host.empty());
  BOOST_TEST(vnc(":7").display == 7U);
  BOOST_TEST(vnc("[::1]:3").host == "::1");
  BOOST_TEST(vnc("::1:2,password=on").host == "::1");
  BOOST_TEST(vnc("::1:2,password=on").display == 2U);
  BOOST_TEST(vnc("::1:2,password=on").password);
  BOOST_TEST(!vnc(":2,password=off").password);
  BOOST_TEST(vnc("unix:/run/screen").path == "/run/screen");
  BOOST_TEST(vnc("0.0.0.0:0,websocket=5701").websocket.value() == 5701);
  BOOST_TEST(vnc("0.0.0.0:0,websocket").websocket.value() == 0);
  BOOST_TEST(
      noted(machine_of({.vnc = {"-vnc", ":0,share=force-shared"}, .graphics = kCard}), "share"));
}

BOOST_AUTO_TEST_CASE(other_screens_are_shown_by_vnc) {
  for (const Arguments& asked :
       {Arguments{"-display", "sdl"}, Arguments{"-display", "gtk,gl=on"}, Arguments{"-sdl"},
        Arguments{"-spice", "port=5900,disable-ticketing=on"}}) {
    const MachineConfig machine = machine_of({.display = asked, .graphics = kCard});
    BOOST_TEST_REQUIRE(machine.vnc.has_value());
    BOOST_TEST(machine.vnc->host == "127.0.0.1");
    BOOST_TEST(machine.notes.size() == 1U);
    BOOST_TEST(noted(machine, "shown by VNC instead"));
  }
  const MachineConfig both =
      machine_of({.vnc = {"-vnc", ":5"}, .display = {"-display", "sdl"}, .graphics = kCard});
  BOOST_TEST(both.vnc.value().display == 5U);
}

BOOST_AUTO_TEST_CASE(what_goes_with_spice_and_sound_is_noted_and_not_there) {
  const MachineConfig machine = machine_of(
      {.graphics = {"-spice", "port=5900", "-device", "virtio-serial", "-chardev",
                    "spicevmc,id=vdagent,name=vdagent", "-device",
                    "virtserialport,chardev=vdagent,name=com.redhat.spice.0"},
       .usb_sound_acpi = {"-device", "ich9-usb-ehci1,id=usb,addr=0x1d.0x7,multifunction=on",
                          "-device", "usb-redir,chardev=usbrc1,id=usbrc1", "-device", "intel-hda",
                          "-device", "hda-duplex", "-device", "AC97"}});
  BOOST_TEST(noted(machine, "virtio-serial"));
  BOOST_TEST(noted(machine, "ich9-usb-ehci1"));
  BOOST_TEST(noted(machine, "the guest starts without a sound card"));
}

BOOST_AUTO_TEST_CASE(a_keymap_is_a_name) {
  BOOST_TEST(machine_of({.display = {"-k", "de-ch"}}).keymap == "de-ch");
}

BOOST_AUTO_TEST_CASE(a_screen_is_the_standard_vga_card) {
  BOOST_TEST(!machine_of({}).vga);
  const MachineConfig machine = machine_of({.graphics = {"-device", "VGA,vgamem_mb=32"}});
  BOOST_TEST_REQUIRE(machine.vga.has_value());
  BOOST_TEST(machine.vga->memory_mib == 32U);
  BOOST_TEST(machine.vga->width == 1280);
  BOOST_TEST(!machine.vga->rom);
  BOOST_TEST(machine.notes.empty());
  const MachineConfig more =
      machine_of({.graphics = {"-device", "VGA,vgamem_mb=16,xres=1920,yres=1080,romfile="}});
  BOOST_TEST(more.vga->width == 1920);
  BOOST_TEST(more.vga->height == 1080);
  BOOST_TEST(more.vga->rom.value() == "");
}

BOOST_AUTO_TEST_CASE(xls_default_card_is_swapped_and_the_log_says_so) {
  const MachineConfig machine = machine_of({.graphics = {"-device", "cirrus-vga,vgamem_mb=8"}});
  BOOST_TEST(machine.vga->memory_mib == 8U);
  BOOST_TEST_REQUIRE(machine.notes.size() == 1U);
  BOOST_TEST(says(machine.notes[0], "-device cirrus-vga,vgamem_mb=8 (the guest gets the standard"));
}

BOOST_AUTO_TEST_CASE(video_memory_is_a_power_of_two_and_the_rest_is_noted) {
  const auto mib_of = [](std::string_view device) {
    const MachineConfig machine = machine_of({.graphics = {"-device", device}});
    BOOST_TEST(machine.notes.size() == 1U);
    return machine.vga.value().memory_mib;
  };
  BOOST_TEST(mib_of("VGA,vgamem_mb=20") == 16U);
  BOOST_TEST(mib_of("VGA,vgamem_mb=255") == 128U);
  BOOST_TEST(mib_of("VGA,vgamem_mb=1000") == 256U);
}

BOOST_AUTO_TEST_CASE(harmless_options_are_noted) {
  const MachineConfig machine = machine_of({.serial = {"-serial", "pty", "-nographic"},
                                            .last = {"-device", "xen-pvdevice,device-id=0xc000"}});
  BOOST_TEST(machine.notes.size() == 2U);
  BOOST_TEST(noted(machine, "-nographic"));
  BOOST_TEST(noted(machine, "xen-pvdevice"));
}

BOOST_AUTO_TEST_CASE(a_sound_card_is_left_out_with_one_line_in_the_log) {
  const MachineConfig hda =
      machine_of({.usb_sound_acpi = {"-device", "intel-hda", "-device", "hda-duplex"}});
  BOOST_TEST_REQUIRE(hda.notes.size() == 1U);
  BOOST_TEST(hda.notes[0] ==
             "soundhw: the guest starts without a sound card (intel-hda, hda-duplex). The guest "
             "has no sound");
  for (const std::string_view model :
       {"AC97", "ac97", "ES1370", "es1370", "adlib", "cs4231a", "gus", "sb16", "sb16,audiodev=a"}) {
    const MachineConfig machine = machine_of({.usb_sound_acpi = {"-device", model}});
    BOOST_TEST(machine.notes.size() == 1U);
    BOOST_TEST(noted(machine, model.substr(0, model.find(','))));
  }
  BOOST_TEST(noted(machine_of({.usb_sound_acpi = {"-soundhw", "all"}}), "(-soundhw all)"));
  BOOST_TEST(noted(machine_of({.device_model_args = {"-device", "AC97", "-audiodev", "none,id=a"}}),
                   "device_model_args: the guest starts without a sound card (AC97)"));
}

BOOST_AUTO_TEST_CASE(a_window_and_spice_are_left_out_with_one_line_each_in_the_log) {
  for (const Arguments& sdl : {Arguments{"-display", "sdl"}, Arguments{"-sdl"}}) {
    const MachineConfig machine = machine_of({.display = sdl});
    BOOST_TEST_REQUIRE(machine.notes.size() == 1U);
    BOOST_TEST(noted(machine, "sdl: the guest starts without an SDL window (-"));
  }
  const MachineConfig spice = machine_of(
      {.graphics = {"-spice", "port=5900,tls-port=0,addr=127.0.0.1,disable-ticketing=on", "-device",
                    "virtio-serial", "-chardev", "spicevmc,id=vdagent,name=vdagent", "-device",
                    "virtserialport,chardev=vdagent,name=com.redhat.spice.0"}});
  BOOST_TEST_REQUIRE(spice.notes.size() == 1U);
  BOOST_TEST(noted(spice, "spice: the guest starts without SPICE (-spice port=5900"));
}

BOOST_AUTO_TEST_CASE(options_without_effect_are_told_with_what_to_write_instead) {
  for (const Arguments& arguments :
       {Arguments{"-debugcon", "file:/tmp/x"},
        Arguments{"-audiodev", "none,id=a"},
        Arguments{"-audio", "none"},
        Arguments{"-disable-audio-rec"},
        Arguments{"-rtc", "base=utc"},
        Arguments{"-no-hpet"},
        Arguments{"-cpu", "host"},
        Arguments{"-uuid", "x"},
        Arguments{"-smbios", "type=1"},
        Arguments{"-acpitable", "file=/x"},
        Arguments{"-bios", "/x"},
        Arguments{"-no-fd-bootchk"},
        Arguments{"-msg", "timestamp=on"},
        Arguments{"-monitor", "none"},
        Arguments{"-monitor", "null"},
        Arguments{"-parallel", "none"},
        Arguments{"-vga", "none"},
        Arguments{"-boot", "menu=on,strict=on"},
        Arguments{"-global", "isa-debugcon.iobase=0x402"},
        Arguments{"-global", "PIIX4_PM.disable_s3=1"},
        Arguments{"-global", "driver=mc146818rtc,property=lost_tick_policy,value=slew"},
        Arguments{"-device", "isa-debugcon,iobase=0x402"}}) {
    const MachineConfig machine = machine_of({.device_model_args = arguments});
    BOOST_TEST_REQUIRE(machine.notes.size() == 1U);
    std::string told = "device_model_args: " + std::string{arguments[0]};
    told.append(arguments.size() > 1 ? " " : "").append(arguments.size() > 1 ? arguments[1] : "");
    BOOST_TEST(says(machine.notes[0], told + " has no effect: "), machine.notes[0]);
    BOOST_TEST(machine.boot_order == "cda");
  }
  const Golden vga = {.graphics = {"-device", "VGA,vgamem_mb=16"},
                      .device_model_args = {"-vga", "std"}};
  BOOST_TEST(noted(machine_of(vga), "-vga std has no effect"));
}

BOOST_AUTO_TEST_CASE(a_boot_order_by_hand_counts) {
  BOOST_TEST(machine_of({.device_model_args = {"-boot", "d"}}).boot_order == "d");
  const MachineConfig machine = machine_of({.device_model_args = {"-boot", "order=n,menu=on"}});
  BOOST_TEST(machine.boot_order == "n");
  BOOST_TEST(noted(machine, "nothing of this but order="));
}

BOOST_AUTO_TEST_CASE(a_thousand_options_without_effect_do_not_flood_the_log) {
  Golden guest;
  for (int i = 0; i < 400; ++i) {
    guest.device_model_args.insert(guest.device_model_args.end(), {"-rtc", "base=utc"});
  }
  BOOST_TEST(machine_of(guest).notes.size() == 33U);
  BOOST_TEST(noted(machine_of(guest), "368 more options have no effect"));
}

BOOST_AUTO_TEST_CASE(a_machine_without_xen_platform_is_a_pc) {
  BOOST_TEST(
      !machine_of({.machine = {"-machine", "pc,accel=xen,suppress-vmdesc=on"}}).xen_platform);
}

BOOST_AUTO_TEST_CASE(a_larger_mmio_hole_changes_nothing_for_us) {
  const MachineConfig machine =
      machine_of({.machine = {"-machine", "xenfv,suppress-vmdesc=on,max-ram-below-4g=3221225472"}});
  BOOST_TEST(machine.xen_platform);
}

BOOST_AUTO_TEST_CASE(usb_is_a_controller_and_at_most_two_devices) {
  using Devices = std::vector<UsbDevice>;
  BOOST_TEST(!machine_of({}).usb.has_value());
  const auto devices = [](const Arguments& usb) {
    return machine_of({.usb_sound_acpi = usb}).usb.value().devices;
  };
  BOOST_TEST(devices({"-usb"}).empty());
  BOOST_TEST(devices({"-device", "piix3-usb-uhci,id=usb"}).empty());
  BOOST_TEST((devices({"-usb", "-usbdevice", "tablet"}) == Devices{UsbDevice::tablet}));
  BOOST_TEST((devices({"-usb", "-usbdevice", "mouse", "-usbdevice", "keyboard"}) ==
              Devices{UsbDevice::mouse, UsbDevice::keyboard}));
  BOOST_TEST((devices({"-device", "piix3-usb-uhci,id=usb", "-device", "usb-tablet,bus=usb.0",
                       "-device", "usb-kbd"}) == Devices{UsbDevice::tablet, UsbDevice::keyboard}));
}

BOOST_AUTO_TEST_CASE(acpi_can_be_off) {
  BOOST_TEST(!machine_of({.usb_sound_acpi = {"-no-acpi"}}).acpi);
}

BOOST_AUTO_TEST_CASE(serial_ports_keep_their_places) {
  const MachineConfig machine =
      machine_of({.serial = {"-serial", "none", "-serial", "file:/tmp/a,b", "-serial", "null",
                             "-serial", "/dev/hvc3"}});
  BOOST_TEST(!machine.serial[0].has_value());
  BOOST_TEST(machine.serial[1].value().backend == "file:/tmp/a,b");
  BOOST_TEST(machine.serial[2].value().backend == "null");
  BOOST_TEST(machine.serial[3].value().backend == "/dev/hvc3");
}

BOOST_AUTO_TEST_CASE(sockets_and_standard_output_are_serial_backends) {
  const MachineConfig machine =
      machine_of({.serial = {"-serial", "unix:/tmp/s,server,nowait", "-serial",
                             "tcp:127.0.0.1:4000,server,nowait", "-serial", "stdio", "-serial",
                             "pipe:/tmp/p"}});
  BOOST_TEST(machine.serial[0].value().backend == "unix:/tmp/s,server,nowait");
  BOOST_TEST(machine.serial[1].value().backend == "tcp:127.0.0.1:4000,server,nowait");
  BOOST_TEST(machine.serial[2].value().backend == "stdio");
  BOOST_TEST(machine.serial[3].value().backend == "pipe:/tmp/p");
}

BOOST_AUTO_TEST_CASE(a_stub_domain_has_no_qmp_sockets) {
  const Arguments arguments = {"-xen-domid",
                               "7",
                               "-no-shutdown",
                               "-nodefaults",
                               "-no-user-config",
                               "-name",
                               "g",
                               "-display",
                               "none",
                               "-serial",
                               "/dev/hvc3",
                               "-boot",
                               "order=cda",
                               "-net",
                               "none",
                               "-machine",
                               "xenfv,suppress-vmdesc=on",
                               "-m",
                               "256"};
  const auto invocation = parse(arguments);
  BOOST_REQUIRE_MESSAGE(invocation.has_value(), invocation.error().message);
  BOOST_TEST(invocation->config.qmp.empty());
  BOOST_TEST(invocation->config.disks.empty());
}

BOOST_AUTO_TEST_CASE(older_libxl_writes_server_nowait) {
  const MachineConfig machine =
      machine_of({.qmp = {"-chardev", "socket,id=libxl-cmd,path=/run/q,server,nowait"}});
  BOOST_TEST(machine.qmp.at(0).path == "/run/q");
}

BOOST_AUTO_TEST_CASE(names_may_hold_anything) {
  BOOST_TEST(machine_of({.name = {"-name", "-vnc, \n\"guest\""}}).name == "-vnc, \n\"guest\"");
}

BOOST_AUTO_TEST_CASE(two_dashes_are_as_good_as_one) {
  Arguments arguments = Golden{}.arguments();
  arguments[0] = "--xen-domid";
  BOOST_TEST(parse(arguments).value().config.domid == 7U);
}

BOOST_AUTO_TEST_CASE(an_rtl8139_is_served_which_xl_asks_for_without_a_model) {
  const MachineConfig machine = machine_of(
      {.nics = {"-device", "rtl8139,id=nic0,netdev=net0,mac=00:16:3e:11:22:33", "-netdev",
                "type=tap,id=net0,ifname=vif7.0-emu,br=xenbr0,script=no,downscript=no"}});
  BOOST_TEST_REQUIRE(machine.nics.size() == 1U);
  BOOST_TEST(machine.nics[0].model == "rtl8139");
  BOOST_TEST(machine.nics[0].tap_name == "vif7.0-emu");
}

BOOST_AUTO_TEST_CASE(e1000_cards_find_their_netdev_although_it_comes_after_them) {
  const MachineConfig machine = machine_of(
      {.nics = {"-device", "e1000,id=nic0,netdev=net0,mac=00:16:3e:11:22:33", "-netdev",
                "type=tap,id=net0,ifname=vif7.0-emu,br=xenbr0,script=no,downscript=no", "-device",
                "e1000,id=nic1,netdev=net1,mac=00:16:3E:aa:BB:ff", "-netdev",
                "type=tap,id=net1,ifname=vif7.1-emu,br=(null),script=no,downscript=no"}});
  BOOST_TEST_REQUIRE(machine.nics.size() == 2U);
  BOOST_TEST(machine.nics[0].id == "nic0");
  BOOST_TEST(machine.nics[0].model == "e1000");
  BOOST_TEST((machine.nics[0].mac == Mac{0x00, 0x16, 0x3e, 0x11, 0x22, 0x33}));
  BOOST_TEST(machine.nics[0].tap_name == "vif7.0-emu");
  BOOST_TEST(machine.nics[0].tap_fd == -1);
  BOOST_TEST(machine.nics[0].bridge == "xenbr0");
  BOOST_TEST((machine.nics[1].mac == Mac{0x00, 0x16, 0x3e, 0xaa, 0xbb, 0xff}));
  BOOST_TEST(machine.nics[1].tap_name == "vif7.1-emu");
}

BOOST_AUTO_TEST_CASE(a_card_may_be_given_an_open_tap) {
  const MachineConfig machine = machine_of(
      {.nics = {"-netdev", "tap,id=n,fd=5", "-device", "e1000,netdev=n,mac=00:16:3e:11:22:33"}});
  BOOST_TEST(machine.nics.at(0).tap_fd == 5);
  BOOST_TEST(machine.nics.at(0).tap_name.empty());
}

BOOST_AUTO_TEST_CASE(a_card_may_share_an_interface_and_bring_its_own_rom_or_none) {
  const MachineConfig machine = machine_of(
      {.nics = {"-device", "e1000,id=nic0,netdev=net0,mac=00:16:3e:11:22:33,romfile=/boot.rom",
                "-netdev", "packet,id=net0,ifname=eth1", "-device",
                "e1000,id=nic1,netdev=net1,mac=00:16:3e:11:22:34,romfile=", "-netdev",
                "type=tap,id=net1,ifname=vif7.1-emu"}});
  BOOST_TEST_REQUIRE(machine.nics.size() == 2U);
  BOOST_TEST(machine.nics[0].interface == "eth1");
  BOOST_TEST(machine.nics[0].tap_name.empty());
  BOOST_TEST((machine.nics[0].rom == "/boot.rom"));
  BOOST_TEST(machine.nics[1].interface.empty());
  BOOST_TEST((machine.nics[1].rom == ""));
}

BOOST_AUTO_TEST_CASE(a_restored_guest_reads_its_state_from_a_descriptor) {
  BOOST_TEST(machine_of({.incoming = {"-incoming", "fd:23"}}).incoming_fd.value() == 23);
}

BOOST_AUTO_TEST_CASE(how_long_to_spin_is_said_by_device_model_args) {
  using Mode = SpinConfig::Mode;
  const auto spin = [](std::string_view value) {
    return machine_of({.device_model_args = {"-spin", value}}).spin;
  };
  BOOST_TEST((machine_of({}).spin.mode == Mode::automatic));
  BOOST_TEST((spin("auto").mode == Mode::automatic));
  BOOST_TEST((spin("off").mode == Mode::off));
  BOOST_TEST((spin("1").mode == Mode::always));
  BOOST_TEST(spin("1000").microseconds == 1000U);
}

BOOST_AUTO_TEST_CASE(the_log_budget_comes_from_the_environment) {
  const Arguments arguments = Golden{}.arguments();
  BOOST_TEST(parse_command_line(arguments, {.console_limit = "4096"}).value().log_budget == 4096U);
  BOOST_TEST(parse_command_line(arguments, {}).value().log_budget == 0U);
  // Not readable is not unlimited (XSA-180).
  const auto odd = parse_command_line(arguments, {.console_limit = "-1"}).value();
  BOOST_TEST(odd.log_budget == 1048576U);
  BOOST_TEST(noted(odd.config, "XEN_QEMU_CONSOLE_LIMIT"));
}

BOOST_AUTO_TEST_CASE(a_console_in_a_file_has_a_limit_unless_somebody_takes_it_away) {
  const Arguments arguments = Golden{}.arguments();
  const auto limit = [&](std::string_view text) {
    return parse_command_line(arguments, {.console_limit = text}).value().console_limit;
  };
  BOOST_TEST(limit("4096") == 4096U);
  BOOST_TEST(limit("0") == 0U);
  BOOST_TEST(limit("") == 1048576U);
  BOOST_TEST(limit("-1") == 1048576U);
  BOOST_TEST(limit("18446744073709551616") == 1048576U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
