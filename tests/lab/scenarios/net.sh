# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# An emulated network card on a bridged tap: the driver's own self-test, pings small and large, a
# file both ways under each choice of offloads, iperf3 both ways, jumbo frames, the link going down
# and up, promiscuous mode under traffic.

mac=00:16:3e:00:00:0b
address=10.0.0.11

scenario() {
  guest_config guest /lab/disk/first.img "vif=[\"model=e1000,type=ioemu,bridge=xenbr0,mac=$mac\"]" \
    'memory=320'
  create guest "$dm"
  [[ $dm != stubdom ]] || listen_to_stub
  await_init guest
  [[ $dm != stubdom ]] || check_stub_is_silent
  await_ready guest
  [[ $ready == *"card eth0"* ]] || fail "the guest has no network card"
  log_in guest
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  in_guest guest 20 'basename $(readlink /sys/class/net/eth0/device/driver)' &&
    [[ $said == e1000 ]] || fail "eth0 is driven by '$said'"
  check_pings
  check_self_test
  check_files
  check_iperf
  check_link
  check_promiscuous
  check_jumbo
  power_off guest
  check_nothing_left
}

# The stub domain's own kernel has no address and says nothing by itself: until the guest uses its
# card, nothing comes from there.
listen_to_stub() {
  tcpdump -Z root -i "$(emulated)" -Q in -U -w "$state/guest/stub.pcap" 2> /dev/null &
  listener=$!
}
check_stub_is_silent() {
  local said_there
  kill "$listener" 2> /dev/null || true
  pause 1
  said_there=$(tcpdump -Z root -nn -r "$state/guest/stub.pcap" 2> /dev/null) ||
    fail "nobody listened to the stub domain's card"
  [[ -z $said_there ]] || fail "the stub domain says by itself: $said_there"
  say "ok: not a frame comes from the stub domain before its guest has a driver"
}

check_pings() {
  in_guest guest 40 "ping -c 3 10.0.0.1" || fail "the guest cannot reach dom0: $said"
  ping -q -c 3 -W 5 "$address" > /dev/null || fail "dom0 cannot reach the guest"
  ping -q -c 3 -W 10 -s 20000 "$address" > /dev/null ||
    fail "a ping of 20000 bytes does not come back"
  local flood
  flood=$(ping -q -f -c 300 -W 10 "$address") || fail "the flood of pings failed: $flood"
  [[ $flood == *" 0% packet loss"* ]] || fail "pings were lost: $flood"
  say "ok: pings of 56 and 20000 bytes, and a flood of 300"
}

# QEMU's card fails it.
check_self_test() {
  [[ $dm != qemu ]] || return 0
  in_guest guest 120 "ethtool -t eth0 offline" || fail "ethtool -t: $said"
  [[ $said == *"result is PASS"* ]] || fail "ethtool -t: $said"
  say "ok: ${said//$'\n'/; }"
  in_guest guest 60 "i=0; until ping -c 1 -W 1 10.0.0.1 > /dev/null; do i=\$((i + 1));" \
    "[ \$i -lt 20 ] || break; done; [ \$i -lt 20 ]" ||
    fail "the card does not come back after its self-test"
}

# Both ways by HTTP: busybox's httpd sends by sendfile, so that the kernel may hand over as much at
# a time as it likes. The sums are made where the file arrives.
kib=1024 patience=120
serve_both_ways() {
  mkdir -p "$state/served"
  dd if=/lab/disk/first.img of="$state/served/file" bs=1K skip=$((33 * 1024)) count=$kib 2> \
    /dev/null
  busybox httpd -h "$state/served" -p 5002
  in_guest guest 60 "dd if=/dev/sda2 of=/tmp/file bs=1K count=$kib 2> /dev/null &&" \
    "httpd -h /tmp -p 5001" || fail "the guest cannot serve a file: $said"
  wanted=$(hash_of < "$state/served/file")
}
send_to_guest() {
  in_guest guest "$patience" "wget -q -O - http://10.0.0.1:5002/file | sha256sum" ||
    fail "the guest did not get it, with $1: $said"
  [[ ${said%% *} == "$wanted" ]] || fail "what came into the guest is not what was sent, with $1"
}
send_from_guest() {
  [[ $(timeout "$patience" busybox wget -q -O - "http://$address:5001/file" |
    hash_of) == "$wanted" ]] || fail "what came out of the guest is not what was sent, with $1"
}
check_files() {
  local offloads began
  serve_both_ways
  while read -r offloads; do
    in_guest guest 30 "ethtool -K eth0 $offloads 2>&1" || true
    began=$(now)
    send_from_guest "$offloads"
    send_to_guest "$offloads"
    ((kib < 10240)) || say "ok: $((kib / 1024)) MiB both ways with $offloads, $(since "$began") s"
  done << END
tso on tx on rx on sg on
tso off
sg off
tx off
rx off
tso on tx on rx on sg on
END
  say "ok: $((kib / 1024)) MiB with equal sums, offloads switched on and off"
}

