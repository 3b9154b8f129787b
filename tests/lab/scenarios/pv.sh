# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 600
# The same guest with its PV drivers, its disk a plain file: the BIOS boots from the emulated disk,
# then the kernel unplugs it and goes on with the PV disk and the PV network card.

scenario() {
  local salt
  salt=$(new_salt)
  guest_config guest /lab/disk/first.img 'xen_platform_pci=1' \
    'vif=["type=vif,bridge=xenbr0,mac=00:16:3e:00:00:0a"]'
  boot_guest guest
  [[ $ready == *"disk xvda card eth0"* ]] || fail \
    "the guest does not run on a PV disk and a PV card"
  in_guest guest 20 "cat /proc/partitions" || fail "a command in the guest failed"
  [[ $said != *sda* && $said != *hda* ]] || fail \
    "the emulated disk is still there after unplug: $said"
  say "ok: the emulated disk is unplugged"
  in_guest guest 20 'basename $(readlink /sys/class/net/eth0/device/driver)' &&
    [[ $said == vif ]] || fail "eth0 is not a PV card: $said"
  in_guest guest 30 "ping -c 3 10.0.0.1" || fail "the guest cannot reach dom0: $said"
  say "ok: the guest reaches dom0: ${said##*$'\n'}"
  ping -q -c 3 -W 5 10.0.0.10 > /dev/null || fail "dom0 cannot reach the guest"
  say "ok: dom0 reaches the guest"
  check_read guest xvda
  check_written guest xvda "$salt"
  power_off guest
  check_nothing_left
  check_image /lab/disk/first.img "$salt"
}
