// SPDX-License-Identifier: MIT
// What xl 4.17 takes and what ends it, one small input each, as the program itself answers
// `xl create -n`; and what libxl makes of it then.
#include "platform/toolstack/xl_config/check.h"
#include "tests/unit/platform/toolstack/golden.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

namespace dm::toolstack::test {
namespace {

constexpr std::string_view kGood =
    "type='hvm'\nname='guest'\nmemory=512\nvga='none'\nvnc=0\nserial='pty'\n"
    "device_model_override='/usr/local/libexec/stubdm'\nvkb_device=0\n"
    "vif=['type=vif']\ndisk=['/dev/vg/guest,raw,hda,rw']\n";

CheckReport check(const std::string& more) {
  return check_guest("g.cfg", std::string{kGood} + more + "\n");
}

BOOST_AUTO_TEST_SUITE(check_like_xl)

const std::vector<std::string> kTaken = {
    "a.b=1",
    "a.b.c=[1]",
    "a..b='x'",
    "vif=['mac=00-16-3e-00-00-01,model=e1000']",
    "vif=['mac=0:16:3e:1:2:3,model=e1000']",
    "vif=['mac=0x0:0X16:3E:1:2:3,model=e1000']",
    "vif=['mac=0 16 3e 1 2 3,model=e1000']",
    "vif=['mac=00:16:3e:01:02:03:04,type=vif']",
    "vif=['mac=00:16:3e:01:02:03 and more,type=vif']",
    "vif=['mac=00:00:00:00:00:00,model=e1000']",
    "vif=['type=vif,untrusted']",
    "vif=['trusted, type=vif,,, bridge=x']",
    "vif=['type=vif,ip=,script=x,backend=y,gatewaydev=z,mtu=1500,devid=7,accel=1']",
    "vif=['type=vif,rate=10Mb/s','type=vif,rate=1GB/s@20ms','type=vif,rate=5b/s@3us']",
    "vif=['type=vif,vifname=fifteen-letters','model=e1000,vifname=eleven-long']",
    "vif=['type=vif,colo_checkpoint_host=x']",
    "vif=['']\nvif=['model=e1000,forwarddev=x,netdev=y']",
    "disk=['/x,raw,d0p0,w']",
    "disk=['/x,raw,d0x1p0,w','/y,,d3p1']",
    "disk=['/x,,768']",
    "disk=['/x,,0x300','/y,,51712']",
    "disk=['/x,,xvda255']",
    "disk=['/x,,hda63','/y,,hdd1']",
    "disk=['/x,,hda,,']",
    "disk=['format=raw,format=raw,vdev=,vdev=hda,target=/x']",
    "disk=['/x,,hda,access=','/y.iso,,hdc,r,cdrom']",
    "disk=['phy:/x:y,hda,w','/x:z,raw,hdb,w']",
    "disk=['/x,,hda,specification=xen,backendtype=phy,discard,no-colo']",
    "disk=['drbd:res,hda,w','script=block-x,vdev=hdb,target=a:b']",
    "disk=['backend=storage,vdev=hda,access=ro,target=/x']",
    "disk=['vdev=hdc,cdrom,target=nbd://h/x']",
    "disk=['/x.iso,,hdc,cdrom,backendtype=qdisk']",
    "hdtype='IDE'",
    "bios='SeaBIOS'",
    "bios='unknown'",
    "firmware='SEABIOS'",
    "viridian=['all','!Base','defaults','cpu_hotplug']",
    "viridian=[]",
    "viridian=1",
    "timer_mode='Delay_For_Missed_Ticks'",
    "timer_mode=3",
    "timer_mode='0x1'",
    "tsc_mode='NATIVE_PARAVIRT'",
    "altp2m='External'",
    "ms_vm_genid='generate'",
    "on_reboot='rename-restart'\non_crash='coredump-destroy'\non_soft_reset='soft-reset'",
    "vendor_device='XenServer'",
    "gfx_passthru=0",
    "passthrough='disabled'",
    "uuid='5ED4D1B6-1e2c-4a6f-9b4e-0a6c1b1f2d3e'",
    "vcpus=128\nmaxvcpus=128",
    "vcpus=0",
    "max_grant_frames=64\nmax_maptrack_frames='0x100'",
    "mca_caps=['lmce']",
    "vkb=['backend-type=LINUX,unique-id=a']",
    "usbctrl=['type=PV']\nusbdev=['type=HostDev,hostbus=1,hostaddr=2']",
    "ioports=['3f8-3ff','2f8 ']\nirqs=[5]\niomem=['fd000,10','fd000,10@f0000']",
    "cpus='all'",
    "cpus='0-3,^1,nodes:0'",
    "cpus='^0,1'",
    "cpus='^0'",
    "cpus_soft='^0'",
    "vtpm=['backend=a,uuid=5ED4D1B6-1e2c-4a6f-9b4e-0a6c1b1f2d3e']",
    "cpus=['x']",
    "vtpm=['backend=a']\npvcalls=['backend=b']\npvcalls=['x']",
    "vcpus=2\ncpus=['0','nodes:0,^1','x',['y']]",
    "serial=[]",
    "device_model_stubdomain_override=1\nvnc=1\nvncpasswd='x'",
    "device_model_stubdomain_override=1\nsdl=1",
    "device_model_stubdomain_override=1\nspice=1",
    "device_model_stubdomain_override=1\nspice=1\nspiceusbredirection=3\nspicevdagent=1",
};

BOOST_DATA_TEST_CASE(what_xl_takes_is_taken, boost::unit_test::data::make(kTaken), more) {
  const CheckReport report = check(more);
  BOOST_TEST(report.exit_status == CheckReport::kServed, report.text);
}

struct Row {
  const char* more;  ///< from line 11 on
  const char* told;
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.more;
}

const std::vector<Row> kEnds = {
    {"vif=['mac=00:16:3e:xx:xx:xx']", "g.cfg:11: vif: xl wants six numbers in hexadecimal"},
    {"vif=['type=vif,mac=1:2:3']", "six numbers"},
    {"vif=['type=vif,mac=100:2:3:4:5:6']", "six numbers"},
    {"vif=['type=vif,mac=']", "six numbers"},
    {"vif=['type = vif']", "no blanks around '='"},
    {"vif=['type=vif,mac = 1:2:3:4:5:6']", "no blanks around '='"},
    {"vif=['type=VIF']", "type is vif or ioemu, not 'VIF'"},
    {"vif=['type=vif,vlan=3']", "does not understand 'vlan'"},
    {"vif=['type=vif,untrusted=1']", "does not understand 'untrusted'"},
    {"vif=['type=vif,Bridge=x']", "does not understand 'Bridge'"},
    {"vif=['type=vif,colo_foo=1']", "does not understand 'colo_foo'"},
    {"vif=['type=vif,rate=10']", "xl wants a rate such as"},
    {"vif=['type=vif,rate=10mb/s']", "xl wants a rate such as"},
    {"vif=['type=vif,rate=0b/s']", "xl wants a rate such as"},
    {"vif=['type=vif,rate=10Mb/s@99999s']", "xl wants a rate such as"},
    {"vif=['type=vif,devid=x']", "xl wants a number for devid"},
    {"vif=['type=vif,mtu=']", "xl wants a number for mtu"},
    {"vif=['model=e1000,devid=1','model=e1000']", "devid=1 is another card's"},
    {"vif=['model=e1000,vifname=mywindowsguest']", "mywindowsguest is no name for an interface"},
    {"vif=['type=vif,vifname=sixteen-letters-']", "at most 15 letters"},
    {"disk=['/x,,hda,backendtype=tap']", "g.cfg:11: disk: xl has no backendtype=tap any more"},
    {"disk=['tap:/x,hda,w,backendtype=tap']", "no backendtype=tap"},
    {"disk=['/x.iso,,hdc,cdrom,backendtype=phy']", "a CD-ROM drive with backendtype=phy"},
    {"disk=[',,hdc,cdrom,backendtype=tap']", "a CD-ROM drive with backendtype=tap"},
    {"disk=['/x,,hda,backendtype=standalone']", "backendtype=standalone"},
    {"disk=['/x,qcow2,hda,script=y']", "xl refuses a script"},
    {"disk=['script=y,backendtype=qdisk,vdev=hda,target=x']", "xl refuses a script"},
    {"disk=['script=y,vdev=hdc,cdrom,target=x']", "a CD-ROM drive with a script"},
    {"disk=['/x.iso,empty,hdc,cdrom']", "xl refuses format=empty with an image"},
    {"disk=['http://h/x.iso,raw,hdc,cdrom']", "xl knows no such prefix: http"},
    {"disk=['raw:qcow2:/x,hda']", "disk: given twice"},
    {"disk=['/x,RAW,hda']", "xl knows the formats"},
    {"disk=['/x,,hda,trusted']", "disk: access is ro or rw"},
    {"disk=['/x,,hda,backendtype=PHY']", "xl does not understand"},
    {"disk=['/x,,hda,colo-port=0']", "xl does not understand"},
    {"disk=['/x,,hda ,w']", "no such vdev: hda "},
    {"disk=['/x,,d0']", "no such vdev"},
    {"disk=['/x,,d0p256']", "no such vdev"},
    {"disk=['/x,,xvda256']", "no such vdev"},
    {"disk=['/x,,3000000000']", "no such vdev"},
    {"disk=['/a,,hda','/b,,xvda']", "g.cfg:11: disk: vdev xvda is the same place as hda"},
    {"disk=['/a,,d1p0','/b.iso,,hdb,cdrom']", "hdb is the same place as d1p0"},
    {"disk=['/a,,hda','/b,,hda']", "vdev hda is there already, in line 11"},
    {"disk=['/a,,xvde','/b,,d4p0']", "vdev d4p0 is there already"},
    {"disk=['/a,,hda,r']", "write access=rw, or vdev=xvde or later"},
    {"hdtype='scsi'", "g.cfg:11: hdtype: xl knows ide and ahci, not 'scsi'"},
    {"bios='uefi'", "g.cfg:11: bios: xl knows seabios, ovmf and rombios, not 'uefi'"},
    {"bios='legacy'", "not 'legacy'"},
    {"firmware='RomBIOS'", "g.cfg:11: firmware: xl has rombios for"},
    {"viridian=['default']", "g.cfg:11: viridian: xl knows all"},
    {"viridian=['ALL']", "not 'ALL'"},
    {"viridian=[['all']]", "g.cfg:11: viridian: xl knows"},
    {"timer_mode=4", "g.cfg:11: timer_mode: xl knows delay_for_missed_ticks"},
    {"timer_mode='x'", "timer_mode: xl knows"},
    {"tsc_mode='x'", "tsc_mode: xl knows"},
    {"tsc_mode=7", "tsc_mode: xl knows"},
    {"altp2m='x'", "altp2m: xl knows"},
    {"ms_vm_genid='NONE'", "ms_vm_genid: xl knows generate and none"},
    {"on_reboot='Destroy'", "on_reboot: xl knows destroy"},
    {"on_crash=1", "on_crash: xl knows"},
    {"on_watchdog='reset'", "on_watchdog: xl knows"},
    {"vendor_device='x'", "vendor_device: xl knows"},
    {"gfx_passthru='x'", "gfx_passthru: xl knows"},
    {"passthrough='x'", "passthrough: xl knows"},
    {"soundhw='all'", "g.cfg:11: soundhw: xl knows ac97"},
    {"uuid='x'", "uuid: xl wants 36 characters"},
    {"max_grant_frames='x'", "max_grant_frames: xl wants a number"},
    {"mca_caps='lmce'", "mca_caps: xl knows"},
    {"vcpus=200", "g.cfg:11: vcpus: an HVM guest has 1 to 128 vCPUs, not 200"},
    {"maxvcpus=129", "g.cfg:11: maxvcpus: an HVM guest has 1 to 128"},
    {"boot='x'", "g.cfg:11: boot: write one to three different letters"},
    {"vga='stdvga'\nvideoram=8", "videoram: xl wants at least 16"},
    {"usb=1\nusbversion=2", "usbversion: xl refuses it"},
    {"p9=['x']", "g.cfg:11: p9: xl wants path="},
    {"p9=['tag=a,path=/b,security_model=none,foo=1']", "p9: xl does not understand 'foo=1'"},
    {"vkb=['x']", "vkb: xl does not understand 'x'"},
    {"vkb=['backend=x']", "vkb: xl wants backend-type="},
    {"vkb=['backend-type=x']", "vkb: xl knows no backend-type=x"},
    {"channel=['connection=x']", "channel: xl wants"},
    {"channel=['connection=pty,x']", "channel: xl wants"},
    {"usbctrl=['type=x']", "usbctrl: xl knows no type=x"},
    {"usbdev=['bus=1']", "usbdev: xl does not understand 'bus=1'"},
    {"ioports=['x']", "ioports: xl wants"},
    {"irqs=['5x']", "irqs: xl wants"},
    {"iomem=['fd000']", "iomem: xl wants"},
    {"cpus='x'", "cpus: xl wants"},
    {"cpus='-1'", "cpus: xl wants"},
    {"vcpus=1\ncpus=''", "cpus: xl wants"},
    {"maxvcpus=2\ncpus='^0'", "cpus: xl wants"},
    {"vcpus=2\ncpus=['0','^1']", "cpus: xl wants"},
    {"vcpus=1\ncpus=['3-1']", "cpus: xl wants"},
    {"vtpm=['backend=a']\nvtpm+=['uuid=5ed4d1b6-1e2c-4a6f-9b4e-0a6c1b1f2d3e']",
     "vtpm: xl wants backend="},
    {"vtpm=['backend=a,uuid=x']", "vtpm: xl wants 36 characters for uuid"},
    {"irqs=[['5']]", "irqs: xl wants"},
    {"max_maptrack_frames=[1]", "max_maptrack_frames: xl wants a number"},
    {"max_grant_version=[]", "max_grant_version: xl wants a number"},
    {"vnuma=['pnode=0']", "vnuma: xl wants a list of lists"},
    {"device_model_args_pv='-x'", "device_model_args_pv: xl wants a list"},
};

BOOST_DATA_TEST_CASE(what_ends_xl_or_libxl_is_told, boost::unit_test::data::make(kEnds), row) {
  const CheckReport report = check(row.more);
  BOOST_TEST(report.exit_status == CheckReport::kMustChange);
  BOOST_TEST(says(report.text, row.told), report.text);
  BOOST_TEST(!says(report.text, "in QEMU's words"), report.text);
}

/// Who reads a report wants to know whose rule it is: xl's, which any device model has to live
/// with, or a thing that stubdm lacks.
const std::vector<Row> kBlamed = {
    {"boot='x'", " xl makes "},
    {"vcpus=200", " xl makes "},
    {"maxvcpus=129", " xl makes "},
    {"memory=0", " xl wants "},
    {"builder='generic'", " xl refuses "},
    {"disk=['/a,,hda','/b,,hda']", " xl refuses "},
    {"disk=['/a,,hda','/b,,xvda']", " xl makes "},
    {"disk=['/a,,hda,specification=virtio']", " xl wants "},
    {"dm_restrict=1\ndisk=['/a,,hda,backendtype=qdisk']", "It asks for a PV back end of a disk"},
    {"disk=['vdev=hda,backendtype=qdisk,target=rbd:p/x']", "It asks for a disk with an image"},
    {"disk=[',,xvde,cdrom']", "It asks for a CD-ROM drive beyond the four IDE positions of disks"},
    {"p9=['tag=a,path=/b,security_model=none']", "It asks for a device unknown to stubdm"},
    {"usbversion=3", "It asks for a USB controller other than the PIIX3's"},
    {"usbdev=['hostbus=1,hostaddr=2']", "It asks for USB passthrough: usbdev"},
};

BOOST_DATA_TEST_CASE(whose_rule_it_is_is_told, boost::unit_test::data::make(kBlamed), row) {
  const CheckReport report = check(row.more);
  BOOST_TEST(report.exit_status == CheckReport::kMustChange);
  BOOST_TEST(says(report.text, row.told), report.text);
}

const std::vector<Row> kShown = {
    {"hdtype='Ahci'", "hdtype: write hdtype=\"ide\""},
    {"disk=['backend=storage,vdev=hda,target=/x']",
     "hda: /x, from domain storage (for PV drivers alone)"},
    {"disk=['/x,,768']", "768: /x (for PV drivers alone)"},
    {"disk=['/x,raw,d0p0,w']", "hda: /x (first IDE channel, master)"},
    {"disk=['/x,,hda','/y.iso,,xvdf,cdrom']", "xvdf: /y.iso (for PV drivers alone)"},
    {"disk=['vdev=hdc,cdrom,target=http://h/x.iso']",
     "neither a file nor an NBD export: http://h/x"},
    {"disk=['vdev=hda,backendtype=qdisk,target=rbd:pool/image']", "NBD export: rbd:pool/image"},
    {"disk=['vdev=hda,backendtype=qdisk,format=qcow2,target=ssh://h/x']", "NBD export: ssh://h/x"},
    {"disk=['vg/g,,hda']", "write the whole path"},
    {"vif=['mac=0-16-3e-1-2-3,model=e1000']", "1 PV, 1 emulated"},
    {"device_model_stubdomain_override=1\nvnc=1\nvncpasswd='x'",
     "g.cfg:13: vnc: libxl gives a stub domain no screen"},
    {"device_model_stubdomain_override=1\nsdl=1", "g.cfg:12: sdl: libxl gives a stub domain no"},
    {"device_model_stubdomain_override=1", "g.cfg:11: device_model_version: there is no such line"},
    {"firmware='/path'", "g.cfg:11: firmware: stubdm is tested with Xen's own hvmloader"},
    {"firmware='ue'", "g.cfg:11: firmware: stubdm is tested with SeaBIOS"},
    {"bios='ovmf'\nfirmware='uefi'", "g.cfg:12: firmware: stubdm is tested with SeaBIOS"},
    {"sched='credit'\nvm_watchdog=1", "g.cfg:12: vm_watchdog: xl 4.17 knows no such setting"},
};

BOOST_DATA_TEST_CASE(what_libxl_makes_of_it_is_shown, boost::unit_test::data::make(kShown), row) {
  const CheckReport report = check(row.more);
  BOOST_TEST(says(report.text, row.told), report.text);
}

BOOST_AUTO_TEST_CASE(vcpus_that_can_be_added_are_nothing_to_warn_of) {
  const CheckReport report = check("maxvcpus=4");
  BOOST_TEST(says(report.text, "vCPUs: 1 of 4"), report.text);
  BOOST_TEST(!says(report.text, "maxvcpus"), report.text);
}

BOOST_AUTO_TEST_CASE(firmware_wins_over_bios_as_in_xl) {
  BOOST_TEST(!says(check("bios='ovmf'\nfirmware='bios'").text, "firmware:"));
  BOOST_TEST(!says(check("bios='rombios'\nfirmware='seabios'").text, "rombios"));
  BOOST_TEST(says(check("bios='seabios'\nfirmware='rombios'").text, "g.cfg:12: firmware: xl has"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
