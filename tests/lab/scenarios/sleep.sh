# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 600
# only stubdm stubdom
# (with QEMU 7.2, whose way out of sleep resets every device, the guest comes back now and then, and
# never to its end) The guest goes to sleep (ACPI S3) and xl trigger s3resume wakes it: its disk,
# its card and its serial port go on.

scenario() {
  local id
  guest_config guest /lab/disk/first.img \
    'vif=["model=e1000,type=ioemu,bridge=xenbr0,mac=00:16:3e:00:00:0b"]' 'acpi_s3=1'
  boot_guest guest
  id=$(domid guest)
  in_guest guest 20 "cat /sys/power/state /sys/power/mem_sleep" ||
    fail "the guest cannot sleep: $said"
  say "the guest's choice: ${said//$'\n'/, }"
  check_read guest sda
  type_line guest "echo mem > /sys/power/state; echo awa''ke"
  pause 20
  ! heard guest awake || fail "the guest did not fall asleep"
  xl trigger guest s3resume || fail "xl trigger s3resume failed"
  expect guest 90 awake
  expect guest 30 '# '
  [[ $(domid guest) == "$id" ]] || fail "the guest is another domain now"
  say "ok: the guest slept and woke up"
  check_read guest sda
  in_guest guest 40 "ping -c 3 10.0.0.1" || fail \
    "the guest cannot reach dom0 after it woke up: $said"
  say "ok: disk and card go on"
  power_off guest
  check_nothing_left
}
