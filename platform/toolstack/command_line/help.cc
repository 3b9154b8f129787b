// SPDX-License-Identifier: MIT
#include "platform/toolstack/command_line/help.h"

#include "platform/toolstack/version.h"

namespace dm::toolstack {

namespace {

// Written for somebody who has a guest's xl.cfg open in the other window. The manual page has the
// rest.
constexpr std::string_view kHelp =
    R"(stubdm is a device model for Xen HVM guests: the program that plays the PC around a
guest's CPUs. It takes the place of QEMU for one guest. It is not started by hand: xl starts it,
with the command line that it would give QEMU. For that, write into the guest's xl.cfg:

    type = "hvm"
    device_model_override = "/path/to/stubdm"
    vga = "stdvga"          # a screen: look at it with xl vncviewer GUEST, or any VNC viewer
    usbdevice = "tablet"    # the pointer goes where it is put; or mouse, keyboard
    serial = "pty"          # read it with: xl console -t serial GUEST
    disk = [ "format=raw,vdev=hda,access=rw,target=/path/to/image" ]
    vif = [ "type=vif,bridge=xenbr0" ]

Then: xl create GUEST.cfg

Before that, without Xen and without a guest:
  stubdm --check GUEST.cfg          reads the file as xl does and lists all settings to change,
                                    each with its line and what the change costs; or shows what
                                    the guest would get

While the guest runs, as root:
  stubdm inspect DOMID [--json]     registers, counters for each range of ports, back ends and the
                                    last requests of the guest (xl list shows the ids)
  stubdm inspect DOMID --screen FILE.png
                                    what the guest's screen shows now, without a viewer

Of a saved guest, without Xen and without root:
  stubdm inspect --state FILE [--json]
                                    the state of its devices, field by field. FILE is what xl save
                                    wrote, or /var/lib/xen/qemu-save.DOMID

When it does not start, look into /var/log/xen/qemu-dm-GUEST.log: what a configuration asks for and
stubdm does not have is told there in one message with all settings to change. The first line tells
what the guest is made of. Disks are raw, or what qemu-nbd (package qemu-utils) understands; hda to
hdd (or xvda to xvdd) are IDE disks until the guest's PV drivers take over, later ones are for PV
drivers alone.

One option of our own, given by xl.cfg:
  device_model_args_hvm = [ "-spin", "off" ]
  -spin auto|off|MICROSECONDS       how long to look for the guest's next request before sleeping:
                                    auto (as long as that pays, the default), never, or always 1 to
                                    1000 us. Spinning answers sooner and takes a CPU of dom0
                                    meanwhile

A card on an interface of the host instead of a bridged tap, likewise:
  -netdev packet,id=D,ifname=eth1   shared by a packet socket; the guest's card is a second station
                                    on it

Options understood, as libxl 4.17 writes them:
  -xen-domid N                      the guest (needed)
  -name NAME  -m MIB                for the log
  -smp A[,maxcpus=M]                vCPUs online and possible, 1 to 128
  -machine xenfv | pc,accel=xen     with or without the xen-platform device
  -machine xenpv                    no machine: consoles and disks of a PV domain, such as a stub
                                    domain
  -machine none                     no guest and no Xen: questions on the QMP socket are answered
                                    until quit
  -boot order=cda                   up to three of a, c, d, n
  -no-acpi                          no power management function
  -S                                wait for QMP's cont
  -serial pty|null|stdio|none|file:PATH|pipe:PATH|/dev/TTY
  -serial unix:PATH,server,nowait|tcp:HOST:PORT,server,nowait
  -drive file=PATH,if=ide,index=0..3,media=disk,format=FORMAT[,readonly=on][,cache=none]
                                    FORMAT is raw, host_device, qcow, qcow2, qed, vdi, vhdx, vmdk or
                                    vpc; PATH may be nbd:unix:PATH, nbd:HOST:PORT or a URI nbd://,
                                    nbd+unix://
  -chardev socket,id=C,path=PATH|fd=F,server=on,wait=off with -mon chardev=C,mode=control      QMP
  -xen-domid-restrict  -chroot DIR  -runas USER|UID:GID       privileges given up after the start
  -run-with chroot=DIR|user=USER    the same, as libxl 4.20 writes it
  -device rtl8139|e1000,netdev=D,mac=M[,romfile=FILE] with -netdev tap,id=D,ifname=NAME|fd=F
                                    up to eight cards; the ROM to boot from the network is Debian's
                                    (ipxe-qemu) where installed
  -device VGA|cirrus-vga[,vgamem_mb=MIB][,xres=X,yres=Y][,romfile=FILE]
                                    both are the standard VGA card; its BIOS is Debian's (seabios)
  -vnc HOST:DISPLAY|unix:PATH[,password=on][,to=DISPLAY][,websocket=PORT]
                                    where viewers of the screen connect; stubdm-display, beside this
                                    program, shows it to them
  -k LAYOUT                         of viewers' keyboards that send no scan codes: de, en-us, fr
  -device ide-cd,id=D,drive=D,bus=ide.0|ide.1,unit=0|1
                                    with -drive if=none,id=D[,file=PATH,format=raw]
  -usb | -device piix3-usb-uhci     a USB controller with two ports
  -usbdevice tablet|mouse|keyboard  and what is plugged into it, at most two; or
                                    -device usb-tablet|usb-mouse|usb-kbd
  -kernel FILE  [-initrd FILE]  [-append TEXT]
                                    a Linux kernel of this host (bzImage), started instead of what
                                    is on the disk
  -incoming fd:F                    the state of a saved guest
Taken and without effect: -no-shutdown -nodefaults -no-user-config -xen-attach -nographic
  -display none -net none -device xen-pvdevice
Shown by VNC instead: -sdl -spice -display sdl|gtk
The guest starts without: -soundhw, and sound cards by -device
By hand, without effect: -audio -audiodev -disable-audio-rec -debugcon -rtc -no-hpet -cpu -uuid
  -smbios -acpitable -bios -no-fd-bootchk -msg; -monitor none, -parallel none, -vga beside a card
  of that kind, -global of such devices. A second -boot order= counts
Refused, with the setting to change: -object

  --help (-h), --version

Environment: XEN_QEMU_CONSOLE_LIMIT, the bytes that the log may have, and each console of -machine
  xenpv that is in a file (1048576 when it is not set); 0 for no limit.

SIGHUP is how xl destroy ends the device model. SIGTERM and SIGINT make written data durable and
crash the guest, which could not go on alone (on_crash= in xl.cfg). Exit status: 0 after these, and
after a guest's end; 1 when the guest cannot be served.
With --check: 0 when all is well, 1 when something must change, 2 when the file cannot be read or
parsed.
The manual page stubdm(8) tells more.
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
