# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 200
# Ends that nobody asked the guest about, while its BIOS is at work: xl destroy, destroy of a paused
# guest, SIGTERM and SIGINT to the device model.

scenario() {
  guest_config guest /lab/disk/first.img

  create guest "$dm"
  pause 3
  xl destroy guest || fail "xl destroy failed"
  check_nothing_left

  create guest "$dm"
  xl pause guest || fail "xl pause failed"
  xl destroy guest || fail "xl destroy of a paused guest failed"
  check_nothing_left

  create guest "$dm" -p
  xl destroy guest || fail "xl destroy of a guest that never ran failed"
  check_nothing_left

  if in_stub_domain "$dm"; then
    check_lost_stub
  else
    check_signal TERM
    check_signal INT
  fi
}

# A stub domain that is destroyed leaves a guest without a device model, which xl can still destroy.
check_lost_stub() {
  local id stub
  create guest "$dm"
  id=$(domid guest)
  stub=$(stub_of "$id") || fail "the guest has no stub domain"
  pause 3
  xl destroy "$stub" || fail "xl destroy of the stub domain failed"
  xl destroy guest >> "$(xl_log guest)" 2>&1 ||
    fail "xl destroy of a guest without its stub domain failed"
  check_nothing_left
}

check_signal() {
  local id pid
  create guest "$dm"
  id=$(domid guest)
  pid=$(dm_pid "$id")
  pause 3
  kill "-$1" "$pid" || fail "there is no device model to signal"
  await 10 "the end of the device model after SIG$1" ended "$pid"
  [[ -z $(ls /run/xen/qmp-*-"$id" 2>/dev/null) ]] ||
    fail "SIG$1 left a socket: $(ls /run/xen/qmp-*)"
  say "ok: SIG$1 ends the device model, and its sockets"
  if [[ $dm == qemu ]]; then
    # it leaves the guest alone
    xl destroy guest >> "$(xl_log guest)" 2>&1 ||
      await 20 "the end of the guest after SIG$1 and a failed xl destroy" gone guest
  else
    # a guest cannot go on alone: it is ended as crashed, and xl, which waits for that, does what
    # on_crash says (destroy, unless told otherwise)
    await 20 "the end of the guest after SIG$1" gone guest
    say "ok: SIG$1 to the device model ends the guest"
  fi
  check_nothing_left
}

ended() { [[ ! -e /proc/$1 ]] || grep -q '^State:.*Z' "/proc/$1/status"; }