# bandwidth OPTION...: of iperf3 from dom0, in Mbit/s at the receiver
bandwidth() {
  iperf 60 -c "$address" -t 5 -J "$@" > "$state/guest/iperf.json" 2>&1 ||
    fail "iperf3 $*: $(tail -n 5 "$state/guest/iperf.json")"
  awk '/"sum_received"/ { in_sum = 1 }
    /"sum":/ { in_sum = 1 }
    in_sum && /"bits_per_second"/ { gsub(/[^0-9.e+]/, "", $2); value = $2; in_sum = 0 }
    END { printf "%.2f", value / 1e6 }' "$state/guest/iperf.json"
}
check_iperf() {
  local server before after
  server=$(server_of "$(domid guest)")
  in_guest guest 20 "(iperf3 -s > /tmp/iperf 2>&1) & sleep 1" ||
    fail "iperf3 does not start in the guest"
  before=$(cpu_of "$server")
  row iperf_receive Mbit/s "$(bandwidth)"
  row iperf_transmit Mbit/s "$(bandwidth -R)"
  after=$(cpu_of "$server")
  row cpu_of_iperf s "$(awk -v a="$before" -v b="$after" 'BEGIN { printf "%.2f", b - a }')"
  check_udp
  check_udp -R
  say "ok: iperf3 by TCP and UDP both ways"
}

# check_udp [-R]: most of what is sent arrives, however quickly the guest can send
check_udp() {
  local lost
  bandwidth -u -b 1M "$@" > /dev/null
  lost=$(sed -n 's/.*"lost_percent":[[:space:]]*\([0-9.]*\).*/\1/p' "$state/guest/iperf.json" |
    tail -n 1)
  awk -v n="${lost:-100}" 'BEGIN { exit n > 20 }' || fail "iperf3 -u $*: ${lost:-100} % are lost"
}

# emulated: dom0's end of its cable: a tap, or the backend of the stub domain's card
emulated() {
  local id stub
  id=$(domid guest)
  if stub=$(stub_of "$id"); then echo "vif$stub.0"; else echo "vif$id.0-emu"; fi
}
carrier_is() { in_guest guest 20 "cat /sys/class/net/eth0/carrier" && [[ $said == "$1" ]]; }
# A PV card does not hear of it, nor does the guest behind one.
check_link() {
  ! in_stub_domain "$dm" || return 0
  ip link set "$(emulated)" down
  await 30 "the guest noticing that the link is down" carrier_is 0
  ip link set "$(emulated)" up
  await 30 "the guest noticing that the link is up" carrier_is 1
  ping -q -c 3 -W 10 "$address" > /dev/null || fail "no ping after the link came up again"
  say "ok: link down and up"
}

# QEMU's card is deaf for a second after each switch.
check_promiscuous() {
  local pings
  in_guest guest 20 "(for i in 1 2 3 4 5 6 7 8 9 10; do ip link set eth0 promisc on; sleep 0.2;" \
    "ip link set eth0 promisc off; sleep 0.2; done) > /dev/null 2>&1 & true" ||
    fail "promiscuous mode cannot be switched: $said"
  pings=$(ping -q -c 40 -i 0.1 -W 2 "$address") || fail "no ping during the switching: $pings"
  [[ $pings == *" 0% packet loss"* ]] || fail \
    "pings were lost while promiscuous mode was switched: $pings"
  say "ok: no ping lost while promiscuous mode was switched twenty times"
}

check_jumbo() {
  ip link set "$(emulated)" mtu 9000
  ip link set xenbr0 mtu 9000
  in_guest guest 20 "ip link set eth0 mtu 9000" ||
    fail "the guest's card takes no MTU of 9000: $said"
  pause 1
  ping -q -c 3 -W 10 -M do -s 8900 "$address" > /dev/null 2>&1 ||
    ping -q -c 3 -W 10 -s 8900 "$address" > /dev/null ||
      fail "no ping of 8900 bytes with an MTU of 9000"
  send_from_guest "MTU 9000"
  send_to_guest "MTU 9000"
  say "ok: MTU 9000, both ways"
  ip link set xenbr0 mtu 1500
}
