# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 800
# only stubdm qemu
# dm_restrict=1: before the guest runs the device model gives up root, the file system and all
# domains but its own; disk, card, pause, xl save, xl restore and end are as without. The empty
# directories in /run/xen stay: libxl never removes them.

scenario() {
  local id disk salt
  # as a host's administrator makes them (xl.cfg(5), dm_restrict)
  printf '%s\n' 'xen-qemuuser-range-base:x:131072:65534::/:/bin/false' \
    'xen-qemuuser-reaper:x:130000:65534::/:/bin/false' >> /etc/passwd
  salt=$(new_salt)
  # a device: the size of what is written to files is limited
  disk=$(losetup -f --show /lab/disk/first.img)
  guest_config guest "$disk" 'dm_restrict=1' \
    'vif=["model=e1000,type=ioemu,bridge=xenbr0,mac=00:16:3e:00:00:0c"]'
  create guest "$dm"
  id=$(domid guest)
  check_rights "$id"
  await_init guest
  await_ready guest
  log_in guest
  check_read guest sda
  check_written guest sda "$salt"
  in_guest guest 40 "ping -c 3 10.0.0.1" || fail "the guest cannot reach dom0: $said"
  xl pause guest && xl unpause guest || fail "xl pause and unpause failed"
  in_guest guest 20 "uname -r" || fail "the guest does not go on after a pause: $said"
  say "ok: disk, card and pause"
  check_saved "$salt"
  xl destroy guest || fail "xl destroy failed"
  check_nothing_left
  check_image "$disk" "$salt"
}

# check_saved SALT: what is written may have 256 KiB at most (RLIMIT_FSIZE), and QEMU's state has
# 200 KiB
check_saved() {
  local file=$state/saved
  save guest "$file"
  detach guest
  check_nothing_left
  restore guest "$file"
  rm "$file"
  attach guest
  await_answer guest
  check_rights "$(domid guest)"
  check_read guest sda
  check_written guest sda "$1"
  say "ok: xl save and xl restore"
}

# check_rights ID: of every process that libxl's device model consists of
check_rights() {
  local server pid uid=$((131072 + $1)) found=0
  server=$(dm_pid "$1")
  for pid in $(session_of "$server" | cut -d ' ' -f 1); do
    found=$((found + 1))
    [[ $(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status") == "$uid $uid $uid $uid" ]] ||
      fail "process $pid is not user $uid"
    [[ ! $(awk '/^(Gid|Groups):/ { for (i = 2; i <= NF; i++) if ($i != 65534) print $i }' \
      "/proc/$pid/status") ]] || fail "process $pid is in other groups than its own"
    [[ $(awk '/^Cap(Prm|Eff|Amb):/ { print $2 }' "/proc/$pid/status" |
      sort -u) == 0000000000000000 ]] || fail "process $pid has capabilities"
    [[ $(readlink "/proc/$pid/root") == */run/xen/qemu-root-$1 ]] ||
      fail "the root directory of process $pid is $(readlink "/proc/$pid/root")"
  done
  ((found)) || fail "there is no device model"
  say "ok: $found processes, user $uid, no capabilities, an empty root directory"
}
