# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# Two guests at once in one dom0, one on the device model to be judged and one on Debian's QEMU.
# Neither disturbs the other.

scenario() {
  guest_config guest /lab/disk/first.img
  guest_config other /lab/disk/second.img
  create guest "$dm"
  create other qemu
  await_init guest 600
  log_in guest
  await_init other 600
  log_in other
  in_guest guest 20 "echo guest > /dev/console" || fail "a command in the guest failed"
  in_guest other 20 "echo other > /dev/console" || fail "a command in the other guest failed"
  xl list
  power_off guest
  in_guest other 20 true || fail "the other guest suffers from the end of the first"
  say "ok: the other guest goes on"
  check_nothing_left "$(domid other)"
}
