# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC1091,SC2154
# limit 700
# A CD-ROM drive: the disc that was there at the start, xl cd-eject, xl cd-insert of another one; a
# mounted disc, whose tray the guest has locked and which nobody gets out; the tray opened by the
# guest. For a guest whose device model is in a stub domain libxl 4.17 changes no disc: it says so,
# and the disc stays.
. /lab/disk/cd.info # cd_sha256

scenario() {
  make_disc one 33
  make_disc two 40
  guest_config guest /lab/disk/first.img \
    "disk=[\"/lab/disk/first.img,raw,hda,rw\",\"$state/one.iso,raw,hdc,ro,cdrom\"]"
  boot_guest guest
  in_guest guest 60 "tools; insmods" || fail "the guest cannot unpack its tools: $said"
  check_disc one
  check_tray
  if in_stub_domain "$dm" && [[ -d /usr/lib/xen-4.17 ]]; then check_refused; else check_changes; fi
  power_off guest
  check_nothing_left
}

check_changes() {
  eject
  check_empty
  say "ok: xl cd-eject"
  insert "$state/two.iso"
  check_disc two
  insert /lab/disk/cd.iso
  check_mounted
  in_guest guest 20 "probe tray /dev/sr0 open" || fail "the guest cannot open the tray again: $said"
  insert "$state/two.iso"
  check_disc two
  say "ok: an open tray takes another disc"
}

check_refused() {
  local before
  before=$(wc -l < "$(xl_log guest)")
  ! xl cd-eject guest hdc >> "$(xl_log guest)" 2>&1 || fail "xl cd-eject says that it worked"
  ! xl cd-insert guest hdc "$state/two.iso" >> "$(xl_log guest)" 2>&1 ||
    fail "xl cd-insert says that it worked"
  tail -n "+$((before + 1))" "$(xl_log guest)" | grep -q 'stub domains' ||
    fail "libxl does not say that it is for the stub domain"
  check_disc one
  say "ok: libxl refuses to change the disc, which stays"
}

# make_disc NAME MIB: 4 MiB of the guest's known data, from there on
make_disc() { dd if=/lab/disk/first.img of="$state/$1.iso" bs=1M skip="$2" count=4 2> /dev/null; }

eject() {
  xl cd-eject guest hdc >> "$(xl_log guest)" 2>&1 ||
    fail "xl cd-eject failed; its words are in xl.log"
  pause 1
}
insert() {
  xl cd-insert guest hdc "$1" >> "$(xl_log guest)" 2>&1 ||
    fail "xl cd-insert failed; its words are in xl.log"
  pause 1
}

check_disc() {
  local wanted
  wanted=$(hash_of < "$state/$1.iso")
  in_guest guest 60 "echo 3 > /proc/sys/vm/drop_caches; blockdev --getsize64 /dev/sr0;" \
    "sha256sum /dev/sr0" || fail "reading disc $1 failed: $said"
  [[ $said == 4194304$'\n'"$wanted"* ]] || fail "disc $1 reads as $said, not as $wanted"
  say "ok: disc $1 reads with the right sha256"
}

check_empty() {
  ! in_guest guest 30 "dd if=/dev/sr0 of=/dev/null bs=2048 count=1" ||
    fail "the guest reads from a drive without a disc"
  in_guest guest 20 "probe tray /dev/sr0" && [[ $said == open || $said == empty ]] ||
    fail "the drive says of its tray: $said"
}

check_files() {
  in_guest guest 120 "echo 3 > /proc/sys/vm/drop_caches; cd /cd;" \
    "sha256sum vmlinuz guest.xz numbers | sha256sum; cd /" ||
    fail "reading the disc's files failed: $said"
  [[ ${said%% *} == "$cd_sha256" ]] || fail \
    "the disc's files read in the guest are not those that were put there: $said"
}

mount_disc() { in_guest guest 60 "mount -t iso9660 -o ro /dev/sr0 /cd"; }

# While it is mounted the door is locked: neither xl nor the guest gets the disc out, and its files
# stay readable. The drive reports to the guest that somebody wants the disc; what runs there may
# then give it up. This one does not.
check_mounted() {
  in_guest guest 20 "mkdir /cd" || true
  mount_disc || { [[ $dm == qemu ]] && say "QEMU fails a read of the new disc" && mount_disc; } ||
    fail "the guest cannot mount the disc: $said"
  check_files
  in_guest guest 20 "echo 500 > /sys/block/sr0/events_poll_msecs; (uevent env > /tmp/events 2>&1)" \
    "& sleep 1" || true
  ! xl cd-eject guest hdc >> "$(xl_log guest)" 2>&1 ||
    fail "xl cd-eject took a disc from a locked drive"
  ! xl cd-insert guest hdc "$state/one.iso" >> "$(xl_log guest)" 2>&1 ||
    fail "xl cd-insert changed the disc of a locked drive"
  in_guest guest 30 'i=0; until grep -q DISK_EJECT_REQUEST /tmp/events; do i=$((i + 1));' \
    '[ $i -lt 50 ] || break; sleep 0.2; done; grep -c DISK_EJECT_REQUEST /tmp/events' ||
    fail "the drive did not tell the guest that its disc is wanted: $said"
  ! in_guest guest 20 "probe tray /dev/sr0 open" ||
    fail "the guest opened the tray under a mounted disc"
  in_guest guest 20 "probe tray /dev/sr0" && [[ $said == disc ]] ||
    fail "the drive with the mounted disc says of its tray: $said"
  check_files
  say "ok: a mounted disc stays: xl cd-eject and cd-insert fail, the guest hears of them, its" \
    "files read as before"
  in_guest guest 20 "killall uevent; umount /cd" || fail "the guest cannot unmount the disc: $said"
  eject
  check_empty
  insert "$state/one.iso"
  check_disc one
  say "ok: after umount xl cd-eject and cd-insert change the disc"
}

# The disc is still in the open tray; closing it brings it back.
check_tray() {
  in_guest guest 20 "probe tray /dev/sr0 open" || fail "the guest cannot open the tray: $said"
  in_guest guest 20 "probe tray /dev/sr0" && [[ $said == open ]] ||
    fail "the drive with the open tray says: $said"
  in_guest guest 20 "probe tray /dev/sr0 close" || fail "the guest cannot close the tray: $said"
  check_disc one
  say "ok: the guest opens and closes the tray"
}
