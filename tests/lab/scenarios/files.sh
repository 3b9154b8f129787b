# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# limit 3600
# As `net` sends files, but of 50 MiB, and with MTU 9000.
. /lab/scenarios/net.sh

scenario() {
  kib=$((50 * 1024))
  patience=600
  guest_config guest /lab/disk/first.img "vif=[\"model=e1000,type=ioemu,bridge=xenbr0,mac=$mac\"]" \
    'memory=384'
  boot_guest guest
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  check_files
  check_jumbo
  power_off guest
  check_nothing_left
}
