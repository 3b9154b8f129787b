# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 700
# kernel=, ramdisk= and cmdline=: files of dom0 instead of the boot loader on the guest's disk, with
# a disk and without one; what is no kernel is refused before the guest runs.

scenario() {
  start_from /lab/disk/boot
  check_refused
}

start_from() {
  local arguments
  arguments="$(< "$1/arguments") from=dom0"
  guest_config guest /lab/disk/first.img "kernel=\"$1/vmlinuz\"" "ramdisk=\"$1/guest.xz\"" \
    "cmdline=\"$arguments\""
  cat "$1"/* > /dev/null # from memory for everyone
  create guest "$dm"
  expect guest 400 'guest init '
  row kernel_create_to_init s "$(since "$created_at")"
  row kernel_cpu_to_init s "$(cpu_of "$(server_of "$(domid guest)")")"
  await_ready guest
  log_in guest
  in_guest guest 20 "cat /proc/cmdline" || fail "a command in the guest failed"
  [[ $said == *from=dom0* ]] || fail "the guest has the command line $said"
  say "ok: started with dom0's command line: ${said//$'\n'/; }"
  in_guest guest 60 "head -c 1048576 /dev/sda | wc -c" ||
    fail "the guest cannot read its disk: $said"
  [[ $said == 1048576 ]] || fail "the guest read of its disk: $said"
  power_off guest
  check_nothing_left
  guest_config guest /lab/disk/first.img "kernel=\"$1/vmlinuz\"" "ramdisk=\"$1/guest.xz\"" \
    "cmdline=\"$arguments\"" 'disk=[]'
  boot_guest guest
  say "ok: started without a disk"
  power_off guest
  check_nothing_left
}

check_refused() {
  local log=/var/log/xen/qemu-dm-guest.log
  [[ $dm != qemu ]] || return 0
  local program
  program=$(device_model "$dm")
  guest_config guest /lab/disk/first.img 'kernel="/lab/disk/cd.info"'
  echo "device_model_override=\"$program\"" >> "$state/guest/cfg"
  ! xl create "$state/guest/cfg" > "$(xl_log guest)" 2>&1 || fail "a text was started as a kernel"
  grep -q 'no Linux kernel' "$log" || fail "$log does not say what is wrong: $(< "$log")"
  say "ok: what is no kernel is refused: $(grep 'no Linux kernel' "$log")"
  check_nothing_left
}
