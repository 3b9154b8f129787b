# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# Two vCPUs, three disks, a CD-ROM drive and two network cards in one guest, all of them used at
# once. In a stub domain also: what is left of its memory.

scenario() {
  local disk disks tap salts=("$(new_salt)" "$(new_salt)")
  local third=$state/third.img disc=$state/disc.iso
  dd if=/lab/disk/first.img of="$third" bs=1M skip=50 count=8 2> /dev/null
  dd if=/lab/disk/first.img of="$disc" bs=1M skip=60 count=2 2> /dev/null
  stub_memory[stubdom]=28
  disks="\"/lab/disk/first.img,raw,hda,rw\",\"/lab/disk/second.img,raw,hdb,rw\""
  disks+=",\"$disc,raw,hdc,ro,cdrom\",\"$third,raw,hdd,rw\""
  tap='model=e1000,type=ioemu,bridge=xenbr0,mac=00:16:3e:00:00'
  guest_config guest /lab/disk/first.img 'vcpus=2' 'memory=384' "disk=[$disks]" \
    "vif=[\"$tap:0b\",\"$tap:0c\"]"
  boot_guest guest 400
  in_guest guest 60 "tools; insmods" || fail "the guest cannot unpack its tools: $said"
  in_guest guest 20 "cat /sys/devices/system/cpu/online" && [[ $said == 0-1 ]] ||
    fail "the guest does not have two CPUs: $said"
  find_drives guest
  [[ "$hda $hdb $hdc $hdd" =~ ^sd.\ sd.\ sr0\ sd.$ ]] ||
    fail "the guest sees as masters and slaves: $hda $hdb, $hdc $hdd"
  check_both_cards
  check_all_at_once "$third" "$disc"
  check_written guest "$hda" "${salts[0]}"
  check_written guest "$hdb" "${salts[1]}"
  [[ $dm != stubdom ]] || check_memory
  power_off guest
  check_nothing_left
  check_image /lab/disk/first.img "${salts[0]}"
  check_image /lab/disk/second.img "${salts[1]}"
}

check_both_cards() {
  in_guest guest 30 "ip link set eth0 down; ip link set eth1 up;" \
    "ip addr add 10.0.0.12/24 dev eth1; ping -c 3 10.0.0.1" ||
    fail "the second card does not reach dom0: $said"
  in_guest guest 30 "ip addr flush dev eth1; ip link set eth0 up; ping -c 3 10.0.0.1" ||
    fail "the first card does not reach dom0: $said"
  say "ok: two cards"
}

# check_all_at_once THIRD DISC: three disks, the disc and the network
check_all_at_once() {
  local sums
  in_guest guest 20 "(iperf3 -s > /tmp/iperf 2>&1) & sleep 1" ||
    fail "iperf3 does not start in the guest"
  in_guest guest 20 "(sha256sum /dev/${hda}2 /dev/${hdb}2 > /tmp/0) &" \
    "(sha256sum /dev/${hdd} > /tmp/1; sha256sum /dev/${hdc} > /tmp/2; wait) & true" ||
    fail "the guest cannot read: $said"
  iperf 60 -c 10.0.0.11 -t 5 > /dev/null || fail "iperf3 failed"
  iperf 60 -c 10.0.0.11 -t 5 -R > /dev/null || fail "iperf3 -R failed"
  in_guest guest 240 'until [ "$(cat /tmp/0 /tmp/1 /tmp/2 2> /dev/null | wc -l)" = 4 ]; do' \
    'sleep 0.5; done; cut -c 1-64 /tmp/0 /tmp/1 /tmp/2' ||
    fail "reading does not come to an end: $said"
  sums="$data_sha256"$'\n'"$data_sha256"$'\n'"$(hash_of < "$1")"$'\n'"$(hash_of < "$2")"
  [[ $said == "$sums" ]] || fail "read at once, the disks and the disc have the sums $said;" \
    "they hold $sums"
  say "ok: three disks and a disc read at once, with traffic both ways"
}

check_memory() {
  local log=/var/log/xen/qemu-dm-guest.log
  ! grep -i 'out of memory\|oom\|allocation failure' "$log" ||
    fail "the stub domain ran out of memory"
  row stub_memory MiB "$(xl list "$(stub_of "$(domid guest)")" | awk 'NR == 2 { print $3 }')"
  row stub_memory_free KiB "$(sed -n 's/.*: running; \([0-9]*\) of .*/\1/p' "$log")"
}
