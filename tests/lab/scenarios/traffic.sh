# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# What a guest with a disk and a card costs. From xl create to an answer to a ping; the device
# model's processor time while nothing is done; what a megabyte costs, by TCP into the guest and out
# of it, and read from its disk and written: bandwidth; per megabyte the device model's processor
# time, the guest's interrupts, and the events by which Xen calls the device model, as dom0 counts
# them; at last the device model's memory.
. "$here/meter.sh"

scenario() {
  guest_with_card
  boot_to_answer
  await_ready "$subject"
  log_in "$subject"
  idle_row
  in_guest "$subject" 60 tools || fail "the guest cannot unpack its tools: $said"
  in_guest "$subject" 20 "(iperf3 -s > /tmp/iperf 2>&1) & sleep 1" ||
    fail "iperf3 does not start in the guest"
  measure receive eth0 by_tcp
  measure transmit eth0 by_tcp -R
  prepare_dd fetch 64 if=/dev/sda2 of=/dev/null iflag=direct
  prepare_dd store 64 if=/dev/zero of=/dev/sda3 oflag=direct conv=fsync
  measure read ata by_dd fetch
  measure write ata by_dd store
  memory_rows
  power_off "$subject"
  check_nothing_left
}
