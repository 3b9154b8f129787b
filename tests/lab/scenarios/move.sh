# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# limit 1200
# A guest moves under load: xl save and xl restore, xl migrate to this host. Meanwhile it writes to
# two disks and checks all it wrote, downloads a file over TCP again and again, and answers pings.
# No byte is lost, no download has another sum, its clock is right, and its card is announced.
. /lab/scenarios/save.sh

saves=1 migrations=1
address=10.0.0.12
card=00:16:3e:00:00:0c
seconds_each=25 # of writing, by the guest's own clock, for each time that it moves

scenario() {
  local i writing=$(((saves + migrations) * seconds_each + 10))
  images=(/lab/disk/first.img /lab/disk/second.img)
  guest_config guest "${images[0]}" \
    "disk=[\"${images[0]},raw,hda,rw\",\"${images[1]},raw,hdb,rw\"]" 'memory=224' \
    "vif=[\"model=e1000,type=ioemu,bridge=xenbr0,mac=$card\"]"
  boot_guest guest 400
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  begin_load "$writing"
  for ((i = 1; i <= saves; i++)); do save_once "$i"; done
  for ((i = 1; i <= migrations; i++)); do migrate_once "$i"; done
  await_end_of_load "$writing"
  power_off guest
  check_images
  rm -f "$file"
  check_nothing_left
}

# how far the guest's clock is from dom0's, in seconds
clock_offset() {
  in_guest guest 60 "date +%s" || fail "the guest does not tell the time: $said"
  echo $((said - $(date +%s)))
}

begin_load() {
  local i
  find_drives guest
  disks=("$hda" "$hdb")
  for i in 0 1; do
    in_guest guest 20 "(scribble run $(new_salt) $1 /dev/${disks[i]} 97 16 2> /tmp/said.$i" \
      "> /tmp/area.$i; echo \$? > /tmp/status.$i) & sleep 0.1" ||
      fail "the guest cannot write to ${disks[i]}: $said"
  done
  mkdir -p "$state/served"
  dd if="${images[0]}" of="$state/served/file" bs=1M skip=33 count=2 2> /dev/null
  busybox httpd -f -h "$state/served" -p 5002 &
  server=$!
  disown "$server"
  wanted_sum=$(hash_of < "$state/served/file")
  in_guest guest 20 "echo kept > /tmp/word; (while [ ! -e /tmp/enough ]; do" \
    "wget -q -O - http://10.0.0.1:5002/file | sha256sum >> /tmp/sums; done) & sleep 0.1" ||
    fail "the guest cannot download: $said"
  await 120 "the guest to have downloaded a file" downloads_more_than 0
  offset=$(clock_offset)
  begin_pings guest "$address"
}

# downloads_more_than COUNT: and each has the right sum
downloads_more_than() {
  in_guest guest 60 "cut -c 1-64 /tmp/sums | sort | uniq -c" || fail "the guest is silent: $said"
  [[ $said =~ ^\ *([0-9]+)\ $wanted_sum$ || -z $said ]] ||
    fail "downloads have other sums than $wanted_sum: $said"
  downloaded=${BASH_REMATCH[1]:-0}
  ((downloaded > $1))
}

# after a move: it is the same guest, which goes on
check_moved() {
  local now_off
  await_answer guest
  in_guest guest 60 "cat /tmp/word" && [[ $said == kept ]] ||
    fail "the guest has lost its memory: $said"
  now_off=$(clock_offset)
  ((now_off - offset <= 3 && offset - now_off <= 3)) ||
    fail "the guest's clock is off by $now_off s, and was by $offset s before"
  downloads_more_than -1
  await 300 "the guest to download another file" downloads_more_than "$downloaded"
}

save_once() {
  local began
  save guest "$file"
  detach guest
  check_nothing_left
  began=$(now)
  restored
  check_moved
  say "ok: save $1: restored and goes on after $(since "$began") s, $downloaded downloads"
}

migrate_once() {
  local announced silence
  : > "$state/guest/answers"
  tcpdump -Z root -i xenbr0 -U -w "$state/guest/rarp.pcap" "ether proto 0x8035" 2> /dev/null &
  announced=$!
  migrate guest ||
    fail "xl migrate failed; see xl.log"
  detach guest
  check_nothing_left "$(domid guest)"
  attach guest
  check_moved
  kill "$announced" 2> /dev/null || true
  silence=$(longest_silence guest)
  row migration_silence ms "$silence"
  announced=$(tcpdump -Z root -e -nn -r "$state/guest/rarp.pcap" "ether src $card" 2> /dev/null |
    wc -l)
  # Debian's QEMU was not seen to announce one.
  [[ $dm == qemu ]] || ((announced >= 3)) ||
    fail "the card was announced $announced times after the migration"
  say "ok: migration $1: silent for at most $silence ms, announced $announced times," \
    "$downloaded downloads"
}

# each disk has verified every sector itself; the hash of what it must hold is kept for the image
await_end_of_load() {
  local i
  for i in 0 1; do
    in_guest guest $(($1 + 300)) "until [ -s /tmp/status.$i ]; do sleep 0.5; done;" \
      "cat /tmp/said.$i; sha256sum < /tmp/area.$i; rm /tmp/area.$i;" \
      "[ \"\$(cat /tmp/status.$i)\" = 0 ]" || fail "on ${disks[i]}: $said"
    [[ $said =~ ([0-9]+)\ writes.*$'\n'([0-9a-f]{64}) ]] || fail "on ${disks[i]}: $said"
    wanted[i]=${BASH_REMATCH[2]}
    say "ok: ${said%%$'\n'*}"
  done
  in_guest guest 30 "touch /tmp/enough" || fail "the guest is silent: $said"
  kill "$pinger" "$server" 2> /dev/null || true
}

check_images() {
  local i
  for i in 0 1; do
    [[ $(dd if="${images[i]}" bs=1M skip=97 count=16 2> /dev/null | hash_of) == "${wanted[i]}" ]] ||
      fail "dom0 does not find in ${images[i]} what was written to ${disks[i]}"
  done
  say "ok: dom0 finds in both images what was written"
}
