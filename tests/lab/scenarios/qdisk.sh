# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 600
# A guest with PV drivers whose PV disk and PV keyboard are the device model's own to serve: the
# BIOS boots from the emulated disk, the kernel unplugs it and goes on with the PV disk of the same
# image. Nobody waits for the keyboard.

backend() { xenstore-read "/local/domain/0/backend/$1/$2" 2> /dev/null; }
connected() { [[ $(backend "$1" "$2/state") == 4 ]]; }

scenario() {
  local salt id
  salt=$(new_salt)
  guest_config guest /lab/disk/first.img 'xen_platform_pci=1' 'vkb_device=1' \
    'disk=["/lab/disk/first.img,raw,hda,rw,backendtype=qdisk"]'
  create guest "$dm"
  id=$(domid guest)
  await_init guest
  await_ready guest
  [[ $ready == *"disk xvda"* ]] || fail "the guest does not run on a PV disk"
  connected qdisk "$id/768" || fail \
    "the disk's backend is in state $(backend qdisk "$id/768/state")"
  connected vkbd "$id/0" || fail "the keyboard's backend is in state $(backend vkbd "$id/0/state")"
  say "ok: disk and keyboard are connected; $(backend qdisk "$id/768/sectors") sectors"
  log_in guest
  in_guest guest 20 'dmesg | grep -c "Waiting for .* devices"' &&
    fail "the kernel waited for PV devices"
  say "ok: the kernel waited for nothing"
  in_guest guest 20 "cat /proc/partitions" || fail "a command in the guest failed"
  [[ $said != *sda* && $said != *hda* ]] || fail \
    "the emulated disk is still there after unplug: $said"
  in_guest guest 20 'cat /sys/block/xvda/queue/{write_cache,max_sectors_kb,max_segments}; dmesg |' \
    'grep "blkfront: xvda"' || true
  say "the guest's view: ${said//$'\n'/, }"
  check_read guest xvda
  check_written guest xvda "$salt"
  power_off guest
  check_nothing_left
  check_image /lab/disk/first.img "$salt"
}
