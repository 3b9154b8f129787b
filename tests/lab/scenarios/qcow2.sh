# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 600
# A guest with PV drivers on a qcow2 image over a raw one: the BIOS boots from the emulated disk,
# the kernel unplugs it and keeps the same image as a PV disk that the device model serves, as libxl
# wants for every image that is not raw.

scenario() {
  local salt image=$state/guest.qcow2 before
  salt=$(new_salt)
  before=$(hash_of < /lab/disk/first.img)
  qemu-img create -q -f qcow2 -b /lab/disk/first.img -F raw "$image"
  guest_config guest "$image" 'xen_platform_pci=1' "disk=[\"$image,qcow2,hda,rw\"]"
  boot_guest guest
  [[ $ready == *"disk xvda"* ]] || fail "the guest does not run on a PV disk"
  in_guest guest 20 "cat /proc/partitions" || fail "a command in the guest failed"
  [[ $said != *sda* && $said != *hda* ]] || fail \
    "the emulated disk is still there after unplug: $said"
  say "ok: the emulated disk is unplugged, its image goes on as PV disk"
  check_read guest xvda
  check_written guest xvda "$salt"
  power_off guest
  check_nothing_left
  qemu-img check -q "$image" || fail "qemu-img finds faults in the image"
  check_third_partition "$image" "$salt"
  [[ $(hash_of < /lab/disk/first.img) == "$before" ]] ||
    fail "something was written to the image below"
  say "ok: the image below is as it was"
}

# check_third_partition IMAGE SALT: the pattern is in the image, as qemu-img reads it
check_third_partition() {
  local part=$state/part.raw
  qemu-img dd -f qcow2 -O raw bs=1M skip=97 count=105 "if=$1" "of=$part" ||
    fail "qemu-img cannot read the image"
  # shellcheck disable=SC2086 # two words
  [[ $(dd $pattern_blocks < "$part" 2> /dev/null | hash_of) == "$(hash_of_pattern "$2")" ]] ||
    fail "what the guest wrote is not in the image"
  say "ok: dom0 finds in the image what the guest wrote"
}
