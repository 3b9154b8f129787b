// SPDX-License-Identifier: MIT
// xl.cfg to libxl's command line, held against the golden command lines of the parser's own tests.
#include "platform/toolstack/xl_config/check_translate.h"

#include "tests/unit/platform/toolstack/golden.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <algorithm>

namespace dm::toolstack::test {
namespace {

constexpr std::string_view kSmallest =
    "type='hvm'\nname='guest'\nmemory=512\nvga='none'\nvnc=0\nserial='pty'\n"
    "device_model_override='/usr/local/libexec/stubdm'\nvkb_device=0\n"
    "vif=['type=vif']\ndisk=['/dev/vg/guest,raw,hda,rw']\n";

Translation translation_of(const std::string& text) {
  const auto config = XlConfig::parse(text, "g.cfg");
  BOOST_REQUIRE_MESSAGE(config.has_value(), config.error().message);
  return translate(*config);
}

std::string joined(const Translation& guest) {
  std::string all;
  for (const MadeArgument& argument : guest.arguments) {
    all += argument.text + '\n';
  }
  return all;
}

/// The golden guest has the domain id 7, a checked one 1.
std::string joined(const Golden& golden) {
  std::string all;
  for (const std::string_view argument : golden.arguments()) {
    all.append(argument == "7" ? "1" : argument).append("\n");
  }
  const auto replace = [&all](std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = all.find(from, at)) != std::string::npos;) {
      all.replace(at, from.size(), to);
    }
  };
  replace("qmp-libxl-7", "qmp-libxl-1");
  replace("qmp-libxenstat-7", "qmp-libxenstat-1");
  replace("qemu-root-7", "qemu-root-1");
  replace("vif7.", "vif1.");
  return all;
}

struct Row {
  const char* what;
  const char* more;  ///< added to, or replacing, the smallest guest's settings
  Golden guest;
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.what;
}

const std::vector<Row> kRows = {
    {"the smallest guest", "", {}},
    {"the default VNC", "vnc=1", {.vnc = {"-vnc", "127.0.0.1:0,to=99"}}},
    {"VNC with all",
     "vnc=1\nvnclisten='::1:2'\nvncpasswd='x'\nvncunused=0",
     {.vnc = {"-vnc", "::1:2,password=on"}}},
    {"SDL and keymap", "sdl=1\nkeymap='de'", {.display = {"-display", "sdl", "-k", "de"}}},
    {"a kernel",
     "kernel='/k'\nramdisk='/r'\nextra='ro'",
     {.kernel = {"-kernel", "/k", "-initrd", "/r", "-append", "ro"}}},
    {"hvmloader is no kernel", "kernel='/usr/lib/xen/boot/hvmloader'", {}},
    {"a list of ports, and nographic",
     "serial=['null','file:/x']\nnographic=1",
     {.serial = {"-serial", "null", "-serial", "file:/x", "-nographic"}}},
    {"Cirrus",
     "vga='cirrus'",
     {.graphics = {"-device", "cirrus-vga,vgamem_mb=8"},
      .machine = {"-machine", "xenfv,suppress-vmdesc=on"}}},
    {"boot order", "boot='dc'", {.boot = {"-boot", "order=dc"}}},
    {"USB, sound, no ACPI",
     "usb=1\nusbdevice=['tablet','mouse']\nsoundhw='ac97'\nacpi=0",
     {.usb_sound_acpi = {"-usb", "-usbdevice", "tablet", "-usbdevice", "mouse", "-device", "AC97",
                         "-no-acpi"}}},
    {"vCPUs", "vcpus=2\nmaxvcpus=4", {.smp = {"-smp", "2,maxcpus=4"}}},
    {"maxvcpus alone", "maxvcpus=4", {.smp = {"-smp", "1,maxcpus=4"}}},
    {"one vCPU", "vcpus=1", {}},
    {"cards",
     "vif=['mac=00:16:3e:11:22:33,bridge=br1,model=e1000','type=vif','vifname=up']",
     {.nics = {"-device", "e1000,id=nic0,netdev=net0,mac=00:16:3e:11:22:33", "-netdev",
               "type=tap,id=net0,ifname=vif7.0-emu,br=br1,script=no,downscript=no", "-device",
               "rtl8139,id=nic2,netdev=net2,mac=00:16:3e:00:00:02", "-netdev",
               "type=tap,id=net2,ifname=vif7.2-emu,br=xenbr0,script=no,downscript=no"}}},
    {"dm_restrict",
     "dm_restrict=1\ndevice_model_user='dm'",
     {.qmp = {"-chardev", "socket,id=libxl-cmd,fd=19,server=on,wait=off", "-S"},
      .restrict = {"-xen-domid-restrict", "-chroot", "/var/run/xen/qemu-root-7"},
      .last = {"-runas", "dm"}}},
    {"no xen-platform, a hole, arguments",
     "xen_platform_pci=0\nmmio_hole=1024\ndevice_model_args=['-S']\ndevice_model_args_hvm=['-spin',"
     "'off']",
     {.device_model_args = {"-S"},
      .machine = {"-machine", "pc,accel=xen,suppress-vmdesc=on,max-ram-below-4g=3221225472",
                  "-spin", "off"}}},
    {"channels",
     "channel=['connection=pty,name=a','connection = socket, path=/p']",
     {.channels = {"-chardev", "pty,id=libxl-channel0", "-chardev",
                   "socket,id=libxl-channel1,path=/p,server=on,wait=off"}}},
    {"AHCI",
     "hdtype='ahci'\ndisk=['/d,,hdb']",
     {.disks = {"-device", "ahci,id=ahci0", "-drive",
                "file=/d,if=none,id=ahcidisk-1,format=raw,cache=writeback", "-device",
                "ide-hd,bus=ahci0.1,unit=0,drive=ahcidisk-1"}}},
    {"SCSI",
     "disk=['/d,,sdb,r']",
     {.kernel = {"-device", "lsi53c895a"},
      .disks = {"-drive", "file=/d,id=scsi0-hd1,format=raw,if=none,readonly=on,cache=writeback",
                "-device", "scsi-hd,drive=scsi0-hd1,scsi-id=1"}}},
    {"vendor device",
     "vendor_device='xenserver'",
     {.last = {"-device", "xen-pvdevice,device-id=0xc000"}}},
};

