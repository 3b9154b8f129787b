# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 700
# Four serial ports: two ptys, a TCP server and a file. The driver's view of them, the UART's own
# loopback, then data on all of them at once.

bytes=8192

scenario() {
  local out=$state/guest/port3
  guest_config guest /lab/disk/first.img \
    "serial=[\"pty\",\"pty\",\"tcp:127.0.0.1:4555,server=on,wait=off\",\"file:$out\"]"
  boot_guest guest
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  check_driver
  check_loopback
  check_traffic "$out"
  power_off guest
  check_nothing_left
}

check_driver() {
  local port
  in_guest guest 20 "cat /proc/tty/driver/serial" || fail "there is no 8250 driver: $said"
  for port in "0: uart:16550A port:000003F8 irq:4" "1: uart:16550A port:000002F8 irq:3" \
    "2: uart:16550A port:000003E8 irq:4" "3: uart:16550A port:000002E8 irq:3"; do
    [[ $said == *"$port"* ]] || fail "the 8250 driver does not see '$port': $said"
  done
  say "ok: the 8250 driver sees four 16550A"
}

check_loopback() {
  local port
  for port in 1 2 3; do
    in_guest guest 60 "probe loopback /dev/ttyS$port" || fail "loopback of ttyS$port: $said"
    say "ok: $said"
  done
}

# pattern_of SEED: as many bytes as go over one line
pattern_of() {
  dd if=/lab/disk/first.img bs=$bytes skip=$(((33 + $1) * (1048576 / bytes))) count=1 2> /dev/null
}
hash_of_seed() { pattern_of "$1" | hash_of; }

# Port 1 both ways, port 2 both ways, port 3 out, and the console in between, all at once.
check_traffic() {
  local file=$1 pty id line
  id=$(domid guest)
  pty=$(tty_of "$id" 1)
  stty -F "$pty" raw -echo
  exec {line}<> /dev/tcp/127.0.0.1/4555
  head -c $bytes < "$pty" > "$state/guest/port1" &
  head -c $bytes <&"$line" > "$state/guest/port2" &
  in_guest guest 20 "for p in 1 2 3; do stty -F /dev/ttyS\$p 115200 raw -echo; done;" \
    "for p in 1 2; do (head -c $bytes < /dev/ttyS\$p | sha256sum > /tmp/in\$p) & done" ||
    fail "the guest cannot listen: $said"
  in_guest guest 20 "for p in 1 2 3; do (dd if=/dev/sda2 bs=1M skip=\$p count=1 2> /dev/null |" \
    "head -c $bytes > /dev/ttyS\$p; echo \$p > /tmp/out\$p) & done" ||
    fail "the guest cannot send: $said"
  pattern_of 11 > "$pty" &
  pattern_of 12 >&"$line" &
  in_guest guest 60 "echo the console is still here" ||
    fail "the console suffers from the other ports"
  in_guest guest 240 'for f in out1 out2 out3 in1 in2; do i=0; until [ -s /tmp/$f ]; do' \
    'i=$((i + 1)); [ $i -lt 1000 ] || break; sleep 0.2; done; done; cat /tmp/in1 /tmp/in2' ||
    fail "the guest did not come to an end: $said"
  [[ $said == "$(hash_of_seed 11)"*$'\n'"$(hash_of_seed 12)"* ]] ||
    fail "what came in at ttyS1 and ttyS2 is not what was sent: $said"
  await 30 "all bytes of ttyS1, ttyS2 and ttyS3" all_out "$file"
  [[ $(hash_of < "$state/guest/port1") == "$(hash_of_seed 1)" ]] ||
    fail "what left ttyS1 is not what was sent"
  [[ $(hash_of < "$state/guest/port2") == "$(hash_of_seed 2)" ]] ||
    fail "what left ttyS2 is not what was sent"
  [[ $(hash_of < "$file") == "$(hash_of_seed 3)" ]] || fail "what left ttyS3 is not what was sent"
  exec {line}>&-
  say "ok: five streams of $bytes bytes at once, every byte right"
}

all_out() {
  (($(stat -c %s "$state/guest/port1") == bytes && $(stat -c %s "$state/guest/port2") == bytes && \
    $(stat -c %s "$1") >= bytes))
}
