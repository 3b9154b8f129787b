# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 600
# What one guest's life costs: from xl create to the first line of its init, and the device model's
# processor time from exec to just before the end, with a boot, a login, 64 MiB read and 7 MiB
# written in between.

scenario() {
  local server
  guest_config guest /lab/disk/first.img
  cat /lab/disk/first.img > /dev/null # from memory for everyone
  create guest "$dm"
  server=$(server_of "$(domid guest)")
  expect guest 400 'guest init '
  row create_to_init s "$(since "$created_at")"
  row cpu_to_init s "$(cpu_of "$server")"
  await_ready guest
  log_in guest
  check_read guest sda
  check_written guest sda "$(new_salt)"
  row cpu_of_life s "$(cpu_of "$server")"
  row life s "$(since "$created_at")"
  xl destroy guest || fail "xl destroy failed"
  check_nothing_left
}