BOOST_AUTO_TEST_SUITE(check_translate)

BOOST_DATA_TEST_CASE(settings_become_what_libxl_would_write,
                     boost::unit_test::data::make(kRows),
                     row) {
  std::string made = joined(translation_of(std::string{kSmallest} + row.more + "\n"));
  // A video card's memory is taken from the guest's.
  const std::size_t memory = made.find("-m\n504\n");
  if (memory != std::string::npos) {
    made.replace(memory, 7, "-m\n512\n");
  }
  BOOST_TEST(made == joined(row.guest));
}

struct DiskRow {
  const char* spec;
  const char* drive;  ///< the -drive, or the beginning of what is wrong
};
std::ostream& operator<<(std::ostream& out, const DiskRow& row) {
  return out << row.spec;
}
const std::vector<DiskRow> kDisks = {
    {"/dev/vg/g,,hda", "file=/dev/vg/g,if=ide,index=0,media=disk,format=raw,"},
    {"/dev/vg/g,raw,hda,rw", "file=/dev/vg/g,if=ide,index=0,media=disk,format=raw,"},
    {"format=raw, vdev=xvdd, access=rw, target=/a,b=c", "file=/a,b=c,if=ide,index=3,"},
    {"raw:/dev/vg/g,hdb,w", "file=/dev/vg/g,if=ide,index=1,"},
    {"phy:vg/g,hda1,w", "file=/dev/vg/g,if=ide,index=0,"},
    {"file:/i,xvdc,w", "file=/i,if=ide,index=2,"},
    {"tap:aio:/i,hda,w", "file=/i,if=ide,index=0,"},
    {"tap2:qcow2:/i,hda,w", "file=/i,if=ide,index=0,media=disk,format=qcow2,"},
    {"backendtype=qdisk,vdev=hda,target=nbd://h:1/x", "file=nbd://h:1/x,if=ide,index=0,"},
    {"/i,vhd,hda", "file=/i,if=ide,index=0,media=disk,format=vpc,"},
    {"/i,,hda,w,backendtype=phy,no-discard,direct-io-safe", "file=/i,if=ide,"},
    {"script=block-x,vdev=hda,target=iqn.a:b", "file=/dev/DISK-OF-THE-SCRIPT,if=ide,"},
    {"/i.iso,,hdc,cdrom", "if=none,readonly=on,id=ide-5632,file=/i.iso,format=raw"},
    {"/i.iso,,hdd,,cdrom", "if=none,readonly=on,id=ide-5696,file=/i.iso,format=raw"},
    {"/i.iso,raw,xvda,devtype=cdrom", "if=none,readonly=on,id=ide-51712,file=/i.iso,format=raw"},
    {"raw:/i.iso,hdc:cdrom,ro", "if=none,readonly=on,id=ide-5632,file=/i.iso,format=raw"},
    {",,hdc,cdrom", "if=none,readonly=on,id=ide-5632"},
    {",hdc:cdrom,r", "if=none,readonly=on,id=ide-5632"},
    {"vdev=hdc,devtype=cdrom", "if=none,readonly=on,id=ide-5632"},
    {"/i,,hda,r", "disk: xl refuses a read-only"},
    {"/i,,hde", "disk: no such vdev"},
    {"/i,,hda0", "disk: no such vdev"},
    {"/i,,xvd", "disk: no such vdev"},
    {"/i", "disk: no vdev"},
    {"vdev=hda", "disk: no target"},
    {"/i,vmdk,hda", "disk: xl knows the formats"},
    {"/i,,hda,x", "disk: access is"},
    {"/i,,hda,w,more", "disk: one part too many"},
    {"/i,,hda,size=3", "disk: xl does not understand"},
    {"vdev=hda,vdev=hdb,target=/i", "disk: given twice"},
    {"/i,qcow2,hda,backendtype=phy", "disk: xl refuses backendtype=phy"},
    {"/i,,hda,specification=virtio", "disk: specification=virtio"},
};

