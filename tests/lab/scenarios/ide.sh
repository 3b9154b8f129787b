# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# An emulated IDE disk on a block device, and a serial port: boot, log in, read, write, pause,
# reboot, power off.

scenario() {
  local id server new_id new_server salt
  disk=$(losetup -f --show /lab/disk/first.img)
  salt=$(new_salt)
  guest_config guest "$disk"
  create guest "$dm"
  id=$(domid guest)
  server=$(server_of "$id")
  await_init guest
  await_ready guest
  [[ $ready == *"disk sda"* ]] || fail "the guest does not see an IDE disk"
  log_in guest
  in_guest guest 20 "uname -sr; cat /proc/cmdline" || fail "a command in the guest failed"
  say "guest: ${said//$'\n'/; }"
  check_read guest sda
  check_written guest sda "$salt"
  check_list "$id"
  [[ $dm == qemu || $dm == opponent ]] || check_inspect "$id"
  check_pause

  say "reboot, typed in the guest"
  created_at=$(now)
  type_line guest reboot
  await 60 "a new domain after reboot" renewed "$id"
  new_id=$(domid guest)
  attach guest
  await 60 "a device model for domain $new_id" server_of "$new_id" > /dev/null
  new_server=$(server_of "$new_id")
  [[ $new_server != "$server" ]] || fail "after reboot the device model is still $server"
  ! serves "$server" || fail "after reboot the old device model, $server, is still there"
  say "ok: domain $id with $server became domain $new_id with $new_server"
  await_init guest
  await_ready guest
  log_in guest

  say "poweroff, typed in the guest"
  power_off guest
  check_nothing_left
  check_image "$disk" "$salt"
}

renewed() { local id; id=$(domid guest) && [[ $id != "$1" ]] && has_tty "$id"; }

check_list() {
  local listed
  listed=$(xl list -l guest) || fail "xl list -l failed"
  [[ $listed == *"\"domid\": $1"* && $listed == *'"name": "guest"'* ]] ||
    fail "xl list -l does not describe the guest"
  say "ok: xl list -l describes the guest"
}

# What the device model itself says, wherever it is: its answers to the guest are counted, and the
# disk's 64 MiB
check_inspect() {
  local text bytes
  text=$(/usr/libexec/stubdm inspect "$1" --json) ||
    fail "stubdm inspect does not reach the device model"
  [[ $text =~ \"total\":([0-9]+) ]] && ((BASH_REMATCH[1] > 1000)) ||
    fail "stubdm inspect counts no requests: ${text:0:300}"
  bytes=$(grep -oE '"read_bytes":[0-9]+' <<< "$text" | head -n 1)
  ((${bytes##*:} > 64 << 20)) || fail "stubdm inspect says of the disk: $bytes"
  /usr/libexec/stubdm inspect "$1" > "$state/guest/inspect.txt" ||
    fail "stubdm inspect prints no text"
  say "ok: stubdm inspect: ${BASH_REMATCH[1]} requests, ${bytes##*:} bytes read"
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
