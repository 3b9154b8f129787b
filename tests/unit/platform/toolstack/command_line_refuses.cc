// SPDX-License-Identifier: MIT
// Command lines that are not served: the message has to name the xl.cfg setting, and all of them at
// once.
#include "tests/unit/platform/toolstack/golden.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <algorithm>

namespace dm::toolstack::test {
namespace {

/// A line that only this argument of libxl keeps from being served.
struct Row {
  const char* what;
  Golden guest;
  std::vector<const char*> told;
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.what;
}

constexpr const char* kTap = "type=tap,id=net0,ifname=vif7.0-emu,br=xenbr0,script=no,downscript=no";

const std::vector<Row> kUnserved = {
    {"qxl",
     {.graphics = {"-device", "qxl-vga,vram_size_mb=64,ram_size_mb=64"}},
     {"vga=\"stdvga\"", "qxl-vga"}},
    {"a host's USB device",
     {.usb_sound_acpi = {"-usb", "-usbdevice", "host:1234:5678"}},
     {"usbdevice=[ 'tablet', 'keyboard' ]", "host:1234:5678"}},
    {"three USB devices",
     {.usb_sound_acpi = {"-usb", "-usbdevice", "tablet", "-usbdevice", "keyboard", "-usbdevice",
                         "mouse"}},
     {"at most two", "mouse (beyond two)"}},
    {"USB 2",
     {.usb_sound_acpi =
          {"-device", "ich9-usb-ehci1,id=usb,addr=0x1d.0x7,multifunction=on", "-device",
           "ich9-usb-uhci1,masterbus=usb.0,firstport=0,addr=0x1d.0,multifunction=on"}},
     {"usbversion", "ich9-usb-ehci1", "ich9-usb-uhci1"}},
    {"USB 3", {.usb_sound_acpi = {"-device", "nec-usb-xhci,id=usb"}}, {"usbversion"}},
    {"a card of another model",
     {.nics = {"-device", "ne2k_pci,id=nic0,netdev=net0,mac=00:16:3e:11:22:33", "-netdev", kTap}},
     {"vif=[ 'model=e1000,...' ]", "vif=[ 'type=vif,...' ]", "ne2k_pci (nic0)"}},
    {"a virtio card",
     {.nics = {"-device", "virtio-net-pci,id=nic3,netdev=net0,mac=00:16:3e:11:22:33", "-netdev",
               kTap}},
     {"virtio-net-pci (nic3)"}},
    {"a SCSI disk",
     {.kernel = {"-device", "lsi53c895a"},
      .disks = {"-drive",
                "file=/dev/vg/s,id=scsi0-hd0,format=raw,if=none,readonly=off,cache=writeback",
                "-device", "scsi-hd,drive=scsi0-hd0,scsi-id=0"}},
     {"instead of sda", "/dev/vg/s"}},
    {"AHCI",
     {.disks = {"-device", "ahci,id=ahci0", "-drive",
                "file=/dev/vg/s,if=none,id=ahcidisk-0,format=raw,cache=writeback", "-device",
                "ide-hd,bus=ahci0.0,unit=0,drive=ahcidisk-0"}},
     {"hdtype=\"ide\""}},
    {"an unknown format",
     {.disks = {"-drive",
                "file=/srv/g.luks,if=ide,index=0,media=disk,format=luks,cache=writeback"}},
     {"format=qcow2", "/srv/g.luks is luks"}},
    {"a CD-ROM in a fifth place",
     {.disks = {"-drive", "if=none,readonly=on,id=ide-51776", "-device",
                "ide-cd,id=ide-51776,drive=ide-51776,bus=ide.2,unit=0"}},
     {"hda to hdd", "ide-51776"}},
    {"a channel",
     {.channels = {"-chardev", "pty,id=libxl-channel0", "-chardev",
                   "socket,id=libxl-channel1,path=/tmp/c,server=on,wait=off"}},
     {"no channel line", "libxl-channel0", "libxl-channel1"}},
    {"a fifth serial port",
     {.serial = {"-serial", "pty", "-serial", "pty", "-serial", "pty", "-serial", "pty", "-serial",
                 "pty"}},
     {"at most four"}},
    {"a serial port on a window",
     {.serial = {"-serial", "vc:80Cx24C"}},
     {"serial=\"pty\"", "vc:80Cx24C"}},
    {"COLO's proxies",
     {.nics = {"-net", "none", "-chardev",
               "socket,id=mirror0,host=1.2.3.4,port=9003,server=on,wait=off", "-object",
               "filter-mirror,id=m1,netdev=net0,queue=tx,outdev=mirror0"}},
     {"COLO"}},
    {"COLO's primary disk",
     {.disks = {"-drive",
                "if=ide,index=0,media=disk,cache=writeback,driver=quorum,id=d,children.0.file."
                "filename=/x,"
                "children.0.driver=raw,read-pattern=fifo,vote-threshold=1"}},
     {"COLO"}},
    {"COLO's secondary disk",
     {.disks = {"-drive",
                "if=ide,index=0,media=disk,cache=writeback,driver=replication,mode=secondary,top-"
                "id=top-colo,"
                "file.driver=qcow2,file.file.filename=/a"}},
     {"COLO"}},
    {"graphics passthrough",
     {.machine = {"-machine", "xenfv,suppress-vmdesc=on,igd-passthru=on"}},
     {"gfx_passthru=0"}},
    {"an unknown device",
     {.device_model_args = {"-device", "virtio-balloon-pci,id=b"}},
     {"device_model_args", "virtio-balloon-pci"}},
    {"options of QEMU with something behind them",
     {.device_model_args = {"-monitor", "stdio", "-parallel", "/dev/lp0", "-global",
                            "e1000.autonegotiation=off", "-fda", "/img/floppy.img"}},
     {"device_model_args", "-monitor stdio", "-parallel /dev/lp0", "-global e1000.autonegotiation",
      "-fda"}},
    {"another graphics card by hand", {.device_model_args = {"-vga", "qxl"}}, {"-vga qxl"}},
    {"a graphics card by hand beside none", {.device_model_args = {"-vga", "std"}}, {"-vga std"}},
    {"unknown options",
     {.device_model_args = {"-trace", "events=/tmp/e", "-d", "guest_errors"}},
     {"device_model_args", "-trace", "-d"}},
};

BOOST_AUTO_TEST_SUITE(command_line_refuses)

BOOST_DATA_TEST_CASE(what_is_not_there_is_told_by_its_setting,
                     boost::unit_test::data::make(kUnserved),
                     row) {
  const std::string message = refusal_of(row.guest);
  BOOST_TEST(says(message, "this guest's configuration asks for what stubdm does not have"));
  for (const char* const part : row.told) {
    BOOST_TEST(says(message, part), message << "\nlacks: " << part);
  }
  // One setting to change: a heading and one line, and nothing about arguments that are a part of
  // it.
  BOOST_TEST(std::count(message.begin(), message.end(), '\n') == 1, message);
}

BOOST_AUTO_TEST_CASE(a_ramdisk_and_a_command_line_are_a_kernel_s) {
  BOOST_TEST(says(refusal_of({.kernel = {"-initrd", "/r"}}), "needs a kernel="));
  BOOST_TEST(says(refusal_of({.kernel = {"-append", "ro"}}), "need a kernel="));
  BOOST_TEST(says(refusal_of({.kernel = {"-kernel", ""}}), "has to name a file"));
  BOOST_TEST(says(refusal_of({.kernel = {"-kernel", "/k", "-kernel", "/l"}}), "given twice"));
}

BOOST_AUTO_TEST_CASE(a_pv_domain_has_no_emulated_devices) {
  const std::string message = refusal_of({.machine = {"-machine", "xenpv"}});
  BOOST_TEST(says(message, "a PV domain has no emulated disks"), message);
  const std::string restricted = refusal_of({.serial = {},
                                             .restrict = {"-xen-domid-restrict"},
                                             .machine = {"-machine", "xenpv"},
                                             .disks = {}});
  BOOST_TEST(says(restricted, "-xen-domid-restrict"), restricted);
}

BOOST_AUTO_TEST_CASE(a_guest_written_for_qemu_is_told_everything_at_once) {
  const std::string message = refusal_of(
      {.channels = {"-chardev", "pty,id=libxl-channel0"},
       .vnc = {"-vnc", "0.0.0.0:0,password=on,to=99"},
       .display = {"-k", "en-us"},
       .kernel = {"-device", "lsi53c895a"},
       .serial = {"-serial", "pty"},
       .graphics = {"-device", "qxl-vga,vram_size_mb=64,ram_size_mb=64"},
       .usb_sound_acpi = {"-usb", "-usbdevice", "tablet", "-device", "AC97"},
       .nics = {"-device", "pcnet,id=nic0,netdev=net0,mac=00:16:3e:11:22:33", "-netdev", kTap,
                "-device", "pcnet,id=nic1,netdev=net1,mac=00:16:3e:11:22:34", "-netdev",
                "type=tap,id=net1,ifname=vif7.1-emu,br=xenbr0,script=no,downscript=no"},
       .device_model_args = {"-trace", "events=x"},
       .disks = {"-drive", "file=/a,if=ide,index=0,media=disk,format=cloop,cache=writeback",
                 "-drive", "file=/s,id=scsi0-hd0,format=dmg,if=none,readonly=off,cache=writeback",
                 "-device", "scsi-hd,drive=scsi0-hd0,scsi-id=0", "-drive",
                 "if=none,readonly=on,id=ide-51776", "-device",
                 "ide-cd,id=ide-51776,drive=ide-51776,bus=ide.2,unit=0"}});
  for (const char* const part :
       {"channel", "vga=\"stdvga\"", "vif=[", "pcnet (nic0)", "pcnet (nic1)", "-trace",
        "/a is cloop", "/s is dmg", "instead of sda", "devtype=cdrom"}) {
    BOOST_TEST(says(message, part), message << "\nlacks: " << part);
  }
  BOOST_TEST(!says(message, "events=x"));
  BOOST_TEST(!says(message, "no sense"), message);
  BOOST_TEST(!says(message, "soundhw"), message);
  BOOST_TEST(std::count(message.begin(), message.end(), '\n') == 7, message);
}

BOOST_AUTO_TEST_CASE(without_xen_domid_it_is_told_that_xl_starts_this_program) {
  for (const Arguments& arguments : {Arguments{}, Arguments{"-name", "x"}, Arguments{"disk.img"}}) {
    const auto invocation = parse(arguments);
    BOOST_TEST_REQUIRE(!invocation.has_value());
    BOOST_TEST(says(invocation.error().message, "xl starts it"));
    BOOST_TEST(says(invocation.error().message, "device_model_override"));
    BOOST_TEST(says(invocation.error().message, "--help"));
  }
}

/// Arguments that libxl never writes, put where device_model_args would be.
struct Broken {
  Arguments arguments;
  const char* told;
};
std::ostream& operator<<(std::ostream& out, const Broken& row) {
  for (const auto argument : row.arguments) {
    out << argument << ' ';
  }
  return out;
}

const std::vector<Broken> kBroken = {
    {{"-xen-domid", "8"}, "given twice"},
    {{"-m", "1"}, "given twice: xl writes it too, so take it out of device_model_args"},
    {{"-boot", "order=dd"}, "one to three different letters"},
    {{"-boot", "speed=1"}, "'speed' is not understood"},
    {{"-drive", "file,x,if=ide,index=1,format=raw"}, "'file' has no value"},
    {{"-spin", "0"}, "neither auto, nor off"},
    {{"-spin", "1001"}, "1 to 1000"},
    {{"-spin", "20us"}, "1 to 1000"},
    {{"-spin", ""}, "1 to 1000"},
    {{"-spin", "off", "-spin", "off"}, "given twice"},
    {{"-runas", ""}, "no user"},
    {{"-chroot", "here"}, "not an absolute path"},
    {{"-smp", "0"}, "1 to 128"},
    {{"-smp", "129"}, "1 to 128"},
    {{"-smp", "4,maxcpus=3"}, "1 to 128"},
    {{"-smp", "4294967297"}, "1 to 128"},
    {{"-smp", "+4"}, "1 to 128"},
    {{"-smp", "-4"}, "1 to 128"},
    {{"-smp", "4 "}, "1 to 128"},
    {{"-smp", "0x4"}, "1 to 128"},
    {{"-smp", "4,maxcpus="}, "1 to 128"},
    {{"-smp", ""}, "1 to 128"},
    {{"-smp", "4,sockets=2"}, "'sockets' is not understood"},
    {{"-net", "nic"}, "only -net none"},
    {{"-drive", "file=/x,if=ide,index=4,format=raw"}, "index= of 0 to 3"},
    {{"-drive", "file=/x,if=ide,format=raw"}, "index= of 0 to 3"},
    {{"-drive", "file=/x,if=ide,index=1,media=cdrom,format=raw"}, "media=disk"},
    {{"-drive", "file=/x,if=virtio,index=1,format=raw"}, "not if=none"},
    {{"-drive", "file=/x,if=ide,index=0,format=raw"}, "second drive in the place of vdev hda"},
    {{"-drive", "file=/x,if=ide,index=1"}, "formats are not guessed"},
    {{"-drive", "if=ide,index=1,format=raw"}, "no file="},
    {{"-drive", "file=,if=ide,index=1,format=raw"}, "no file="},
    {{"-drive", "file=/x,index=1,if=ide,index=2,format=raw"}, "'index' appears twice"},
    {{"-drive", "file=/x,if=ide,index=1,format=raw,readonly=maybe"}, "neither on nor off"},
    {{"-drive", "file=/x,if=ide,index=1,format=raw,snapshot=on"}, "snapshot= is not supported"},
    {{"-drive", "file=/x,if=none,id=d,format=raw"}, "no -device uses it"},
    {{"-drive", "file=/x,if=none,format=raw"}, "if=none takes an id="},
    {{"-device", "ide-cd,drive=none,bus=ide.1,unit=0"}, "no such -drive"},
    {{"-device", "ide-cd,drive=none,bus=ide.1,unit=2"}, "unit=0 or 1"},
    {{"-device", "ide-cd,drive=none,bus=sata.1,unit=0"}, "bus=ide.0 or ide.1"},
    {{"-drive", "if=none,id=c", "-device", "ide-cd,drive=c,bus=ide.0,unit=0"},
     "in the place of vdev hda"},
    {{"-drive", "if=none,id=c", "-device", "ide-cd,drive=c,bus=ide.1,unit=0", "-device",
      "ide-cd,drive=c,bus=ide.1,unit=1"},
     "has a user already"},
    {{"-drive", "if=none,id=c", "-drive", "if=none,id=c", "-device",
      "ide-cd,drive=c,bus=ide.1,unit=0"},
     "second drive of this id"},
    {{"-device", "e1000,id=nic0,netdev=net0,mac=00:16:3e:11:22:33"}, "no such -netdev"},
    {{"-netdev", kTap}, "no -device uses it"},
    {{"-netdev", kTap, "-netdev", kTap, "-device", "e1000,netdev=net0,mac=00:16:3e:11:22:33"},
     "second netdev"},
    {{"-netdev", kTap, "-device", "e1000,netdev=net0,mac=00:16:3e:11:22:33", "-device",
      "e1000,netdev=net0,mac=00:16:3e:11:22:34"},
     "has a user already"},
    {{"-device", "e1000,netdev=net0,mac=00:16:3e:11:22"}, "mac= of six bytes"},
    {{"-device", "e1000,netdev=net0,mac=00:16:3e:11:22:3g"}, "mac= of six bytes"},
    {{"-device", "e1000,netdev=net0,mac=00-16-3e-11-22-33"}, "mac= of six bytes"},
    {{"-device", "e1000,netdev=net0,mac=00:16:3e:11:22:33,speed=x"}, "'speed' is not understood"},
    {{"-netdev", "user,id=net0"}, "neither type=tap"},
    {{"-netdev", "packet,id=net0,ifname=eth0,fd=3"}, "shares an interface"},
    {{"-netdev", "tap,id=net0,ifname=sixteen-letters-"}, "1 to 15 characters"},
    {{"-netdev", "tap,id=net0,ifname=../up"}, "1 to 15 characters"},
    {{"-netdev", "tap,id=net0"}, "1 to 15 characters"},
    {{"-netdev", "tap,id=net0,ifname=t,fd=4"}, "nor fd="},
    {{"-netdev", "tap,id=net0,fd=-4"}, "nor fd="},
    {{"-chardev", "socket,id=x,path=/x,server=on,wait=off"}, "nothing uses it"},
    {{"-chardev", "socket,id=x,path=/x"}, "server=on,wait=off"},
    {{"-chardev", "socket,id=x,server=on,wait=off"}, "neither path="},
    {{"-chardev", "socket,id=x,fd=one,server=on,wait=off"}, "neither path="},
    {{"-chardev", "socket,id=libxl-cmd,path=/x,server=on,wait=off"}, "without an id= of its own"},
    {{"-mon", "chardev=nothing,mode=control"}, "no such -chardev"},
    {{"-mon", "chardev=libxl-cmd,mode=control"}, "has a user already"},
    {{"-mon", "chardev=libxl-cmd"}, "mode=control"},
    {{"-incoming", "tcp:0:4444"}, "not fd:NUMBER"},
    {{"-incoming", "fd:"}, "not fd:NUMBER"},
    {{"-incoming", "$STUBDOM_RESTORE_INCOMING_ARG"}, "not fd:NUMBER"},
};

BOOST_DATA_TEST_CASE(a_broken_argument_is_quoted_with_a_reason,
                     boost::unit_test::data::make(kBroken),
                     row) {
  const std::string message = refusal_of({.nics = {}, .device_model_args = row.arguments});
  BOOST_TEST(says(message, "make no sense"), message);
  BOOST_TEST(says(message, row.told), message << "\nlacks: " << row.told);
  BOOST_TEST(says(message, row.arguments[0]), message);
}

BOOST_AUTO_TEST_CASE(a_value_missing_at_the_end_is_told) {
  BOOST_TEST(says(refusal_of({.last = {"-runas"}}), "-runas: its value is missing"));
}

BOOST_DATA_TEST_CASE(a_domain_id_is_a_guest_s,
                     boost::unit_test::data::make(std::vector<std::string>{
                         "0", "32752", "-1", "", "x", "7x", "4294967303"}),
                     id) {
  Arguments arguments = Golden{}.arguments();
  arguments[1] = id;
  BOOST_TEST(says(parse(arguments).error().message, "not the id of a guest"));
}

BOOST_DATA_TEST_CASE(a_boot_order_is_one_to_three_different_letters,
                     boost::unit_test::data::make(std::vector<std::string>{"", "x", "cc", "cdan",
                                                                           "c,menu=on", "C"}),
                     order) {
  const std::string argument = "order=" + order;
  const std::string message = refusal_of({.boot = {"-boot", argument}});
  BOOST_TEST((says(message, "one to three different letters") ||
              says(message, "'menu' is not understood")),
             message);
}

BOOST_DATA_TEST_CASE(only_two_machines_are_known,
                     boost::unit_test::data::make(std::vector<std::string>{"q35", "none,accel=kvm",
                                                                           "pc,accel=tcg", ""}),
                     type) {
  BOOST_TEST(says(refusal_of({.machine = {"-machine", type}}), "not xenfv"));
}

BOOST_AUTO_TEST_CASE(a_format_is_never_guessed_for_a_disc_either) {
  // B30, CVE-2008-2004 and CVE-2013-1922: a guest that can write its image could choose the format.
  const std::string message =
      refusal_of({.disks = {"-drive", "if=none,readonly=on,id=c,file=/a.iso", "-device",
                            "ide-cd,drive=c,bus=ide.1,unit=0"}});
  BOOST_TEST(says(message, "formats are not guessed"));
}

BOOST_AUTO_TEST_CASE(a_name_cannot_forge_lines_of_the_message) {
  const std::string message =
      refusal_of({.device_model_args = {"-device", "x\nstubdm: all is well"}});
  BOOST_TEST(std::count(message.begin(), message.end(), '\n') == 1);
  BOOST_TEST(says(message, "x?stubdm: all is well"));
}

BOOST_AUTO_TEST_CASE(a_very_long_message_stays_readable) {
  Golden guest;
  const std::string huge(100'000, 'h');
  std::vector<std::string> models;
  for (int i = 0; i < 200; ++i) {
    models.push_back("m" + std::to_string(i) + huge);
  }
  for (const std::string& model : models) {
    guest.device_model_args.insert(guest.device_model_args.end(),
                                   {"-device", model, "-mon", model});
  }
  const std::string message = refusal_of(guest);
  BOOST_TEST(message.size() < 10'000U);
  BOOST_TEST(says(message, "and 188 more"));
}

BOOST_AUTO_TEST_CASE(too_many_arguments_are_not_even_read) {
  Golden guest;
  guest.device_model_args.assign(2000, "-S");
  BOOST_TEST(says(refusal_of(guest), "more than 1024 arguments"));
}

BOOST_AUTO_TEST_CASE(a_guest_has_eight_cards_at_most) {
  std::vector<std::string> owned;
  for (int i = 0; i < 9; ++i) {
    const std::string n = std::to_string(i);
    owned.push_back("e1000,id=nic" + n + ",netdev=net" + n + ",mac=00:16:3e:00:00:01");
    owned.push_back("type=tap,id=net" + n + ",ifname=vif7." + n +
                    "-emu,br=b,script=no,downscript=no");
  }
  Golden guest{.nics = {}};
  for (std::size_t i = 0; i < 16; i += 2) {
    guest.nics.insert(guest.nics.end(), {"-device", owned[i], "-netdev", owned[i + 1]});
  }
  BOOST_TEST(machine_of(guest).nics.size() == 8U);
  guest.nics.insert(guest.nics.end(), {"-device", owned[16], "-netdev", owned[17]});
  const std::string message = refusal_of(guest);
  BOOST_TEST(says(message, "more than eight emulated network cards: nic8"), message);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
