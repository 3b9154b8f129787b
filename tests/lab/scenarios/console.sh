# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 7600
# Who reads the console leaves: with keys that nobody has read while the BIOS is at work, before a
# megabyte is printed, and killed after it has stopped reading. The guest goes on each time, and
# while nobody is there its device model uses no processor time.

flood=1048576

scenario() {
  guest_config guest /lab/disk/first.img
  cat /lab/disk/first.img > /dev/null # what io_uring reads is not counted as the process's
  leave_during_the_bios
  check_boots_alone
  check_flood_alone
  check_killed_reader
  power_off guest
  check_nothing_left
}

# As `xl console -t serial`, some keys that only the guest's kernel will read, and Ctrl-].
leave_during_the_bios() {
  local pty
  create guest "$dm"
  pty=$(< "$state/guest/tty")
  stty -F "$pty" raw -echo
  printf '\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r' > "$pty"
  pause 1
  detach guest
  say "the reader has left; $(doing guest)"
}

# ticks_of ID: processor time of what serves the guest, and of what serves its stub domain in dom0,
# in hundredths of a second
ticks_of() {
  local stub pid ticks=0
  if stub=$(stub_of "$1"); then
    ticks=$(cpu_of "domain $stub" | awk '{ printf "%d", $1 * 100 }')
    pid=$(dm_pid "$stub") || pid=
  else
    pid=$(dm_pid "$1")
  fi
  if [[ $pid ]]; then
    ticks=$((ticks + $(session_of "$pid" | awk '{ n += $2 } END { printf "%d", n }')))
  fi
  printf '%d' "$ticks"
}

# quiet_for SECONDS TICKS: does the device model use no more than that?
quiet_for() {
  local id before
  id=$(domid guest)
  before=$(ticks_of "$id")
  pause "$1"
  used=$(($(ticks_of "$id") - before))
  ((used <= $2))
}

# check_quiet SECONDS WHAT: until there are ten seconds in which the device model uses two
# hundredths of them at most, which is what an idle guest may cause. One that spins uses them all,
# and never comes to rest.
check_quiet() {
  await "$1" "$2; the device model at rest, with nobody at the console" quiet_for 10 20
  say "ok: $2; the device model used $used hundredths of a second in ten seconds"
}

has_read_its_kernel() {
  (($(bytes_read "$(server_of "$(domid guest)")") - $(< "$state/guest/read_before") >= \
    payload_bytes))
}

check_boots_alone() {
  await 400 "the guest's BIOS to have read its kernel" has_read_its_kernel
  check_quiet 200 "the guest has booted with nobody at its console"
  attach guest
  await_init guest
  await_ready guest
  log_in guest
}

# flood_later BYTES WORD: the guest prints that much, and then the word, when we have left
flood_later() {
  in_guest guest 20 "(sleep 4; seq 1 200000 | head -c $1 > /dev/ttyS0; echo; echo fl''ood $2)" \
    "> /dev/ttyS0 2>&1 & sleep 0.1" || fail "the guest cannot print: $said"
}

# back_again WORD: who comes later sees the newest output, and the guest answers
back_again() {
  attach guest
  expect guest 60 "flood $1"
  type_line guest ""
  expect guest 60 '# '
  in_guest guest 20 "echo still here" || fail "the guest's shell does not answer: $said"
}

check_flood_alone() {
  flood_later $flood one
  detach guest
  pause 6 # it has begun
  # a character is an exit of 1.3 ms on a quiet machine, and of more than 3 ms on a busy one
  check_quiet 5000 "the guest has printed $flood bytes with nobody at its console"
  back_again one
  say "ok: who comes later sees the end of it"
}

check_killed_reader() {
  local reader
  flood_later $((flood / 4)) two
  reader=$(< "$state/guest/reader")
  kill -STOP "$reader"
  # it has printed as much as the terminal holds, and waited for longer than a reader is waited for
  pause 12
  kill -KILL "$reader"
  rm -f "$state/guest/reader"
  check_quiet 1500 "a reader that did not read was killed, and the guest has gone on"
  back_again two
}
