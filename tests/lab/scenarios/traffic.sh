# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 600
# What a megabyte costs, by TCP into the guest and out of it, and read from its disk and written:
# bandwidth; per megabyte the device model's processor time, the guest's interrupts, and the events
# by which Xen calls the device model, as dom0 counts them.
. /lab/scenarios/net.sh

scenario() {
  guest_config guest /lab/disk/first.img "vif=[\"model=e1000,type=ioemu,bridge=xenbr0,mac=$mac\"]" \
    'memory=320'
  cat /lab/disk/first.img > /dev/null # from memory for everyone
  boot_guest guest
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  in_guest guest 20 "(iperf3 -s > /tmp/iperf 2>&1) & sleep 1" ||
    fail "iperf3 does not start in the guest"
  measure receive eth0 by_tcp
  measure transmit eth0 by_tcp -R
  measure read ata dd_in_guest 48 if=/dev/sda2 of=/dev/null iflag=direct
  measure write ata dd_in_guest 32 if=/dev/zero of=/dev/sda3 oflag=direct conv=fsync
  power_off guest
  check_nothing_left
}

# by_tcp [-R]: ten seconds; megabytes and seconds in $moved
by_tcp() {
  local file=$state/guest/iperf.json
  iperf 60 -c "$address" -t 10 -J "$@" > "$file" 2>&1 ||
    fail "iperf3 $*: $(tail -n 5 "$file")"
  moved=$(awk '/"sum_received"/ { in_sum = 1 }
    in_sum && /"(seconds|bytes)"/ { gsub(/[^0-9.e+]/, "", $2); v[++n] = $2 }
    n == 2 { printf "%.3f %.3f", v[2] / 1e6, v[1]; exit }' "$file")
}

# dd_in_guest MIB ARGUMENT...: the same
dd_in_guest() {
  local mib=$1
  shift
  in_guest guest 200 "from=\$(cut -d ' ' -f 1 /proc/uptime);" \
    "dd bs=1M count=$mib $* 2> /dev/null && echo \$from \$(cut -d ' ' -f 1 /proc/uptime)" ||
    fail "dd $*: $said"
  moved=$(awk -v mib="$mib" '{ printf "%.3f %.3f", mib * 1.048576, $2 - $1 }' <<< "$said")
}

# interrupts_of NAME: in the guest
interrupts_of() {
  in_guest guest 20 "grep $1 /proc/interrupts" || fail "the guest has no interrupt of $1: $said"
  awk '{ sum += $2 } END { print sum + 0 }' <<< "$said"
}

# events: from Xen to device models in dom0
events() {
  awk '/evtchn:[^ ]*(stubdm|qemu)/ { for (i = 2; $i ~ /^[0-9]+$/; ++i) sum += $i }
    END { print sum + 0 }' /proc/interrupts
}

# measure WHAT INTERRUPT COMMAND...
measure() {
  local what=$1 name=$2 server interrupts cpu called
  shift 2
  server=$(server_of "$(domid guest)")
  interrupts=$(interrupts_of "$name") cpu=$(cpu_of "$server") called=$(events)
  "$@"
  called=$(($(events) - called))
  cpu=$(awk -v a="$cpu" -v b="$(cpu_of "$server")" 'BEGIN { print b - a }')
  interrupts=$(($(interrupts_of "$name") - interrupts))
  row "${what}_bandwidth" MB/s "$(awk -v m="$moved" \
    'BEGIN { split(m, v, " "); printf "%.3f", v[1] / v[2] }')"
  row "${what}_cpu_per_MB" ms "$(awk -v m="$moved" -v n="$cpu" \
    'BEGIN { split(m, v, " "); printf "%.1f", n * 1000 / v[1] }')"
  row "${what}_interrupts_per_MB" n \
    "$(awk -v m="$moved" -v n="$interrupts" 'BEGIN { split(m, v, " "); printf "%.1f", n / v[1] }')"
  in_stub_domain "$dm" || row "${what}_events_per_MB" n \
    "$(awk -v m="$moved" -v n="$called" 'BEGIN { split(m, v, " "); printf "%.1f", n / v[1] }')"
}
