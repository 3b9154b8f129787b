# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 1500
# xl save and xl restore, xl save -c twice and the later file, xl migrate to this host, while the
# guest reads its disk. The guest goes on each time: its processes, disk, card and serial port. A
# configuration that the saved guest does not fit is refused, and the file is good afterwards.

file=/tmp/guest.save

scenario() {
  local salt
  salt=$(new_salt)
  guest_config guest /lab/disk/first.img 'memory=160' \
    'vif=["model=e1000,type=ioemu,bridge=xenbr0,mac=00:16:3e:00:00:0c"]'
  boot_guest guest
  in_guest guest 20 "(while :; do dd if=/dev/sda of=/dev/null bs=64k count=32 skip=160" \
    "iflag=direct 2> /dev/null; echo >> /tmp/rounds; sleep 0.5; done) & sleep 0.1;" \
    "echo kept > /tmp/word" ||
    fail "the guest cannot begin to read: $said"
  check_save_and_restore
  check_goes_on
  check_written guest sda "$salt"
  check_checkpoints
  check_goes_on
  [[ $dm == qemu ]] || check_refused
  check_migration guest
  check_goes_on
  check_written guest sda "$(new_salt)"
  power_off guest
  rm -f "$file"
  check_nothing_left
}

# rounds of reading so far, in $count
rounds() {
  in_guest guest 60 "wc -l < /tmp/rounds; cat /tmp/word" || fail "the guest does not answer: $said"
  [[ $said == *$'\n'kept ]] || fail "the guest has lost its memory: $said"
  count=${said%%$'\n'*}
}

has_gone_further() { rounds && ((count > $1)); }

# what it did it still does, by the same domain's devices
check_goes_on() {
  local count
  rounds
  await 120 "the guest to go on reading its disk" has_gone_further "$count"
  check_read guest sda
  in_guest guest 60 "ping -c 3 -w 50 10.0.0.1" ||
    fail "the guest does not reach dom0 any more: $said"
  say "ok: its processes, disk, card and serial port go on"
}

# the guest comes from its file
restored() {
  restore guest "$file"
  attach guest
  await_answer guest
}

check_save_and_restore() {
  local began
  keep_state
  began=$(now)
  save guest "$file"
  say "ok: saved in $(since "$began") s, $(du -m "$file" | cut -f 1) MiB, of it for the devices \
$(state_size) bytes"
  detach guest
  check_nothing_left
  began=$(now)
  restored
  say "ok: restored in $(since "$began") s"
}

# the guest goes on after each; the second file is the one that is gone on from
check_checkpoints() {
  local id try
  id=$(domid guest)
  for try in 1 2; do
    save guest "$file" -c
    [[ $(domid guest) == "$id" ]] || fail "the guest is another domain after xl save -c"
    await_answer guest
    check_goes_on
    say "ok: checkpoint $try"
  done
  xl destroy guest || fail "xl destroy failed"
  detach guest
  check_nothing_left
  restored
  say "ok: restored from the second checkpoint"
}

# another port than the guest had: refused, in words, and nothing is left of the attempt
check_refused() {
  save guest "$file"
  detach guest
  sed 's/^serial=.*/serial=["pty","pty"]/' "$state/guest/cfg" > "$state/guest/other.cfg"
  if xl restore "$state/guest/other.cfg" "$file" > "$state/guest/refused.log" 2>&1; then
    fail "a guest with one serial port was restored into one with two"
  fi
  grep -hq 'the saved guest cannot go on here' /var/log/xen/qemu-dm-guest*.log* ||
    fail "the log does not say why: $(tail -n 5 /var/log/xen/qemu-dm-guest*.log)"
  xl destroy guest > /dev/null 2>&1 || true
  check_nothing_left
  restored
  say "ok: a configuration with another serial port is refused, and the file is as good as before"
}
