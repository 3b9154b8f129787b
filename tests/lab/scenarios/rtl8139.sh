# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# limit 900
# xl's default card, by a vif that names no model: Linux' 8139cp drives it in C+ mode. As `net`, but
# for what that driver does not know (ethtool -t, an MTU above 4096); registers, EEPROM and counters
# by ethtool.
. /lab/scenarios/net.sh

scenario() {
  guest_config guest /lab/disk/first.img "vif=[\"type=ioemu,bridge=xenbr0,mac=$mac\"]" \
    'memory=320'
  boot_guest guest
  [[ $ready == *"card eth0"* ]] || fail "the guest has no network card"
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  in_guest guest 20 'basename $(readlink /sys/class/net/eth0/device/driver)' &&
    [[ $said == 8139cp ]] || fail "eth0 is driven by '$said'"
  check_pings
  check_ethtool
  check_files
  check_iperf
  check_link
  check_promiscuous
  power_off guest
  check_nothing_left
}

check_ethtool() {
  in_guest guest 30 "ethtool -d eth0" || fail "ethtool -d: $said"
  in_guest guest 60 "ethtool -e eth0 length 2" && [[ $said == *"29 81"* ]] ||
    fail "ethtool -e does not show 8129h: $said"
  in_guest guest 30 "ethtool -S eth0" && [[ $said == *tx_ok* ]] || fail "ethtool -S: $said"
  in_guest guest 30 "ip link set eth0 down && ethtool -S eth0 > /dev/null && ip link set eth0 up" ||
    fail "ethtool -S of a closed interface: $said"
  ping -q -c 3 -W 10 "$address" > /dev/null || fail "no ping after the interface was down"
  say "ok: registers, EEPROM and counters by ethtool, of a closed interface too"
}
