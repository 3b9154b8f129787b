# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# only stubdm qemu
# A PV CD-ROM, which libxl leaves to the device model, read without a pause by two readers and with
# barriers, while xl cd-eject and xl cd-insert change its disc: the guest sees errors or a disc's
# bytes, no reader hangs, and the disc that is put in last reads as it should. Linux gives an HVM
# guest no PV CD-ROM: blkfront leaves what its own directory calls one to the emulated drive. So
# that node, the guest's own, is changed before the guest runs. What the backend's directory says
# stays.
backend() { xenstore-read "/local/domain/0/backend/qdisk/$id/5632/$1" 2> /dev/null; }
connected() { [[ $(backend state) == 4 ]]; }
sectors_are() { [[ $(backend sectors) == "$1" ]]; }

scenario() {
  local round
  # Discs of one letter: what is read is one of them, or it is nobody's.
  head -c 4194304 /dev/zero | tr '\0' A > "$state/a.iso"
  head -c 8388608 /dev/zero | tr '\0' B > "$state/b.iso"
  dd if=/lab/disk/first.img of="$state/last.iso" bs=1M skip=33 count=6 2> /dev/null
  guest_config guest /lab/disk/first.img 'xen_platform_pci=1' \
    "disk=[\"/lab/disk/first.img,raw,hda,rw\",\"$state/a.iso,raw,hdc,ro,cdrom\"]"
  create guest "$dm" -p
  id=$(domid guest)
  [[ $(backend device-type) == cdrom ]] || fail \
    "the device model is to serve no PV CD-ROM: $(xenstore-ls "/local/domain/0/backend/qdisk/$id" \
      2>&1)"
  xenstore-write "/local/domain/$id/device/vbd/5632/device-type" disk
  xl unpause guest
  await_init guest
  await_ready guest
  log_in guest
  await 30 "the PV CD-ROM's backend being connected" connected
  in_guest guest 20 "blockdev --getsize64 /dev/xvdc" || in_guest guest 20 "cat /proc/partitions" ||
    true
  [[ $said == 4194304 || $said == *4096\ xvdc* ]] ||
    fail "the guest has no PV CD-ROM of 4 MiB: $said"
  say "ok: a PV CD-ROM is connected; info $(backend info)"
  begin_load
  for round in 1 2 3 4 5; do
    change eject
    change insert "$state/b.iso" 16384
    change eject
    change insert "$state/a.iso" 8192
  done
  say "ok: five times out, in, out, in, under load"
  # The same with the guest stopped in the middle of what it asks.
  for round in 1 2 3; do
    xl pause guest
    change eject
    xl unpause guest
    xl pause guest
    xl unpause guest
    change insert "$state/b.iso" 16384
  done
  say "ok: while the guest was paused"
  end_load
  change eject
  change insert "$state/last.iso" 12288
  check_last
  power_off guest
  check_nothing_left
}

# begin_load: read all there is, again and again, in the guest's background; count rounds, errors,
# and bytes that no disc has
begin_load() {
  in_guest guest 20 '(while [ ! -e /tmp/enough ]; do echo 3 > /proc/sys/vm/drop_caches;' \
    'dd if=/dev/xvdc bs=64k 2> /tmp/dd.1 | tr -d AB | wc -c >> /tmp/foreign.1;' \
    'echo x >> /tmp/rounds.1; done) > /dev/null 2>&1 &' 'sleep 0.1' ||
    fail "the guest cannot begin to read: $said"
  in_guest guest 20 '(while [ ! -e /tmp/enough ]; do dd if=/dev/xvdc bs=4k count=64 skip=$(($(wc' \
    '-l < /tmp/rounds.1) % 16 * 64)) iflag=direct 2> /tmp/dd.2 | tr -d AB |' \
    'wc -c >> /tmp/foreign.2; sync; echo x >> /tmp/rounds.2; done) > /dev/null 2>&1 &' \
    'sleep 0.1' ||
    fail "the guest cannot begin to read: $said"
  pause 3
}

# change eject|insert [IMAGE SECTORS]
change() {
  local what=$1
  shift
  if [[ $what == eject ]]; then
    xl cd-eject guest hdc >> "$(xl_log guest)" 2>&1 ||
      fail "xl cd-eject failed; its words are in xl.log"
    await 20 "a drive without sectors" sectors_are 0
  else
    xl cd-insert guest hdc "$1" >> "$(xl_log guest)" 2>&1 ||
      fail "xl cd-insert failed; its words are in xl.log"
    await 20 "a disc of $2 sectors" sectors_are "$2"
  fi
  connected || fail "after cd-$what the PV CD-ROM's backend is in state $(backend state)"
  pause 0.$((RANDOM % 10))
}

end_load() {
  in_guest guest 90 'touch /tmp/enough; i=0; while ps | grep -q "[d]d if=/dev/xvdc"; do' \
    'i=$((i + 1)); [ $i -lt 300 ] || break; sleep 0.2; done; ps | grep "[d]d if=/dev/xvdc";' \
    'dmesg | grep -c "blocked for more"' || true
  [[ $said == 0 ]] || fail "a reader hangs, or hung: $said"
  in_guest guest 20 'wc -l < /tmp/rounds.1; wc -l < /tmp/rounds.2' ||
    fail "the readers counted nothing: $said"
  local first second
  read -r first second <<< "${said//$'\n'/ }"
  ((first > 5 && second > 5)) || fail "the readers came round $first and $second times only"
  say "ok: no reader hangs; they came round $first and $second times"
  in_guest guest 20 'cat /tmp/foreign.1 /tmp/foreign.2 | sort -rn | head -n 1' ||
    fail "the guest cannot count: $said"
  [[ $said == 0 ]] || fail "a reader got $said bytes that are no disc's"
  say "ok: all that they got was a disc's"
}

check_last() {
  local wanted
  wanted=$(hash_of < "$state/last.iso")
  in_guest guest 60 "echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/xvdc bs=1M 2> /dev/null |" \
    "sha256sum" || fail "reading the last disc failed: $said"
  [[ ${said%% *} == "$wanted" ]] || fail "the last disc reads as $said, not as $wanted"
  say "ok: the last disc reads with the right sha256"
}
