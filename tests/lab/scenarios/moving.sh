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

# The file of the devices' state is there for a moment only, while libxl reads it.
keep_state() {
  until ln /var/lib/xen/qemu-save.* "$state/devices" 2> /dev/null; do sleep 0.02; done
}

save_and_restore() {
  local began
  rm -f "$state/devices"
  keep_state &
  began=$(now)
  xl save "$subject" "$file" >> "$(xl_log "$subject")" 2>&1 || fail "xl save failed; see xl.log"
  row save_time s "$(since "$began")"
  kill %% 2> /dev/null || true
  [[ ! -e $state/devices ]] || row state_size bytes "$(stat -c %s "$state/devices")"
  detach "$subject"
  began=$(now)
  xl restore "$file" >> "$(xl_log "$subject")" 2>&1 || fail "xl restore failed; see xl.log"
  row restore_time s "$(since "$began")"
  rm -f "$file" "$state/devices"
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
