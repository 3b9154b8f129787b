# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# An emulated IDE disk on a block device, and a serial port: boot, log in, read, write, pause, reboot, power off.

scenario() {
  local id pid new_id new_pid salt
  disk=$(losetup -f --show /lab/disk/first.img)
  salt=$(new_salt)
  guest_config guest "$disk"
  create guest "$dm"
  id=$(domid guest)
  pid=$(dm_pid "$id")
  await_init guest
  await_ready guest
  [[ $ready == *"disk sda"* ]] || fail "the guest does not see an IDE disk"
  log_in guest
  in_guest guest 20 "uname -sr; cat /proc/cmdline" || fail "a command in the guest failed"
  say "guest: ${said//$'\n'/; }"
  check_read guest sda
  check_written guest sda "$salt"
  check_list "$id"
  check_pause

  say "reboot, typed in the guest"
  created_at=$(now)
  type_line guest reboot
  await 60 "a new domain after reboot" renewed "$id"
  new_id=$(domid guest)
  attach guest
  await 60 "a device model for domain $new_id" dm_pid "$new_id" > /dev/null
  new_pid=$(dm_pid "$new_id")
  [[ $new_pid != "$pid" ]] || fail "after reboot the device model is still process $pid"
  [[ ! -e /proc/$pid ]] || fail "after reboot the old device model, process $pid, is still there"
  say "ok: domain $id with process $pid became domain $new_id with process $new_pid"
  await_init guest
  await_ready guest
  log_in guest

  say "poweroff, typed in the guest"
  type_line guest poweroff
  await 60 "xl destroying the guest after poweroff" gone guest
  check_nothing_left
  check_image "$disk" "$salt"
}

renewed() { local id; id=$(domid guest) && [[ $id != "$1" ]] && has_tty "$id"; }

check_list() {
  local listed
  listed=$(xl list -l guest) || fail "xl list -l failed"
  [[ $listed == *"\"domid\": $1"* && $listed == *'"name": "guest"'* ]] || fail "xl list -l does not describe the guest"
  say "ok: xl list -l describes the guest"
}

# While paused nothing answers; afterwards what was typed meanwhile is answered.
check_pause() {
  xl pause guest || fail "xl pause failed"
  type_line guest "echo awa''ke"
  pause 2
  ! heard guest awake || fail "a paused guest answered"
  xl unpause guest || fail "xl unpause failed"
  expect guest 30 awake
  expect guest 30 '# '
  say "ok: xl pause stops the guest, xl unpause lets it go on"
}
