# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 1500
# NBD servers that are killed at random under verified writes, twenty of them: four disks of five
# guests, the one that it booted from among them. The guest, which runs from its memory, sees errors
# or good data, never wrong data. After each, xl pause and unpause come back and the guest answers.
# At the end of each guest the device model is quiet, and power-off or a reset ends it.

guests=5
deadline=30 # seconds: NbdDisk's 20, and what an emulated machine needs
drives=(hda hdb hdc hdd)
first=(97 0 0 0) # MiB: not over anything that is needed
declare -A server

scenario() {
  local number
  for ((number = 1; number <= guests; ++number)); do one_guest "$number"; done
  check_nothing_left
}

# serve DRIVE IMAGE: by a server of its own, which ends with its client
serve() {
  rm -f "$state/nbd.$1"
  qemu-nbd --format=raw --cache=writeback --discard=unmap --socket="$state/nbd.$1" "$2" \
    > "$state/nbd.$1.log" 2>&1 &
  server[$1]=$!
  disown # the shell has nothing to say when it is killed
  await 20 "a server for $1" test -S "$state/nbd.$1"
}
disk_line() {
  local how=access=rw,backendtype=qdisk
  printf '"format=raw,vdev=%s,%s,target=nbd:unix:%s"' "$1" "$how" "$state/nbd.$1"
}

one_guest() {
  local number=$1 drive i lines=() disks scribble used
  for drive in "${drives[@]}"; do
    if [[ $drive == hda ]]; then
      serve hda /lab/disk/first.img
    else
      truncate -s 16M "$state/$drive.img"
      serve "$drive" "$state/$drive.img"
    fi
    lines+=("$(disk_line "$drive")")
  done
  guest_config guest unused "disk=[$(IFS=,; echo "${lines[*]}")]" 'on_reboot="destroy"'
  boot_guest guest
  in_guest guest 60 'tools && dmesg -n 1' || fail "the guest cannot unpack its tools: $said"
  find_drives guest
  disks=("$hda" "$hdb" "$hdc" "$hdd")
  for i in 0 1 2 3; do
    scribble="scribble run $(new_salt) 600 /dev/${disks[i]} ${first[i]} 8"
    scribble="($scribble 2> /tmp/said.$i > /dev/null; echo \$? > /tmp/status.$i)"
    in_guest guest 20 "$scribble & sleep 0.1" ||
      fail "the guest cannot write to ${disks[i]}: $said"
  done
  for i in $(printf '%s\n' 0 1 2 3 | shuf_lines); do one_kill "$i"; done
  for i in 0 1 2 3; do check_writer "$number" "$i"; done
  used=$(cpu_of "$(server_of "$(domid guest)")")
  pause 4
  used+=" $(cpu_of "$(server_of "$(domid guest)")")"
  used=$(awk '{ printf "%d", ($2 - $1) * 100 }' <<< "$used")
  ((used < 200)) || fail "the device model, its guest's disks gone, was busy for $used/100 of 4 s"
  end_guest "$number"
}

shuf_lines() {
  awk -v seed="$RANDOM" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' | sort | cut -f 2
}

# one_kill DISK: at a random moment; the others go on
one_kill() {
  local drive=${drives[$1]} after began
  after="after the server of $drive was killed"
  pause "$((RANDOM % 4)).$((RANDOM % 10))"
  kill -KILL "${server[$drive]}" || fail "a server had gone: $(tail -n 3 "$state/nbd.$drive.log")"
  began=$(now)
  timeout "$deadline" xl pause guest || fail "xl pause does not come back $after"
  timeout "$deadline" xl unpause guest || fail "xl unpause does not come back $after"
  in_guest guest "$deadline" 'echo alive' || fail "the guest does not answer $after: $said"
  say "ok: $drive killed, the guest answers $(since "$began") s later"
}

# check_writer GUEST DISK: it has seen an error, and before that only good data
check_writer() {
  local drive=${drives[$2]}
  in_guest guest 240 "until [ -s /tmp/status.$2 ]; do sleep 0.5; done; cat /tmp/said.$2" ||
    fail "writing to $drive does not end: $said"
  [[ $said != *'should be of write'* ]] || fail "$drive: wrong data: $said"
  [[ $said == *'rror'* ]] || fail "$drive: neither an error nor good data: $said"
  say "ok: guest $1, $drive: ${said%%$'\n'*}"
}

# end_guest NUMBER: by poweroff, or by a reset
end_guest() {
  local how=poweroff
  (($1 % 2)) || how='reboot -f'
  type_line guest "$how"
  await 60 "the end of guest $1 after $how, its disks gone" gone guest
  detach guest
  say "ok: guest $1 has ended by $how"
}