BOOST_DATA_TEST_CASE(every_way_to_write_a_disk_is_understood,
                     boost::unit_test::data::make(kDisks),
                     row) {
  const Translation guest =
      translation_of(std::string{kSmallest} + "disk=[\"" + row.spec + "\"]\n");
  std::string found = guest.errors.empty() ? "" : guest.errors[0].text;
  for (std::size_t i = 0; found.empty() && i + 1 < guest.arguments.size(); ++i) {
    found = guest.arguments[i].text == "-drive" ? guest.arguments[i + 1].text : "";
  }
  BOOST_TEST(found.substr(0, std::string_view{row.drive}.size()) == row.drive);
}

BOOST_AUTO_TEST_CASE(disks_beyond_the_fourth_are_for_pv_drivers) {
  const std::string text =
      std::string{kSmallest} + "disk=['/a,,xvde','/b,,xvdaa,r','/c,qcow2,xvdf']\n";
  BOOST_TEST(translation_of(text).later.empty());
  const Translation guest = translation_of(text + "dm_restrict=1\n");
  BOOST_TEST(guest.errors.empty());
  BOOST_TEST(guest.pv_disks.size() == 3U);
  BOOST_TEST_REQUIRE(guest.later.size() == 1U);
  BOOST_TEST(guest.later[0].detail == "/c is qcow2");
  BOOST_TEST((guest.later[0].what == Unserved::pv_image_format));
}

BOOST_AUTO_TEST_CASE(arguments_know_their_lines) {
  const Translation guest = translation_of(std::string{kSmallest} + "boot='c'\n");
  const auto boot = std::find_if(guest.arguments.begin(), guest.arguments.end(),
                                 [](const MadeArgument& a) { return a.text == "order=c"; });
  BOOST_TEST_REQUIRE((boot != guest.arguments.end()));
  BOOST_TEST(boot->line == 11U);
}

BOOST_AUTO_TEST_CASE(device_names_have_xenstore_numbers) {
  BOOST_TEST(parse_vdev("hda").value().number == 768U);
  BOOST_TEST(parse_vdev("hdb").value().number == 832U);
  BOOST_TEST(parse_vdev("hdd").value().number == 5696U);
  BOOST_TEST(parse_vdev("xvdb1").value().number == 51729U);
  BOOST_TEST(parse_vdev("xvdq").value().number == (1U << 28U | 16U << 8U));
  BOOST_TEST(parse_vdev("xvdaa").value().disk == 26U);
  BOOST_TEST(parse_vdev("xvdzz").value().disk == 701U);
  BOOST_TEST(parse_vdev("xvda255").value().number == 268435711U);
  BOOST_TEST(parse_vdev("xvdb16").value().number == 268435728U);
  BOOST_TEST(parse_vdev("d01p0x2").value().number == 51730U);
  BOOST_TEST(parse_vdev("d 1p+0").value().disk == 1U);
  BOOST_TEST(parse_vdev("sdp15").value().number == 2303U);
  BOOST_TEST((parse_vdev("0x300").value().bus == Vdev::Bus::number));
  BOOST_TEST(parse_vdev(" 5").value().number == 5U);
  BOOST_TEST(parse_vdev("").value().number == 0U);
  for (const char* const none : {"hda064", "sdq", "hde", "08", "-5", "d1p300", "d1048576p0", "hda ",
                                 "xvd1", "d1", "5x", "4294967296"}) {
    BOOST_TEST(!parse_vdev(none), none);
  }
  BOOST_TEST(!parse_vdev("xvdzzzzzzzzzz"));
  BOOST_TEST(!parse_vdev("d0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
