# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# only stubdm
# Three emulated cards in one guest: two on bridged taps, one on an interface of the host by packet
# socket. VLANs, IPv6, MTU 9000 and large frames on both kinds of backend, and a capture of what a
# guest's TSO becomes.

# the guest gives each card the address that the last byte of its MAC says
tap_card=10.0.0.11
packet_net=10.0.1

scenario() {
  local tap card cable
  ip link add lab0 type veth peer name lab1
  ip addr add $packet_net.1/24 dev lab0
  for link in lab0 lab1; do ip link set $link up; done
  tap='model=e1000,type=ioemu,bridge=xenbr0,mac=00:16:3e:00:00'
  card='"-device","e1000,id=nic2,netdev=shared,mac=00:16:3e:00:00:0d"'
  cable='"-netdev","type=packet,id=shared,ifname=lab1"'
  guest_config guest /lab/disk/first.img "vif=[\"$tap:0b\",\"$tap:0c\"]" \
    'memory=384' "device_model_args_hvm=[$card,$cable]"
  boot_guest guest
  in_guest guest 60 "tools; insmods" || fail "the guest cannot unpack its tools: $said"
  check_three
  check_vlan xenbr0 eth0 10.0.5
  check_vlan lab0 eth2 10.0.6
  check_ipv6
  large_sends
  check_capture src xenbr0 "vif$(domid guest).0-emu" "$tap_card"
  check_capture src lab0 lab0 $packet_net.2
  check_capture dst xenbr0 "vif$(domid guest).0-emu" "$tap_card"
  check_capture dst lab0 lab0 $packet_net.2
  check_jumbo
  power_off guest
  check_nothing_left
  ip link del lab0
}

check_three() {
  in_guest guest 20 "for i in 0 1 2; do basename \$(readlink" \
    "/sys/class/net/eth\$i/device/driver); done" || fail "three cards are not there: $said"
  [[ $said == $'e1000\ne1000\ne1000' ]] || fail "the cards are driven by $said"
  in_guest guest 30 "ip addr flush dev eth1; ip addr add $packet_net.2/24 dev eth2;" \
    "ip link set eth2 up; ping -c 3 $packet_net.1" ||
    fail "the card on the packet socket does not reach its host: $said"
  ping -q -c 3 -W 5 $packet_net.2 > /dev/null ||
    fail "the host does not reach the card on the packet socket"
  in_guest guest 30 "ip link set eth1 up; ip link set eth0 down;" \
    "ip addr add 10.0.0.12/24 dev eth1; ping -c 3 10.0.0.1; r=\$?; ip addr flush dev eth1;" \
    "ip link set eth0 up; exit_with() { return \$1; }; exit_with \$r" ||
    fail "the second card on a tap does not reach dom0: $said"
  say "ok: three cards, two on taps and one on a packet socket"
}

# check_vlan HOST_INTERFACE CARD NET: tagged frames both ways, with the card's own VLAN handling on
# and off
check_vlan() {
  local onoff
  ip link add link "$1" name tagged type vlan id 5
  ip addr add "$3.1/24" dev tagged
  ip link set tagged up
  in_guest guest 20 "ip link add link $2 name tagged type vlan id 5 &&" \
    "ip addr add $3.2/24 dev tagged && ip link set tagged up" || fail "no VLAN in the guest: $said"
  for onoff in on off; do
    in_guest guest 20 "ethtool -K $2 rxvlan $onoff txvlan $onoff" || true
    pause 1
    ping -q -c 3 -W 10 -s 1400 "$3.2" > /dev/null ||
      fail "no ping over a VLAN on $2, with rxvlan and txvlan $onoff"
    ping -q -c 2 -W 10 -s 8000 "$3.2" > /dev/null ||
      fail "no large ping over a VLAN on $2, with rxvlan and txvlan $onoff"
  done
  in_guest guest 20 "ethtool -K $2 rxvlan on txvlan on; ip link del tagged" || true
  ip link del tagged
  say "ok: a VLAN on $2"
}

