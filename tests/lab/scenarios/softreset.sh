# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# Soft reset: the guest starts its own kernel anew with kexec. libxl saves the devices, makes the
# same domain anew with another device model, which loads them, and the guest goes on: a boot
# without a BIOS, in the same domain.

scenario() {
  local id server
  guest_config guest /lab/disk/first.img 'memory=320' \
    'vif=["model=e1000,type=ioemu,bridge=xenbr0,mac=00:16:3e:00:00:0b"]'
  boot_guest guest
  in_guest guest 60 "tools; insmods" || fail "the guest cannot unpack its tools: $said"
  in_guest guest 60 "mkdir /mnt && mount -t vfat -o ro /dev/sda1 /mnt &&" \
    "kexec -c -l /mnt/vmlinuz --initrd=/mnt/guest.xz --reuse-cmdline" ||
    fail "the guest cannot load its kernel: $said"
  check_read guest sda
  id=$(domid guest)
  server=$(server_of "$id")
  type_line guest "kexec -e"
  await 120 "another device model for the same domain" is_served_anew "$id" "$server"
  attach guest
  await_init guest
  await_ready guest
  [[ $ready == *"disk sda card eth0"* ]] || fail "the guest has other devices now: $ready"
  log_in guest
  [[ $(domid guest) == "$id" ]] || fail "the guest is another domain now"
  say "ok: a new kernel in the same domain, with another device model"
  check_read guest sda
  check_written guest sda "$(new_salt)"
  in_guest guest 40 "ping -c 3 10.0.0.1" || fail "the guest cannot reach dom0 any more: $said"
  power_off guest
  check_nothing_left
}

# is_served_anew ID OLD_SERVER
is_served_anew() {
  local now_serves
  now_serves=$(server_of "$1") && [[ $now_serves && $now_serves != "$2" ]] && has_tty "$1"
}
