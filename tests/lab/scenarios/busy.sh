# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 4000
# only stubdm stubdom
# What spinning buys and costs when two guests are busy at once: the same reading in both, with each
# policy; seconds until both are done, and processor time of both device models.

scenario() {
  local policy
  for policy in auto off 50; do
    measure "$policy"
  done
  check_nothing_left
}

# measure POLICY
measure() {
  local guest began before after pids=()
  for guest in guest other; do
    guest_config "$guest" "/lab/disk/$([[ $guest == guest ]] && echo first ||
      echo second).img" "device_model_args_hvm=[\"-spin\",\"$1\"]"
    boot_guest "$guest" 400
    pids+=("$(server_of "$(domid "$guest")")")
  done
  before=$(cpu_of_all "${pids[@]}")
  began=$(now)
  in_guest guest 20 "(dd if=/dev/sda2 of=/dev/null bs=4k count=2048 iflag=direct 2> /dev/null;" \
    "echo > /tmp/done) & true" || fail "the guest cannot read: $said"
  in_guest other 500 "dd if=/dev/sda2 of=/dev/null bs=4k count=2048 iflag=direct 2> /dev/null" ||
    fail "the other guest cannot read: $said"
  in_guest guest 500 'until [ -e /tmp/done ]; do sleep 0.1; done' ||
    fail "the guest does not come to an end: $said"
  row "busy_with_spin_$1" s "$(since "$began")"
  after=$(cpu_of_all "${pids[@]}")
  row "cpu_with_spin_$1" s "$(awk -v a="$before" -v b="$after" 'BEGIN { printf "%.2f", b - a }')"
  for guest in guest other; do xl destroy "$guest" || fail "xl destroy failed"; done
}

# cpu_of_all PID...: seconds, together
cpu_of_all() {
  local pid
  for pid in "$@"; do cpu_of "$pid" && echo; done | awk '{ sum += $1 } END { printf "%.2f", sum }'
}
