# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# limit 3600
# As `net` sends files, but of 50 MiB, and with MTU 9000.
. /lab/scenarios/net.sh

scenario() {
  kib=$((50 * 1024))
  patience=600
  guest_config guest /lab/disk/first.img "vif=[\"model=e1000,type=ioemu,bridge=xenbr0,mac=$mac\"]" 'memory=384'
  create guest "$dm"
  await_init guest
  await_ready guest
  log_in guest
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  check_files
  check_jumbo
  type_line guest poweroff
  await 60 "xl destroying the guest after poweroff" gone guest
  check_nothing_left
}
