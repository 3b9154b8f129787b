# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# only stubdm qemu stubdom stubdom-debian
# What it takes to move a guest that does nothing: xl save, xl restore, the size of the state of its
# devices, and for how long it does not answer a ping while xl migrate moves it to dom0 itself.
. "$here/meter.sh"

file=$state/saved

scenario() {
  guest_with_card
  boot_to_answer
  await_ready "$subject"
  log_in "$subject"
  save_and_restore
  migrate_and_ping
  power_off "$subject"
  check_nothing_left
}

save_and_restore() {
  local began
  keep_state
  began=$(now)
  save "$subject" "$file"
  row save_time s "$(since "$began")"
  row state_size bytes "$(state_size)"
  detach "$subject"
  began=$(now)
  restore "$subject" "$file"
  row restore_time s "$(since "$began")"
  rm -f "$file"
  attach "$subject"
  await 180 "the guest's shell to answer" answers "$subject"
}

migrate_and_ping() {
  begin_pings "$subject" "$address"
  pause 3
  migrate "$subject" || fail "xl migrate failed; see xl.log"
  detach "$subject"
  attach "$subject"
  await 180 "the guest's shell to answer" answers "$subject"
  pause 3
  kill "$pinger"
  row migration_silence ms "$(longest_silence "$subject")"
}
