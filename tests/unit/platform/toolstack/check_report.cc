// SPDX-License-Identifier: MIT
// What a person reads of --check, and how it ends.
#include "platform/toolstack/xl_config/check.h"
#include "tests/unit/platform/toolstack/golden.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <algorithm>
#include <ctime>

namespace dm::toolstack::test {
namespace {

constexpr std::string_view kGood =
    "type='hvm'\nname='guest'\nmemory=512\nvga='none'\nvnc=0\nserial='pty'\n"
    "device_model_override='/usr/local/libexec/stubdm'\nvkb_device=0\n"
    "vif=['type=vif']\ndisk=['/dev/vg/guest,raw,hda,rw']\n";

CheckReport check(const std::string& more) {
  return check_guest("g.cfg", std::string{kGood} + more);
}

BOOST_AUTO_TEST_SUITE(check_report)

BOOST_AUTO_TEST_CASE(a_good_guest_is_shown_with_what_it_gets_and_no_hints) {
  const CheckReport report = check("device_model_args_hvm=['-spin','20']\nvcpus=2\n");
  BOOST_TEST(report.exit_status == CheckReport::kServed);
  for (const char* const part :
       {"g.cfg: stubdm can serve this guest", "hda: /dev/vg/guest (first IDE channel, master)",
        "1 PV, 0 emulated", "COM1: pty", "vCPUs: 2", "512 MiB", "disk, CD-ROM", "at most 20 us"}) {
    BOOST_TEST(says(report.text, part), report.text << "lacks: " << part);
  }
  BOOST_TEST(!says(report.text, "Worth knowing"), report.text);
}

struct Row {
  const char* more;  ///< from line 11 on
  const char* told;
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.more;
}

const std::vector<Row> kRefused = {
    {"vga='qxl'\n", "g.cfg:11: vga: write vga=\"stdvga\""},
    {"gfx_passthru=1\n", "g.cfg:11: gfx_passthru: write"},
    {"\nusb=1\nusbdevice='braille'\n", "g.cfg:13: usbdevice: write usbdevice=[ 'tablet'"},
    {"usbversion=3\n", "g.cfg:11: usbversion: write usbversion=1"},
    {"usbctrl=['type=auto']\n", "g.cfg:11: usbctrl: write no usbctrl line"},
    {"usbdev=['hostbus=1,hostaddr=2']\n", "g.cfg:11: usbdev: write no usbdev line"},
    {"p9=['tag=a,path=/srv,security_model=none']\n", "g.cfg:11: p9: write no p9 line"},
    {"vif=['type=vif',\n'model=pcnet']\n", "g.cfg:12: vif: write vif=[ 'model=e1000,...' ]"},
    {"vif=['model=ne2k_pci']\n", "or no model, which is one), or vif=[ 'type=vif,...' ]"},
    {"disk=['/s,,sda']\n", "g.cfg:11: disk: write"},
    {"hdtype='ahci'\n", "g.cfg:10: hdtype: write"},
    {"disk=['vdev=hda,target=nbd://h/x']\n", "write backendtype=qdisk with it"},
    {"disk=['/q,qcow2,xvdf']\ndm_restrict=1\n", "/q is qcow2"},
    {"disk=[',,xvde,cdrom']\n", "a CD-ROM drive beyond the four IDE positions"},
    {"serial='vc'\n", "g.cfg:11: serial: write"},
    {"serial=['pty','pty','pty','pty','pty']\n", "more than four serial ports"},
    {"channel=['connection=pty']\n", "g.cfg:11: channel: write no channel line"},
    {"pci=['01:00.0']\n", "PCI passthrough: 01:00.0"},
    {"device_model_args=['-trace','x']\n", "g.cfg:11: device_model_args: write"},
    {"device_model_args_hvm=['-device','x']\n", "a device unknown to stubdm: x"},
    {"device_model_args_hvm=['-spin','2ms']\n",
     "g.cfg:11: in QEMU's words, -spin 2ms: neither auto"},
    {"device_model_args=['--help']\n", "no guest is served"},
    {"boot='x'\n", "one to three different letters"},
    {"vcpus=129\n", "1 to 128"},
    {"vcpus=2\nmaxvcpus=1\n", "g.cfg:12: vcpus: xl wants"},
    {"disk='/s,,hda'\n", "g.cfg:11: disk: xl ignores this: it has to be a list"},
    {"vif=['modle=x']\n", "g.cfg:11: vif: xl does not understand 'modle'"},
    {"vif=['type=pv']\n", "g.cfg:11: vif: type is vif or ioemu"},
    {"vga='vga'\n", "g.cfg:11: vga: xl knows"},
    {"type='hvn'\n", "g.cfg:11: type: xl knows"},
    {"builder='generic'\n", "g.cfg:11: builder and type contradict"},
    {"device_model_version='qemu-xen-traditional'\n",
     "g.cfg:11: device_model_version: stubdm speaks"},
    {"device_model_version='qemu-xen-traditional'\n", "gets SeaBIOS in place of ROMBIOS"},
    {"bios='rombios'\n", "g.cfg:11: bios: xl has rombios"},
    {"type='pv'\n", "g.cfg:7: device_model_override: stubdm serves type=\"hvm\" guests only"},
};

BOOST_DATA_TEST_CASE(what_has_to_change_is_told_with_its_line,
                     boost::unit_test::data::make(kRefused),
                     row) {
  const CheckReport report = check(row.more);
  BOOST_TEST(report.exit_status == CheckReport::kMustChange);
  BOOST_TEST(says(report.text, row.told), report.text);
}

BOOST_AUTO_TEST_CASE(the_texts_are_those_of_the_start) {
  const std::string report = check("vga='qxl'\n").text;
  const std::string start =
      refusal_of({.graphics = {"-device", "qxl-vga,vram_size_mb=64,ram_size_mb=64"}});
  BOOST_TEST(says(report, start.substr(start.find("vga: "))), report << start);
  const Golden sound = {.usb_sound_acpi = {"-device", "intel-hda", "-device", "hda-duplex"}};
  const std::string note = machine_of(sound).notes.at(0);
  BOOST_TEST(says(check("soundhw='hda'\n").text, "g.cfg:11: " + note), note);
}

BOOST_AUTO_TEST_CASE(a_guest_whose_screen_is_shown_is_served) {
  const CheckReport report = check("vga='stdvga'\nvnc=1\nvncpasswd='x'\nkeymap='de'\n");
  BOOST_TEST(report.exit_status == CheckReport::kServed, report.text);
  BOOST_TEST(says(report.text, "VNC at 127.0.0.1, display 0 to 99, with a password"), report.text);
}

BOOST_AUTO_TEST_CASE(a_guest_with_a_screen_is_served) {
  const CheckReport report = check("vga='stdvga'\nvideoram=32\n");
  BOOST_TEST(report.exit_status == CheckReport::kServed, report.text);
  BOOST_TEST(says(report.text, "standard VGA card, 32 MiB"), report.text);
}

BOOST_AUTO_TEST_CASE(what_the_build_can_is_not_refused) {
  const CheckReport report = check("vif=['model=e1000']\ndisk=['/a,,hda','/b.iso,,hdc,cdrom']\n");
  BOOST_TEST(report.exit_status == CheckReport::kServed, report.text);
  BOOST_TEST(says(report.text, "1 PV, 1 emulated"));
  BOOST_TEST(says(report.text, "hdc: /b.iso (CD-ROM, second IDE channel, master)"));
}

const std::vector<Row> kHints = {
    {"sdl=1\nvga='stdvga'\n", "g.cfg:11: sdl: the guest starts without an SDL window"},
    {"spice=1\n", "g.cfg:11: spice: the guest starts without SPICE"},
    {"soundhw='sb16'\n", "g.cfg:11: soundhw: the guest starts without a sound card"},
    {"sdl=1\nopengl=1\n", "g.cfg:12: opengl: it is for an SDL window"},
    {"device_model_args=['-debugcon','file:/x','-global','isa-debugcon.iobase=0x402']\n",
     "g.cfg:11: device_model_args: -debugcon file:/x has no effect: what the guest writes"},
    {"device_model_args_hvm=['-cpu','host']\n", "the processor is Xen's: cpuid= in xl.cfg"},
    {"device_model_args=['-device','AC97']\n",
     "g.cfg:11: device_model_args: the guest starts without a sound card (AC97)"},
    {"vga='cirrus'\n", "g.cfg:11: vga: the guest gets the standard VGA card"},
    {"vga='stdvga'\nvideoram=20\n", "g.cfg:12: videoram: the card has a power of two"},
    {"vga='stdvga'\ndevice_model_stubdomain_override=1\n",
     "g.cfg:11: vga: a stub domain whose kernel has the fix for XSA-482"},
    {"vkb_device=1\ndm_restrict=1\n", "g.cfg:11: vkb_device: xl gives"},
    {"vkb=['backend-type=qemu']\n", "g.cfg:11: vkb: a PV keyboard on which nobody can type"},
    {"device_model_override='/usr/bin/qemu'\n", "g.cfg:11: device_model_override: that is another"},
    {"disk=['/a.qcow2,,hda']\n", "looks like a qcow2 image"},
    {"disk=['/q,qcow2,hda']\n", "hda: /q (first IDE channel, master, qcow2 by qemu-nbd)"},
    {"disk=['/q,qcow2,hda']\ndm_restrict=1\n",
     "g.cfg:11: disk: /q has no PV back end with dm_restrict=1"},
    {"disk=['/q,vhd,hda']\ndm_restrict=1\n", "xen_platform_pci=0 keeps PV drivers out"},
    {"disk=['backendtype=qdisk,vdev=hda,target=nbd:unix:/s']\ndm_restrict=1\n",
     "nbd:unix:/s has no PV back end"},
    {"device_model_stubdomain_override=1\n",
     "g.cfg:11: device_model_stubdomain_override: what is shown"},
    {"disk=['/q,qcow2,hda']\ndevice_model_stubdomain_override=1\n",
     "g.cfg:11: disk: /q has no PV back end with device_model_stubdomain_override=1"},
    {"bios='ovmf'\n", "g.cfg:11: bios: stubdm is tested with SeaBIOS"},
    {"colour='x'\n", "g.cfg:11: colour: xl 4.17 knows no such setting"},
    {"memory=256\n", "g.cfg:11: memory: it is in line 3 too"},
    {"vcpus='two'\n", "g.cfg:11: vcpus: 'two' is not a number: xl ignores"},
    {"name+='x'\nacpi=[]\n", "g.cfg:12: acpi: xl wants a single value"},
    {"dm_restrict=1\ndisk=['/a,,hda']\n", "dm_restrict=1 limits files"},
    {"vfb=['vnc=1']\n", "g.cfg:11: vfb: "},
};

BOOST_AUTO_TEST_CASE(a_kernel_of_the_host_is_what_the_guest_boots_from) {
  const CheckReport report = check("kernel='/boot/k'\nramdisk='/boot/r'\nextra='ro'\n");
  BOOST_TEST(report.exit_status == CheckReport::kServed, report.text);
  BOOST_TEST(says(report.text, "kernel /boot/k, ramdisk /boot/r; then disk"), report.text);
}

BOOST_AUTO_TEST_CASE(a_stub_domain_sees_no_kernel_of_dom0) {
  const CheckReport report = check("kernel='/boot/k'\ndevice_model_stubdomain_override=1\n");
  BOOST_TEST(report.exit_status == CheckReport::kMustChange, report.text);
  BOOST_TEST(says(report.text, "g.cfg:11: kernel: a stub domain sees no file of dom0"),
             report.text);
}

BOOST_DATA_TEST_CASE(what_bites_people_is_told_and_refuses_nothing,
                     boost::unit_test::data::make(kHints),
                     row) {
  const CheckReport report = check(row.more);
  BOOST_TEST(report.exit_status == CheckReport::kServed, report.text);
  BOOST_TEST(says(report.text, "Worth knowing:"));
  BOOST_TEST(says(report.text, row.told), report.text);
}

BOOST_AUTO_TEST_CASE(defaults_are_told_as_absent_lines) {
  const CheckReport report = check_guest("g.cfg", "type='hvm'\nname='g'\nmemory=64\n");
  BOOST_TEST(report.exit_status == CheckReport::kServed, report.text);
  for (const char* const part :
       {"g.cfg: vga: the guest gets the standard VGA card",
        "g.cfg: device_model_override: there is no such line", "g.cfg: serial: without"}) {
    BOOST_TEST(says(report.text, part), report.text << "lacks: " << part);
  }
}

BOOST_AUTO_TEST_CASE(guests_without_a_device_model_are_none_of_our_business) {
  for (const char* const text : {"type='pv'\nname='g'\nkernel='/k'\n", "type='pvh'\nname='g'\n",
                                 "name='g'\nkernel='/k'\n"}) {
    const CheckReport report = check_guest("g.cfg", text);
    BOOST_TEST(report.exit_status == CheckReport::kServed, report.text);
    BOOST_TEST(says(report.text, "needs no device model"));
  }
  const CheckReport untyped = check_guest("g.cfg", "name='g'\nvga='none'\n");
  BOOST_TEST(untyped.exit_status == CheckReport::kMustChange);
  BOOST_TEST(says(untyped.text, "write type=\"hvm\""));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_ends_with_2) {
  BOOST_TEST(check_guest("g.cfg", "a=").exit_status == CheckReport::kUnreadable);
  const CheckReport missing = check_guest_file("/nonexistent/g.cfg");
  BOOST_TEST(missing.exit_status == CheckReport::kUnreadable);
  BOOST_TEST(says(missing.text, "/nonexistent/g.cfg: cannot be read: No such file"), missing.text);
  BOOST_TEST(check_guest_file("/").exit_status == CheckReport::kUnreadable);
  BOOST_TEST(says(check_guest_file("/dev/zero").text, "larger than 1 MiB"));
}

BOOST_AUTO_TEST_CASE(check_is_asked_for_on_the_command_line) {
  const auto asked = parse(Arguments{"--check", "/g.cfg"});
  BOOST_TEST((asked.value().action == Invocation::Action::check));
  BOOST_TEST(asked.value().file == "/g.cfg");
  BOOST_TEST(says(parse(Arguments{"--check"}).error().message, "--check needs the name"));
}

std::string repeated(std::string_view setting, std::string_view item, std::size_t times) {
  std::string text = std::string{kGood}.append(setting).append("=[");
  for (std::size_t i = 0; i < times; ++i) {
    text.append(item).append(",");
  }
  return text.append("]\n");
}

BOOST_AUTO_TEST_CASE(a_report_is_bounded_whatever_the_guest_has) {
  std::string disks = std::string{kGood} + "disk=[";
  for (int i = 0; i < 10'000; ++i) {
    disks += "'/dev/vg/data,,d" + std::to_string(i + 4) + "p0',";
  }
  const CheckReport report = check_guest("g.cfg", disks + "]\n");
  BOOST_TEST(report.exit_status == CheckReport::kServed);
  BOOST_TEST(report.text.size() < 16'384);
  BOOST_TEST(says(report.text, "d4p0: /dev/vg/data (for PV drivers alone)"));
  BOOST_TEST(says(report.text, "and 9950 more"));
}

// A file of 1 MiB took minutes: each card was compared with all before it.
BOOST_AUTO_TEST_CASE(a_report_takes_as_long_as_the_file) {
  const std::clock_t start = std::clock();  // of the processor: other work does not count
  for (const std::string& text :
       {repeated("vif", "''", 330'000), repeated("vif", "'type=vif'", 90'000),
        repeated("vif", "'model=e1000'", 70'000), repeated("serial", "'pty'", 150'000)}) {
    (void)check_guest("g.cfg", text);
  }
  BOOST_TEST((std::clock() - start < 20 * CLOCKS_PER_SEC));
}

BOOST_AUTO_TEST_CASE(names_in_a_file_cannot_forge_lines) {
  const std::string text =
      check_guest("g\n.cfg", std::string{kGood} + "serial=\"x\\ng.cfg: all is well\"\n").text;
  BOOST_TEST(!says(text, "\ng.cfg: all is well"), text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
