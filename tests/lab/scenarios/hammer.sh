# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# Two guests on one host. The first, with two vCPUs, hammers ports and memory that nobody has while
# it reads its own disk; the second reads and writes its disk meanwhile. Neither is disturbed, and
# nothing is flooded.

scenario() {
  local salt log=/var/log/xen/qemu-dm-guest.log
  salt=$(new_salt)
  guest_config guest /lab/disk/first.img 'vcpus=2'
  guest_config other /lab/disk/second.img
  boot_guest guest 400
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  boot_guest other 400
  in_guest guest 20 "(probe hammer 40 > /tmp/hammered 2>&1; echo \$? >> /tmp/hammered) &" \
    "sleep 0.1" || fail "the guest cannot hammer: $said"
  check_read other sda
  check_written other sda "$salt"
  check_read guest sda
  in_guest guest 120 'until [ "$(wc -l < /tmp/hammered)" -ge 2 ]; do sleep 0.5; done;' \
    'cat /tmp/hammered' || fail "the hammering does not end: $said"
  [[ $said == *hammered*$'\n'0 ]] || fail "hammering: $said"
  say "ok: the guest ${said%%$'\n'*}"
  (($(stat -c %s "$log") < 65536)) || fail "the guest filled $log with $(stat -c %s "$log") bytes"
  say "ok: $(wc -l < "$log") lines in the device model's log"
  power_off other
  check_image /lab/disk/second.img "$salt"
  power_off guest
  check_nothing_left
}
