# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 500
# How long from xl create to the first line of the guest's init: the BIOS reads the kernel through
# the device model.

scenario() {
  guest_config guest /lab/disk/first.img
  cat /lab/disk/first.img > /dev/null # from memory for everyone
  create guest "$dm"
  expect guest 400 'guest init '
  row create_to_init s "$(since "$created_at")"
  row cpu_to_init s "$(cpu_of "$(server_of "$(domid guest)")")"
  xl destroy guest || fail "xl destroy failed"
  check_nothing_left
}
