# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 300
# only stubdm
# Without any setting: what the process that reads a guest's bytes still has, while the guest's BIOS
# is at work. Then it is killed in three ways, and its supervisor in one: each time the guest ends
# as crashed at once, the log says why, and nothing is left.

scenario() {
  guest_config guest /lab/disk/first.img \
    'vif=["model=e1000,type=ioemu,bridge=xenbr0,mac=00:16:3e:00:00:0d"]' 'vkb_device=1'
  create guest "$dm"
  check_worker "$(domid guest)"
  die worker KILL 'died unexpectedly after [0-9]+ requests'
  create guest "$dm"
  die worker SEGV 'the device model is ended by SIGSEGV'
  create guest "$dm"
  die worker ABRT 'the device model is ended by SIGABRT'
  create guest "$dm"
  die supervisor KILL 'the supervisor was killed'
}

# check_worker ID
check_worker() {
  local id=$1 pid uid=$((0x70000000 + $1)) status
  pid=$(dm_pid "$id")
  status=/proc/$pid/status
  await 10 "the device model's filter" grep -q '^Seccomp:.*2' "$status"
  [[ $(awk '/^Uid:/ { print $2, $3, $4, $5 }' "$status") == "$uid $uid $uid $uid" ]] ||
    fail "process $pid is not user $uid"
  [[ ! $(awk -v own="$uid" '/^(Gid|Groups):/ {
      for (i = 2; i <= NF; i++) if ($i != own) print $i }' "$status") ]] ||
    fail "process $pid is in other groups than its own"
  [[ $(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { print $2 }' "$status" | sort -u) == \
    0000000000000000 ]] || fail "process $pid has capabilities, or a way to some"
  grep -q '^NoNewPrivs:.*1' "$status" || fail "process $pid may get new privileges"
  [[ ! $(ls -A "/proc/$pid/root/" 2> /dev/null) ]] ||
    fail "the root directory of process $pid has $(ls -A "/proc/$pid/root/")"
  [[ $(readlink "/proc/$pid/ns/net") != $(readlink /proc/self/ns/net) ]] ||
    fail "process $pid is in dom0's network"
  awk '/^Max core file size/ { exit $5 != 0 }' "/proc/$pid/limits" ||
    fail "process $pid may leave core files"
  say "ok: user $uid, no capabilities, no new privileges, an empty root, a network of its own," \
    "a filter of system calls"
}

# die worker|supervisor SIGNAL WORDS: with words in the log, a regular expression
die() {
  local id pid victim log=/var/log/xen/qemu-dm-guest.log
  id=$(domid guest)
  pid=$(dm_pid "$id")
  victim=$pid
  pause 2
  [[ $1 == worker ]] || victim=$(session_of "$pid" | cut -d ' ' -f 1 | grep -vx "$pid")
  kill "-$2" "$victim" || fail "there is no $1 to kill"
  await 30 "the end of the guest after SIG$2 to its $1" gone guest
  grep -qE "$3" "$log" || fail "the log does not say: $3"
  grep -q 'reason code 3' "/var/log/xen/xl-guest.log" || fail "xl was not told of a crash"
  check_nothing_left
  say "ok: SIG$2 to the $1: the guest ended as crashed, the log says '$3'"
}
