# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# Random writes of 512 bytes to 1 MiB, past the page cache and through it, on three disks at once:
# master and slave of one channel and the master of the other. What the guest reads afterwards from
# the disks, and what dom0 finds in the images, is what was written.

seconds=40
places=("97 32" "97 32" "0 32") # FIRST_MIB MIB on each: not over anything that is needed

scenario() {
  local third=$state/third.img at mib i disks
  truncate -s 32M "$third"
  images=(/lab/disk/first.img /lab/disk/second.img "$third")
  guest_config guest "${images[0]}" \
    "disk=[\"${images[0]},raw,hda,rw\",\"${images[1]},raw,hdb,rw\",\"${images[2]},raw,hdc,rw\"]" \
      'memory=384'
  boot_guest guest
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  find_drives guest
  disks=("$hda" "$hdb" "$hdc")
  for i in 0 1 2; do
    read -r at mib <<< "${places[i]}"
    in_guest guest 20 "(scribble run $(new_salt) $seconds /dev/${disks[i]} $at $mib 2>" \
      "/tmp/said.$i > /tmp/area.$i; echo \$? > /tmp/status.$i) & sleep 0.1" ||
      fail "the guest cannot write to ${disks[i]}: $said"
  done
  for i in 0 1 2; do check_disk "$i" "${disks[i]}"; done
  power_off guest
  for i in 0 1 2; do
    read -r at mib <<< "${places[i]}"
    [[ $(dd if="${images[i]}" bs=1M skip="$at" count="$mib" 2> /dev/null |
      hash_of) == "${wanted[i]}" ]] ||
      fail "dom0 does not find in ${images[i]} what was written to ${disks[i]}"
  done
  say "ok: dom0 finds the same in all three images"
  check_nothing_left
}

# check_disk NUMBER DISK: it has verified every sector itself; the hash of what the area must hold
# is kept for the image
check_disk() {
  in_guest guest 300 "until [ -s /tmp/status.$1 ]; do sleep 0.5; done; cat /tmp/said.$1;" \
    "sha256sum < /tmp/area.$1; rm /tmp/area.$1; [ \"\$(cat /tmp/status.$1)\" = 0 ]" ||
    fail "on $2: $said"
  [[ $said =~ ([0-9]+)\ writes.*$'\n'([0-9a-f]{64}) ]] || fail "on $2: $said"
  ((BASH_REMATCH[1] >= 20)) || fail "only ${BASH_REMATCH[1]} writes to $2 in $seconds s"
  wanted[$1]=${BASH_REMATCH[2]}
  say "ok: ${said%%$'\n'*}"
}
