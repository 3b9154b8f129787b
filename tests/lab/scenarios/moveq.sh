# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# only stubdm qemu
# limit 2400
# xl migrate to this host while the guest writes to a qcow2 image and verifies each sector. Both
# device models exist at once then, and each locks the image: the old one has to let it go first. A
# target whose configuration does not fit fails, and the guest goes on with its image where it was.
# First with the emulated disk, then with PV drivers on a disk that the device model serves.

image=$state/guest.qcow2
place="97 16" # FIRST_MIB MIB that are written to

scenario() {
  moves_with sda 'xen_platform_pci=0'
  moves_with xvda 'xen_platform_pci=1'
}

# moves_with DISK LINE: a guest with this line in its configuration, whose disk has this name
moves_with() {
  rm -f "$image"
  qemu-img create -q -f qcow2 -b /lab/disk/first.img -F raw "$image"
  guest_config guest "$image" "disk=[\"$image,qcow2,hda,rw\"]" "$2"
  boot_guest guest
  [[ $ready == *"disk $1"* ]] || fail "the guest does not run on $1"
  begin_to_write "/dev/$1"
  check_migration guest
  check_still_writes
  if [[ $dm != qemu ]]; then
    check_failed_migration
    check_still_writes
  fi
  [[ $1 == sda ]] || check_checkpoint
  check_migration guest
  check_still_writes
  check_read guest "$1"
  check_all_is_there
  say "ok: a guest on $1 has moved"
}

# begin_to_write DISK: one run of verified writes after the other, until /tmp/stop is there
begin_to_write() {
  in_guest guest 60 "tools && dmesg -n 1" || fail "the guest cannot unpack its tools: $said"
  in_guest guest 20 "(until [ -e /tmp/stop ]; do scribble run $(new_salt) 5 $1 $place" \
    "> /tmp/area 2> /tmp/said || { mv /tmp/said /tmp/failed; break; }; echo >> /tmp/rounds; done;" \
    "touch /tmp/ended) & sleep 0.1" || fail "the guest cannot begin to write: $said"
  check_still_writes
}

# rounds of writes so far, in $count
rounds() {
  in_guest guest 60 "cat /tmp/failed 2> /dev/null; wc -l 2> /dev/null < /tmp/rounds || echo 0" ||
    fail "the guest does not answer: $said"
  [[ $said =~ ^[0-9]+$ ]] || fail "the guest's disk has failed: $said"
  count=$said
}
has_gone_further() { rounds && ((count > $1 + 1)); }
check_still_writes() {
  local count servers
  rounds
  await 300 "the guest to go on writing" has_gone_further "$count"
  servers=$(ps -o args | awk -v image="$image" '/qemu-nb[d]/ && index($0, image)' | wc -l)
  [[ $dm == qemu ]] || ((servers == 1)) || fail "the image has $servers servers"
  say "ok: it goes on writing, and reads what it wrote"
}

# A second serial port is what the target cannot have.
check_failed_migration() {
  local id
  id=$(domid guest)
  sed 's/^serial=.*/serial=["pty","pty"]/' "$state/guest/cfg" > "$state/guest/other.cfg"
  ! migrate guest -C "$state/guest/other.cfg" ||
    fail "a guest with one serial port has moved to one with two"
  [[ $(domid guest) == "$id" ]] || fail "the guest is another domain after a failed migration"
  await_answer guest
  say "ok: a migration that fails leaves the guest where it was"
}

check_checkpoint() {
  save guest /tmp/guest.save -c
  rm -f /tmp/guest.save
  await_answer guest
  check_still_writes
}

# The last round's sectors are in the image, as qemu-img reads it, and the image is sound.
check_all_is_there() {
  local wanted part=$state/part.raw first mib
  read -r first mib <<< "$place"
  in_guest guest 300 "touch /tmp/stop; until [ -e /tmp/ended ]; do sleep 0.5; done;" \
    "! cat /tmp/failed 2> /dev/null && sha256sum < /tmp/area" || fail "at last: $said"
  wanted=${said%% *}
  power_off guest
  check_nothing_left
  qemu-img check -q "$image" || fail "qemu-img finds faults in the image"
  qemu-img dd -f qcow2 -O raw bs=1M "skip=$first" "count=$((first + mib))" "if=$image" "of=$part" ||
    fail "qemu-img cannot read the image"
  [[ $(head -c "$((mib << 20))" "$part" | hash_of) == "$wanted" ]] ||
    fail "what the guest wrote last is not in the image"
  rm -f "$part"
  say "ok: dom0 finds in the image what the guest wrote"
}
