# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# Two guests at once, each with a device model of its own, both reading and writing at the same
# time. One goes on when the other ends.

scenario() {
  local guest salts=("$(new_salt)" "$(new_salt)")
  guest_config guest /lab/disk/first.img
  guest_config other /lab/disk/second.img
  for guest in guest other; do create "$guest" "$dm"; done
  [[ $(server_of "$(domid guest)") != "$(server_of "$(domid other)")" ]] ||
    fail "one device model serves both"
  for guest in guest other; do await_init "$guest" 500; done
  for guest in guest other; do
    await_ready "$guest"
    log_in "$guest"
  done
  in_guest guest 20 "(sha256sum /dev/sda2 > /tmp/sum; echo > /tmp/done) & true" ||
    fail "the guest cannot read: $said"
  check_read other sda
  in_guest guest 120 'until [ -e /tmp/done ]; do sleep 0.2; done; cat /tmp/sum' ||
    fail "the guest does not come to an end: $said"
  [[ ${said%% *} == "$data_sha256" ]] || fail \
    "what the guest read while the other did is wrong: $said"
  say "ok: both read at the same time, with the right sha256"
  check_written guest sda "${salts[0]}"
  check_written other sda "${salts[1]}"
  power_off guest
  in_guest other 20 true || fail "the other guest suffers from the end of the first"
  check_read other sda
  say "ok: the other guest goes on"
  power_off other
  check_nothing_left
  check_image /lab/disk/first.img "${salts[0]}"
  check_image /lab/disk/second.img "${salts[1]}"
}
