# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 200
# How long from exec of the device model to "running" in xenstore: five guests one after the other
# that stay paused, the first not counted. For a stub domain: from the readiness of its consoles'
# backend, after which it is unpaused.

scenario() {
  if in_stub_domain "$dm"; then start_stubs; else start_processes; fi
  check_nothing_left
}

start_stubs() {
  local i stub
  watch_stubs
  guest_config "$subject" "$images/first.img"
  for i in 0 1 2 3 4 5; do
    create "$subject" "$dm" -p
    stub=$(stub_of "$(domid "$subject")") || fail "the guest has no stub domain"
    await 5 "the time of 'running'" test -s "$state/running.$stub"
    ((i == 0)) || row unpause_to_running ms "$(exec_to_running "$stub")"
    xl destroy "$subject" || fail "xl destroy failed"
  done
}

start_processes() {
  local i id
  watch_running
  guest_config "$subject" "$images/first.img"
  for i in 0 1 2 3 4 5; do
    create "$subject" "$(stamped "$dm")" -p
    id=$(domid "$subject")
    await 5 "the time of 'running'" test -s "$state/running.$id"
    ((i == 0)) || row exec_to_running ms "$(exec_to_running "$id")"
    xl destroy "$subject" || fail "xl destroy failed"
  done
}
