# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Sourced by scenarios that measure, in the lab and on a real host (bench/lab): what a guest's work
# costs. The guest is $subject, its card is on $bridge.

mac=00:16:3e:00:00:0b
address=10.0.0.11

# guest_with_card: its configuration; the disk is read once, so that it comes from memory for all
guest_with_card() {
  guest_config "$subject" "$images/first.img" \
    "vif=[\"model=e1000,type=ioemu,bridge=$bridge,mac=$mac\"]" 'memory=320'
  cat "$images/first.img" > /dev/null
}

# await_answer: until the guest answers a ping. Asked from its init on, lest many pings wait for it;
# dom0 knows the address already, lest an unanswered ARP request cost a second
await_answer() {
  local line pings asker
  ip neigh replace "$address" lladdr "$mac" dev "$bridge" nud permanent
  exec {pings}< <(exec ping -n -i 0.2 -w 120 "$address" 2>&1)
  asker=$!
  while IFS= read -r line <&"$pings"; do
    [[ $line != *' bytes from '* ]] || break
  done
  kill "$asker" 2> /dev/null || true
  exec {pings}<&-
  [[ $line == *' bytes from '* ]] || fail "the guest's network does not answer: $line"
}

# boot_to_answer: create the guest, and a row
boot_to_answer() {
  create "$subject" "$dm"
  await_init "$subject" 400
  await_answer
  row create_to_answer s "$(since "$created_at")"
}

# by_tcp [-R]: ten seconds; megabytes and seconds in $moved
by_tcp() {
  local file=$state/$subject/iperf.json
  iperf 60 -c "$address" -t 10 -J "$@" > "$file" 2>&1 ||
    fail "iperf3 $*: $(tail -n 5 "$file")"
  moved=$(awk '/"sum_received"/ { in_sum = 1 }
    in_sum && /"(seconds|bytes)"/ { gsub(/[^0-9.e+]/, "", $2); v[++n] = $2 }
    n == 2 { printf "%.3f %.3f", v[2] / 1e6, v[1]; exit }' "$file")
}

# prepare_dd NAME MIB ARGUMENT...: a word of the guest's shell for it. A character at its console is
# a dozen calls of the device model, a megabyte some forty: while counters run, only the word is
# typed
prepare_dd() {
  local name=$1 mib=$2
  shift 2
  in_guest "$subject" 20 "$name() { read -r from rest < /proc/uptime; dd bs=1M count=$mib $*" \
    "2> /dev/null; read -r to rest < /proc/uptime; echo \"moved $mib \$from \$to.\"; }" ||
    fail "the guest's shell does not learn: $said"
}
# by_dd NAME: the same as by_tcp
by_dd() {
  type_line "$subject" "$1"
  expect "$subject" 200 'moved ([0-9]+) ([0-9.]+) ([0-9.]+)\.'
  moved=$(awk -v mib="${BASH_REMATCH[1]}" -v from="${BASH_REMATCH[2]}" -v to="${BASH_REMATCH[3]}" \
    'BEGIN { printf "%.3f %.3f", mib * 1.048576, to - from }')
  expect "$subject" 30 '# '
}

# interrupts_of NAME: in the guest
interrupts_of() {
  in_guest "$subject" 20 "grep $1 /proc/interrupts" ||
    fail "the guest has no interrupt of $1: $said"
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
  server=$(server_of "$(domid "$subject")")
  interrupts=$(interrupts_of "$name") cpu=$(cpu_of "$server") called=$(events)
  "$@"
  called=$(($(events) - called))
  cpu=$(awk -v a="$cpu" -v b="$(cpu_of "$server")" 'BEGIN { print b - a }')
  interrupts=$(($(interrupts_of "$name") - interrupts))
  bandwidth_row "$what"
  row "${what}_cpu_per_MB" ms "$(per_mb %.1f "$cpu" 1000)"
  row "${what}_interrupts_per_MB" n "$(per_mb %.1f "$interrupts" 1)"
  in_stub_domain "$dm" || row "${what}_events_per_MB" n "$(per_mb %.1f "$called" 1)"
}
# of what is in $moved
bandwidth_row() {
  row "$1_bandwidth" MB/s "$(awk -v m="$moved" \
    'BEGIN { split(m, v, " "); printf "%.3f", v[1] / v[2] }')"
}
per_mb() {
  awk -v m="$moved" -v n="$2" -v factor="$3" \
    "BEGIN { split(m, v, \" \"); printf \"$1\", n * factor / v[1] }"
}

# fine_cpu_of "process PID"|"domain STUB": in ms. Xen's tools tell a domain's in tenths of seconds
fine_cpu_of() {
  local pid
  [[ $1 == process* ]] || { cpu_of "$1" | awk '{ print $1 * 1000 }' && return; }
  for pid in $(session_of "${1#* }" | cut -d ' ' -f 1); do
    cat "/proc/$pid"/task/*/schedstat 2> /dev/null || true
  done | awk '{ ns += $1 } END { printf "%.3f", ns / 1e6 }'
}

# idle_row: the device model's processor time while the guest waits at its prompt
idle_row() {
  local server before
  server=$(server_of "$(domid "$subject")")
  pause 5 # what the login began comes to its end
  before=$(fine_cpu_of "$server")
  pause 30
  row idle_cpu_in_10_s ms "$(awk -v a="$before" -v b="$(fine_cpu_of "$server")" \
    'BEGIN { printf "%.2f", (b - a) / 3 }')"
}

# memory_rows: what the device model takes of the machine: what is resident of its processes in
# dom0, where the guest's memory does not count, and, where there is one, the domain
memory_rows() {
  local id stub domain=0 pids
  id=$(domid "$subject")
  if stub=$(stub_of "$id"); then
    domain=$(xl list "$stub" | awk 'NR == 2 { print $3 }')
    row memory_domain MiB "$domain"
    pids=$(session_of "$(dm_pid "$stub")" && proxies_of "$stub")
  else
    pids=$(session_of "$(dm_pid "$id")")
  fi
  row memory MiB "$(for pid in $(awk '{ print $1 }' <<< "$pids"); do
    cat "/proc/$pid/status" 2> /dev/null || true
  done | awk -v domain="$domain" '/^VmRSS:/ { kib += $2 }
    END { printf "%.2f", domain + kib / 1024 }')"
}
# proxies_of STUB: libxl's for QMP, a process each
proxies_of() {
  local file line
  for file in /proc/[0-9]*/cmdline; do
    { line=$(tr '\0' ' ' < "$file"); } 2> /dev/null || continue
    [[ $line != *vchan-socket-proxy*" $1 "* ]] || basename "${file%/cmdline}"
  done
}
