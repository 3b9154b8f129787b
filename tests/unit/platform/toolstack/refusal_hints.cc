// SPDX-License-Identifier: MIT
// Every refusal tells what to write instead and what that costs; who does it is not refused again.
#include "platform/toolstack/command_line/refusals.h"
#include "platform/toolstack/xl_config/check.h"
#include "tests/unit/platform/toolstack/golden.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <set>

namespace dm::toolstack::test {
namespace {

constexpr std::string_view kBase =
    "type='hvm'\nname='guest'\nmemory=512\nserial='pty'\nvkb_device=0\n"
    "device_model_override='/usr/local/libexec/stubdm'\n";

/// One guest before and after its owner has followed the advice. What a row does not set is as in
/// a guest that is served.
struct Row {
  Unserved what;
  const char* before;
  const char* after;
  const char* written = "";  ///< of the advice, and in `after`; empty where a line goes
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.before;
}

const std::vector<Row> kRows = {
    {Unserved::vga, "vga='qxl'\n", "vga=\"stdvga\"\n", "vga=\"stdvga\""},
    {Unserved::vga, "vga='qxl'\nvideoram=256\n", "vga=\"stdvga\"\nvideoram=256\n",
     "vga=\"stdvga\""},
    {Unserved::vga_option, "vga='none'\ndevice_model_args=['-vga','cirrus']\n", "vga=\"stdvga\"\n",
     "vga=\"stdvga\""},
    {Unserved::gfx_passthru, "vga='none'\ngfx_passthru='igd'\n", "vga='none'\ngfx_passthru=0\n",
     "gfx_passthru=0"},
    {Unserved::usb_version, "vga='none'\nusbversion=3\n", "vga='none'\nusbversion=1\n",
     "usbversion=1"},
    {Unserved::usb_version, "vga='none'\nusbversion=2\n", "vga='none'\nusb=1\n", "usb=1"},
    {Unserved::usb_model, "vga='none'\nusb=1\nusbdevice='braille'\n",
     "vga='none'\nusb=1\nusbdevice='tablet'\n", "tablet"},
    {Unserved::usb_model, "vga='none'\nusbdevice=['tablet','mouse','keyboard','tablet']\n",
     "vga='none'\nusbdevice=['tablet','keyboard']\n"},
    {Unserved::usb_controller, "vga='none'\nusbctrl=['type=auto']\n", "vga='none'\n"},
    {Unserved::usb_controller, "vga='none'\nusbctrl=['version=3,ports=4']\n", "vga='none'\n"},
    {Unserved::usb_device, "vga='none'\nusbdev=['hostbus=1,hostaddr=2']\n", "vga='none'\n"},
    {Unserved::nic_model, "vga='none'\nvif=['model=pcnet']\n", "vga='none'\nvif=['model=e1000']\n",
     "model=e1000"},
    {Unserved::nic_model, "vga='none'\nvif=['model=ne2k_pci']\n",
     "vga='none'\nvif=['model=rtl8139']\n", "rtl8139"},
    {Unserved::nic_model, "vga='none'\nvif=['model=virtio-net-pci']\n",
     "vga='none'\nvif=['type=vif']\n", "type=vif"},
    {Unserved::nic_count,
     "vga='none'\nvif=['model=e1000','model=e1000','model=e1000','model=e1000','model=e1000',"
     "'model=e1000','model=e1000','model=e1000','model=e1000']\n",
     "vga='none'\nvif=['model=e1000','model=e1000','model=e1000','model=e1000','model=e1000',"
     "'model=e1000','model=e1000','model=e1000','type=vif']\n",
     "type=vif"},
    {Unserved::scsi_disk, "vga='none'\ndisk=['vdev=sda,target=/x']\n",
     "vga='none'\ndisk=['vdev=hda,access=rw,target=/x']\n", "vdev=hda,access=rw"},
    {Unserved::scsi_disk, "vga='none'\ndisk=['vdev=sda,access=ro,target=/x']\n",
     "vga='none'\ndisk=['vdev=hda,access=rw,target=/x']\n", "vdev=hda,access=rw"},
    {Unserved::scsi_disk, "vga='none'\ndisk=['vdev=sda,access=ro,target=/x']\n",
     "vga='none'\ndisk=['vdev=xvde,access=ro,target=/x']\n", "vdev=xvde"},
    {Unserved::ahci_disk, "vga='none'\nhdtype='AHCI'\ndisk=['/x,,hda']\n",
     "vga='none'\nhdtype=\"ide\"\ndisk=['/x,,hda']\n", "hdtype=\"ide\""},
    {Unserved::image_format,
     "vga='none'\ndevice_model_args=['-drive','file=/x,if=ide,index=3,"
     "format=luks']\n",
     "vga='none'\ndevice_model_args=['-drive','file=/x,if=ide,index=3,format=qcow2']\n",
     "format=qcow2"},
    {Unserved::image_protocol, "vga='none'\ndisk=['vdev=hda,backendtype=qdisk,target=rbd:p/x']\n",
     "vga='none'\ndisk=['vdev=hda,target=/dev/rbd0']\n"},
    {Unserved::image_protocol, "vga='none'\ndisk=['vdev=hda,backendtype=qdisk,target=rbd:p/x']\n",
     "vga='none'\ndisk=['vdev=hda,backendtype=qdisk,target=nbd://HOST/NAME']\n",
     "target=nbd://HOST/NAME"},
    {Unserved::image_protocol, "vga='none'\ndisk=['vdev=hdc,cdrom,target=http://h/x.iso']\n",
     "vga='none'\ndisk=['vdev=hdc,cdrom,target=/PATH']\n", "target=/PATH"},
    {Unserved::pv_image_format, "vga='none'\ndm_restrict=1\ndisk=['/x,qcow2,xvdf']\n",
     "vga='none'\ndm_restrict=1\ndisk=['format=qcow2,vdev=hda,target=/x']\n", "vdev=hda"},
    {Unserved::pv_image_format, "vga='none'\ndm_restrict=1\ndisk=['/x,qcow2,xvdf']\n",
     "vga='none'\ndm_restrict=1\ndisk=['format=raw,vdev=xvdf,target=/x']\n", "format=raw"},
    {Unserved::cdrom_position, "vga='none'\ndisk=['vdev=xvde,devtype=cdrom,target=/x.iso']\n",
     "vga='none'\ndisk=['vdev=hdc,devtype=cdrom,target=/x.iso']\n", "vdev=hdc,devtype=cdrom"},
    {Unserved::serial_backend, "vga='none'\nserial='vc'\n", "vga='none'\nserial=\"pty\"\n",
     "serial=\"pty\""},
    {Unserved::serial_count, "vga='none'\nserial=['pty','pty','pty','pty','pty']\n",
     "vga='none'\nserial=['pty','pty','pty','pty']\n"},
    {Unserved::channel, "vga='none'\nchannel=['connection=pty,name=a']\n", "vga='none'\n"},
    {Unserved::colo,
     "vga='none'\nvif=['model=e1000,colo_filter_mirror_queue=tx,colo_filter_mirror_outdev=m']\n",
     "vga='none'\nvif=['model=e1000']\n"},
    {Unserved::colo_disk, "vga='none'\ndisk=['vdev=hda,colo,colo-host=h,colo-port=9,target=/x']\n",
     "vga='none'\ndisk=['vdev=hda,target=/x']\n"},
    {Unserved::pci_passthrough, "vga='none'\npci=['01:00.0']\n", "vga='none'\n"},
    {Unserved::shared_directory, "vga='none'\np9=['tag=a,path=/srv,security_model=none']\n",
     "vga='none'\n"},
    {Unserved::unknown_device, "vga='none'\ndevice_model_args=['-device','usb-storage']\n",
     "vga='none'\n"},
    {Unserved::unknown_device,
     "vga='none'\ndevice_model_args_hvm=['-device','ide-hd,bus=ide.0,drive=d','-drive',"
     "'if=none,id=d,file=/x,format=raw']\n",
     "vga='none'\n"},
    {Unserved::unknown_device,
     "vga='none'\nvif=['model=e1000']\ndevice_model_args=['-device','bochs-display']\n",
     "vga='none'\nvif=['model=e1000']\n"},
    {Unserved::unknown_device,
     "vga='none'\ndevice_model_args=['-device','virtio-blk-pci,drive=d','-drive',"
     "'if=none,id=d,file=/x,format=raw']\n",
     "vga='none'\n"},
    {Unserved::unknown_option, "vga='none'\ndevice_model_args=['-display','dbus']\n",
     "vga='none'\n"},
    {Unserved::unknown_device,
     "vga='none'\ndevice_model_args_hvm=['-usb','-usbdevice','disk:/x']\n", "vga='none'\n"},
    {Unserved::unknown_option, "vga='none'\ndevice_model_args=['-trace','x']\n", "vga='none'\n"},
};

/// What a guest starts without: the words of the log are those of --check, and who follows them
/// reads them no more.
const std::vector<Row> kLeftOut = {
    {Unserved::sdl, "vga='none'\nsdl=1\n", "vga='none'\nsdl=0\n", "sdl=0"},
    {Unserved::spice, "vga='none'\nspice=1\nspicevdagent=1\n",
     "vga='none'\nspice=0\nspicevdagent=1\n", "spice=0"},
    {Unserved::spice, "vga='none'\nspice=1\nusbversion=2\nspiceusbredirection=2\n",
     "vga='none'\nspice=0\n", "spice=0"},
    {Unserved::spice, "vga='none'\nspice=1\nspiceusbredirection=4\n", "vga='none'\nspice=0\n",
     "spice=0"},
    {Unserved::sound, "vga='none'\nsoundhw='HDA'\n", "vga='none'\n"},
    {Unserved::sound, "vga='none'\nsoundhw='sb16'\n", "vga='none'\n"},
};

CheckReport check(const char* more) {
  return check_guest("g.cfg", std::string{kBase} + more);
}

std::string advice(Unserved what) {
  const RefusalText& text = refusal_text(what);
  std::string line{text.setting};
  return line.append(": write ")
      .append(text.write)
      .append(". ")
      .append(text.cost)
      .append(". It asks for ");
}

BOOST_AUTO_TEST_SUITE(refusal_hints)

BOOST_DATA_TEST_CASE(who_follows_the_advice_is_served, boost::unit_test::data::make(kRows), row) {
  const CheckReport before = check(row.before);
  BOOST_TEST(before.exit_status == CheckReport::kMustChange);
  BOOST_TEST(says(before.text, advice(row.what)), before.text);
  BOOST_TEST(says(std::string{refusal_text(row.what).write}, row.written));
  BOOST_TEST(says(row.after, row.written));
  // One refusal for one thing to change.
  const auto end = std::min(before.text.find("worth knowing:"), before.text.size());
  BOOST_TEST(
      std::count(before.text.begin(), before.text.begin() + static_cast<long>(end), '\n') == 2,
      before.text);
  const CheckReport after = check(row.after);
  BOOST_TEST(after.exit_status == CheckReport::kServed, after.text);
}

BOOST_DATA_TEST_CASE(what_can_be_done_without_is_told_and_refuses_nothing,
                     boost::unit_test::data::make(kLeftOut),
                     row) {
  const RefusalText& text = refusal_text(row.what);
  const std::string told =
      std::string{text.setting}.append(": the guest starts without ").append(text.seen);
  const CheckReport before = check(row.before);
  BOOST_TEST(before.exit_status == CheckReport::kServed, before.text);
  BOOST_TEST(says(before.text, "g.cfg:8: " + told), before.text);
  BOOST_TEST(says(before.text, text.cost), before.text);
  BOOST_TEST(says(std::string{text.write}, row.written));
  const CheckReport after = check(row.after);
  BOOST_TEST(after.exit_status == CheckReport::kServed, after.text);
  BOOST_TEST(!says(after.text, told), after.text);
}

BOOST_AUTO_TEST_CASE(every_refusal_is_tried_and_says_what_it_costs) {
  std::set<Unserved> tried;
  for (const std::vector<Row>* rows : {&kRows, &kLeftOut}) {
    for (const Row& row : *rows) {
      tried.insert(row.what);
    }
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(Unserved::count_); ++i) {
    const auto what = static_cast<Unserved>(i);
    BOOST_TEST(tried.contains(what), refusal_text(what).seen);
    BOOST_TEST(refusal_text(what).cost.size() > 10U, refusal_text(what).seen);
  }
}

/// The start has libxl's command line alone, and says the same.
BOOST_AUTO_TEST_CASE(a_start_blames_the_arguments_of_a_person_as_the_check_does) {
  const Arguments person = {"-display", "dbus", "-device", "usb-host",
                            "-device",  "qxl",  "-trace",  "x"};
  const std::string before = refusal_of(
      {.restrict = {"-xen-domid-restrict", "-chroot", "/x"}, .device_model_args = person});
  const std::string behind =
      refusal_of({.machine = {"-machine", "xenfv", "-display", "dbus", "-device", "usb-host",
                              "-device", "qxl", "-trace", "x"}});
  const std::string checked =
      check(
          "vga='none'\ndevice_model_args=['-display','dbus','-device','usb-host','-device','qxl',"
          "'-trace','x']\n")
          .text;
  for (const std::string& text : {before, behind, checked}) {
    BOOST_TEST(says(text, advice(Unserved::unknown_option) + "an option unknown to stubdm: "
                                                             "-display dbus, -trace"),
               text);
    BOOST_TEST(says(text, advice(Unserved::unknown_device) + "a device unknown to stubdm: "
                                                             "usb-host, qxl"),
               text);
    BOOST_TEST(!says(text, "vga: write"), text);
  }
  BOOST_TEST(says(refusal_of({.graphics = {"-device", "qxl-vga,ram_size_mb=64"}}), "vga: write"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