check_ipv6() {
  ip addr add fd00::1/64 dev xenbr0 nodad
  in_guest guest 20 "ip addr add fd00::2/64 dev eth0; sleep 4; ping6 -c 3 fd00::1" ||
    fail "no ping by IPv6: $said"
  in_guest guest 20 "(iperf3 -s > /tmp/iperf 2>&1) & sleep 1" ||
    fail "iperf3 does not start in the guest"
  iperf 60 -6 -c fd00::2 -t 3 > /dev/null || fail "iperf3 by IPv6 failed"
  iperf 60 -6 -c fd00::2 -t 3 -R > /dev/null ||
    fail "iperf3 -R by IPv6 failed: $(in_guest guest 20 'cat /tmp/iperf; dmesg | tail -n 5'; echo \
      "$said")"
  iperf 60 -6 -u -b 1M -c fd00::2 -t 3 > /dev/null || fail "iperf3 by UDP and IPv6 failed"
  iperf 60 -6 -u -b 1M -c fd00::2 -t 3 -R > /dev/null ||
    fail "iperf3 -R by UDP and IPv6 failed"
  say "ok: IPv6, TCP and UDP both ways"
}

# At a few Mbit/s TCP hands over two segments at a time; from now on both sides hand over as much as
# a frame can have.
large_sends() {
  echo 44 > /proc/sys/net/ipv4/tcp_min_tso_segs
  in_guest guest 20 "echo 44 > /proc/sys/net/ipv4/tcp_min_tso_segs; for card in eth0 eth2; do" \
    "ethtool -K \$card tso on tx on sg on > /dev/null 2>&1; done; true" || true
}

# check_capture src|dst NAME INTERFACE GUEST: what the guest sends by TSO, or gets from a host that
# does, crosses the interface in frames above the MTU, whose IP header is right
check_capture() {
  local frames large bulk=() file=$state/guest/capture-$1-$2.txt
  [[ $1 == dst ]] || bulk=(-R)
  timeout 40 tcpdump -Z root -l -i "$3" -nn -v -c 400 "$1 host $4 and tcp and greater 1600" > \
    "$file" 2> /dev/null &
  local capture=$!
  pause 2
  iperf 30 -c "$4" -t 3 "${bulk[@]}" > /dev/null || fail "iperf3 ${bulk[*]} to $4 failed"
  pause 1
  kill "$capture" 2> /dev/null || true
  wait "$capture" || true
  frames=$(grep -c 'proto TCP' "$file" || true)
  large=$(sed -n 's/.*proto TCP.* length \([0-9]*\)).*/\1/p' "$file" | sort -n | tail -n 1)
  ((frames > 0 && ${large:-0} > 30000)) || fail \
    "no large frame was seen on $3 ($1): $frames frames, largest ${large:-none}"
  ! grep -q 'bad cksum' "$file" || fail \
    "an IP header's checksum is wrong: $(grep -m 1 'bad cksum' "$file")"
  say "ok: on $3, $frames frames above the MTU $([[ $1 == src ]] && echo from ||
    echo to) the guest with right IP headers, the largest of $large bytes"
}

answers() { ping -q -c 1 -W 2 "$1" > /dev/null 2>&1; }
check_jumbo() {
  local link card
  for link in lab0 lab1 "vif$(domid guest).0-emu" xenbr0; do ip link set "$link" mtu 9000; done
  in_guest guest 20 "ip link set eth0 mtu 9000 && ip link set eth2 mtu 9000" ||
    fail "a card takes no MTU of 9000: $said"
  for card in "$tap_card" $packet_net.2; do # their driver starts them anew
    await 40 "a ping from $card after its MTU was changed" answers "$card"
  done
  ping -q -c 3 -W 10 -s 8900 "$tap_card" > /dev/null ||
    fail "no ping of 8900 bytes on a tap with an MTU of 9000"
  ping -q -c 3 -W 10 -s 8900 $packet_net.2 > /dev/null ||
    fail "no ping of 8900 bytes on a packet socket with an MTU of 9000"
  iperf 60 -c "$tap_card" -t 3 > /dev/null ||
    fail "iperf3 on a tap with an MTU of 9000 failed"
  iperf 60 -c "$tap_card" -t 3 -R > /dev/null ||
    fail "iperf3 -R on a tap with an MTU of 9000 failed"
  iperf 60 -c $packet_net.2 -t 3 > /dev/null ||
    fail "iperf3 on a packet socket with an MTU of 9000 failed"
  iperf 60 -c $packet_net.2 -t 3 -R > /dev/null ||
    fail "iperf3 -R on a packet socket with an MTU of 9000 failed"
  ip link set xenbr0 mtu 1500
  say "ok: MTU 9000 on both kinds of backend"
}
