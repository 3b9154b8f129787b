# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# only stubdom
# A stub domain of 20 MiB: a guest of 512 MiB with a disk and a card, both busy for a minute.
# Measures what is left of the 20 MiB.

mac=00:16:3e:00:00:0b
address=10.0.0.11

scenario() {
  local stub log
  stub_memory[stubdom]=20
  guest_config guest /lab/disk/first.img 'memory=512' \
    "vif=[\"model=e1000,type=ioemu,bridge=xenbr0,mac=$mac\"]"
  create guest "$dm"
  stub=$(stub_of "$(domid guest)") || fail "the guest has no stub domain"
  row stub_memory MiB "$(xl list "$stub" | awk 'NR == 2 { print $3 }')"
  await_init guest
  await_ready guest
  log_in guest
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  check_load
  check_read guest sda
  log=/var/log/xen/qemu-dm-guest.log
  ! grep -v '^stubdm: \|^Grant table initialized' "$log" ||
    fail "the stub domain's kernel says more than it should"
  ! grep -i 'out of memory\|oom\|allocation failure' "$log" ||
    fail "the stub domain ran out of memory"
  row stub_memory_free KiB "$(sed -n 's/.*: running; \([0-9]*\) of .*/\1/p' "$log")"
  power_off guest
  check_nothing_left
}

check_load() {
  local report
  in_guest guest 20 "(while ! [ -e /tmp/enough ]; do dd if=/dev/sda2 of=/dev/null bs=64k" \
    "iflag=direct; dd if=/dev/sda2 of=/dev/sda3 bs=64k count=256 oflag=direct;" \
    "done > /dev/null 2>&1; echo > /tmp/ended) & (iperf3 -s > /tmp/iperf 2>&1) & sleep 1" ||
    fail "the guest cannot be kept busy: $said"
  report=$(iperf 60 -c "$address" -t 30 2>&1) || fail "iperf3: $report"
  report=$(iperf 60 -c "$address" -t 30 -R 2>&1) || fail "iperf3 -R: $report"
  in_guest guest 120 'echo > /tmp/enough; until [ -e /tmp/ended ]; do sleep 0.2; done' ||
    fail "the disk's load does not end: $said"
  say "ok: a minute of disk and network at once"
}
