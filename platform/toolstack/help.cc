// SPDX-License-Identifier: MIT
#include "platform/toolstack/help.h"

#include "platform/toolstack/version.h"

namespace dm::toolstack {

namespace {

constexpr std::string_view kHelp =
    R"(stubdm is a device model for Xen HVM guests: the program that plays the PC around a guest's CPUs.
It takes the place of QEMU for one guest. It is not started by hand: xl starts it, with the command
line that it would give QEMU. For that, write into the guest's xl.cfg:

    type = "hvm"
    device_model_override = "/path/to/stubdm"
    vga = "none"            # there is no display: a guest speaks over its serial port or the network
    vnc = 0
    usb = 0
    vkb_device = 0          # or Linux guests wait 30 s for a PV keyboard
    serial = "pty"          # read it with: xl console -t serial GUEST
    disk = [ "format=raw,vdev=hda,access=rw,target=/path/to/image" ]
    vif = [ "type=vif,bridge=xenbr0" ]

Then: xl create GUEST.cfg. What a configuration asks for and stubdm does not have is told in
/var/log/xen/qemu-dm-GUEST.log: one message with all settings to change. Raw disks only; hda to hdd (or
xvda to xvdd) are IDE disks until the guest's PV drivers take over, later ones are PV only.

Options understood, as libxl 4.17 writes them:
  -xen-domid N                      the guest (needed)
  -name NAME  -m MIB                for the log
  -smp A[,maxcpus=M]                vCPUs online and possible, 1 to 128
  -machine xenfv | pc,accel=xen     with or without the xen-platform device
  -boot order=cda                   up to three of a, c, d, n
  -no-acpi                          no power management function
  -S                                wait for QMP's cont
  -serial pty|null|stdio|none|file:PATH|pipe:PATH|unix:PATH,server,nowait|tcp:HOST:PORT,server,nowait|/dev/TTY
  -drive file=PATH,if=ide,index=0..3,media=disk,format=raw|host_device[,readonly=on]
  -chardev socket,id=C,path=PATH|fd=F,server=on,wait=off with -mon chardev=C,mode=control      QMP
  -xen-domid-restrict  -chroot DIR  -runas USER|UID:GID       privileges given up after the start
Understood, and refused in this version with the setting to change: CD-ROM drives (-device ide-cd), emulated
network cards (-device e1000), saved guests (-incoming).
Taken and without effect: -no-shutdown -nodefaults -no-user-config -nographic -vnc -k -display none
  -net none -device xen-pvdevice
Our own:
  --help, --version
)";

}  // namespace

std::string_view help_text() noexcept {
  return kHelp;
}

std::string version_text() {
  return std::string{"stubdm "}.append(version()).append("\n");
}

std::string_view version() noexcept {
  return DM_VERSION;
}

}  // namespace dm::toolstack
