# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by lib.sh. A guest that goes on in another domain.

# What is typed before the guest's driver has begun its port anew is thrown away by that driver.
answers() {
  type_line "$1" ''
  pause 2
  heard "$1" '# '
}
# await_answer GUEST: after it was restored or has moved
await_answer() {
  await 180 "the shell of $1 to answer" answers "$1"
  type_line "$1" "echo nothing mo''re"
  expect "$1" 60 $'nothing more\n'
  expect "$1" 30 '# '
}

# save GUEST FILE [xl save's options]
save() {
  xl save "${@:3}" "$1" "$2" >> "$(xl_log "$1")" 2>&1 || fail "xl save failed; see xl.log"
}
# restore GUEST FILE: nobody is at its console yet
restore() {
  xl restore "$2" >> "$(xl_log "$1")" 2>&1 || fail "xl restore failed; see xl.log"
}

# keep_state: what the next xl save writes for the devices gets a second name, since libxl removes
# the file as soon as it has read it
kept_state=/var/lib/xen/kept-state
keep_state() {
  rm -f "$kept_state"
  (until ln /var/lib/xen/qemu-save.* "$kept_state" 2> /dev/null; do sleep 0.02; done) &
  keeper=$!
  disown "$keeper"
}
# state_size: of what was kept, in bytes
state_size() {
  kill "$keeper" 2> /dev/null || true
  stat -c %s "$kept_state" && rm "$kept_state"
}

# migrate GUEST [xl migrate's options]: to dom0 itself
migrate() {
  xl migrate "${@:2}" -s '' "$1" 'xl migrate-receive' >> "$(xl_log "$1")" 2>&1
}

# check_migration GUEST: it moves, and nothing is left of where it was
check_migration() {
  local id began
  id=$(domid "$1")
  began=$(now)
  migrate "$1" || fail "xl migrate failed; see xl.log"
  [[ $(domid "$1") != "$id" ]] || fail "the guest has not moved"
  detach "$1"
  check_nothing_left "$(domid "$1")"
  attach "$1"
  await_answer "$1"
  say "ok: migrated to this host in $(since "$began") s"
}

# begin_pings GUEST ADDRESS: ten a second, until process $pinger is killed; the moments of the
# answers go to a file, which may be begun anew
begin_pings() {
  local answers=$state/$1/answers
  rm -f "$answers"
  (while sleep 0.1; do
    ping -q -c 1 -W 1 "$2" > /dev/null && cut -d ' ' -f 1 /proc/uptime
  done) >> "$answers" 2> /dev/null &
  pinger=$!
  disown "$pinger"
}

# longest_silence GUEST: between two answers, in ms
longest_silence() {
  awk 'NR > 1 && $1 - last > most { most = $1 - last }
    { last = $1 }
    END { printf "%d", most * 1000 }' "$state/$1/answers"
}
