# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC1091,SC2154
# limit 900
# boot="d": the BIOS starts from a CD-ROM, whose boot loader reads the kernel and the initramfs from
# it; then the files of the mounted disc.
. /lab/disk/cd.info # cd_sha256

scenario() {
  guest_config guest /lab/disk/first.img 'boot="d"' \
    'disk=["/lab/disk/first.img,raw,hda,rw","/lab/disk/cd.iso,raw,hdc,ro,cdrom"]'
  boot_guest guest 600
  in_guest guest 20 "cat /proc/cmdline" || fail "a command in the guest failed"
  [[ $said == *"from=cd"* ]] || fail \
    "the guest did not boot from the CD-ROM; its command line is $said"
  say "ok: booted from the CD-ROM: ${said//$'\n'/; }"
  in_guest guest 60 "tools; insmods" || fail "the guest cannot unpack its tools: $said"
  in_guest guest 60 "mkdir /cd; mount -t iso9660 -o ro /dev/sr0 /cd" ||
    fail "the guest cannot mount the disc: $said"
  in_guest guest 120 "cd /cd; sha256sum vmlinuz guest.xz numbers | sha256sum; cd /" ||
    fail "reading the disc's files failed: $said"
  [[ ${said%% *} == "$cd_sha256" ]] || fail \
    "the disc's files read in the guest are not those that were put there: $said"
  ! in_guest guest 20 "mount -o remount,rw /cd && touch /cd/new" ||
    fail "the guest wrote to a CD-ROM"
  in_guest guest 20 "umount /cd" || fail "the guest cannot unmount the disc: $said"
  say "ok: the files of the mounted disc have the right sha256"
  power_off guest
  check_nothing_left
}
