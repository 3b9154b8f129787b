# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 700
# only stubdm
# (libxl does not tell QEMU to pass discards on for an emulated disk)
# blkdiscard and fstrim give an image's blocks back, behind a file and behind a loop device; what
# was not discarded stays.

scenario() {
  local images=(/lab/disk/file.img /lab/disk/loop.img) loop
  for image in "${images[@]}"; do
    rm -f "$image"
    truncate -s 48M "$image"
  done
  loop=$(losetup -f --show "${images[1]}")
  guest_config guest /lab/disk/first.img \
    "disk=[\"/lab/disk/first.img,raw,hda,rw\",\"${images[0]},raw,hdb,rw\",\"$loop,raw,hdc,rw\"]"
  boot_guest guest
  in_guest guest 60 "tools; insmods" || fail "the guest cannot unpack its tools: $said"
  find_drives guest
  check_blkdiscard "$hdb" "${images[0]}"
  check_blkdiscard "$hdc" "${images[1]}"
  check_fstrim "$hdb" "${images[0]}"
  check_fstrim "$hdc" "${images[1]}"
  power_off guest
  losetup -d "$loop"
  check_nothing_left
  rm -f "${images[@]}"
}

# kib_of IMAGE: what it takes on the host. Twice, as what a loop device writes is a file's data only
# then.
kib_of() { sync && sync && echo $(($(stat -c %b "$1") / 2)); }

# check_blkdiscard DISK IMAGE: 16 MiB of data, of which 8 in the middle go
check_blkdiscard() {
  local before after wanted # $hda holds known data
  in_guest guest 20 "cat /sys/block/$1/queue/discard_max_bytes" ||
    fail "the guest knows no discards of $1"
  ((said > 0)) || fail "$1 offers no discards"
  in_guest guest 60 "dd if=/dev/${hda}2 of=/dev/$1 bs=1M count=16 2> /dev/null; sync" ||
    fail "writing to $1 failed: $said"
  before=$(kib_of "$2")
  ((before >= 16384)) || fail "16 MiB were written to $1, and ${2##*/} takes $before KiB"
  in_guest guest 60 "blkdiscard -o 4194304 -l 8388608 /dev/$1" ||
    fail "blkdiscard of $1 failed: $said"
  after=$(kib_of "$2")
  ((before - after >= 8192 - 64 && before - after <= 8192 + 64)) ||
    fail "8 MiB of $1 were discarded, and ${2##*/} took $before KiB, now $after"
  wanted=$({ dd bs=1M skip=33 count=4 && dd if=/dev/zero bs=1M count=8 &&
    dd bs=1M skip=8 count=4; } < /lab/disk/first.img 2> /dev/null | hash_of)
  in_guest guest 60 "echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/$1 bs=1M count=16 2> /dev/null" \
    "| sha256sum" || fail "reading $1 failed: $said"
  [[ ${said%% *} == "$wanted" ]] || fail \
    "$1 does not read as zeros where it was discarded and as before elsewhere"
  say "ok: blkdiscard of 8 MiB of $1: the image took $before KiB, now $after"
}

# check_fstrim DISK IMAGE: a file of 16 MiB comes and goes
check_fstrim() {
  local full after
  in_guest guest 60 "blkdiscard /dev/$1; mke2fs /dev/$1 > /dev/null && mkdir -p /mnt &&" \
    "mount -t ext4 /dev/$1 /mnt" || fail "no file system on $1: $said"
  in_guest guest 60 "dd if=/dev/${hda}2 of=/mnt/file bs=1M count=16 2> /dev/null; sync" ||
    fail "writing a file on $1 failed: $said"
  full=$(kib_of "$2")
  ((full >= 16384)) || fail "a file of 16 MiB was written to $1, and ${2##*/} takes $full KiB"
  in_guest guest 60 "rm /mnt/file; sync; fstrim /mnt && umount /mnt" ||
    fail "fstrim on $1 failed: $said"
  after=$(kib_of "$2")
  ((full - after >= 16384 - 256)) || fail \
    "after fstrim on $1 ${2##*/} takes $after KiB, before $full"
  say "ok: fstrim on $1: the image took $full KiB, now $after"
}
