# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 500
# A CD-ROM drive: the disc that was there at the start, xl cd-eject, xl cd-insert of another one, and a tray that the guest has locked.

scenario() {
  make_disc one 33
  make_disc two 40
  guest_config guest /lab/disk/first.img "disk=[\"/lab/disk/first.img,raw,hda,rw\",\"$state/one.iso,raw,hdc,ro,cdrom\"]"
  create guest "$dm"
  await_init guest
  await_ready guest
  log_in guest
  in_guest guest 60 "tools; insmods" || fail "the guest cannot unpack its tools: $said"
  check_disc one
  xl cd-eject guest hdc >> "$(xl_log guest)" 2>&1 || fail "xl cd-eject failed; its words are in xl.log"
  pause 1
  ! in_guest guest 30 "dd if=/dev/sr0 of=/dev/null bs=2048 count=1" || fail "the guest reads from a drive without a disc"
  say "ok: xl cd-eject"
  xl cd-insert guest hdc "$state/two.iso" >> "$(xl_log guest)" 2>&1 || fail "xl cd-insert failed; its words are in xl.log"
  pause 1
  check_disc two
  type_line guest poweroff
  await 60 "xl destroying the guest after poweroff" gone guest
  check_nothing_left
}

# make_disc NAME MIB: 4 MiB of the guest's known data, from there on
make_disc() { dd if=/lab/disk/first.img of="$state/$1.iso" bs=1M skip="$2" count=4 2> /dev/null; }

check_disc() {
  local wanted
  wanted=$(hash_of < "$state/$1.iso")
  in_guest guest 60 "echo 3 > /proc/sys/vm/drop_caches; blockdev --getsize64 /dev/sr0; sha256sum /dev/sr0" || fail "reading disc $1 failed: $said"
  [[ $said == 4194304$'\n'"$wanted"* ]] || fail "disc $1 reads as $said, not as $wanted"
  say "ok: disc $1 reads with the right sha256"
}
