# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by lib.sh. The guest's disk: what it reads and writes, judged from both sides.

# What is written: a sector with a number in it, then 7 MiB of partition 2 from a place the number
# says. So it differs for every number and at every place, is aligned to nothing but sectors, and
# costs nobody much to make. pattern_blocks has dd read just as much.
pattern_blocks="bs=$((243 * 512)) count=59"
new_salt() { echo $((10000 + RANDOM)); }
# pattern SALT FILE [MIB]: the commands that write it to stdout; partition 2 starts at MIB of FILE
pattern() {
  printf 'printf %%-512d %d; dd if=%s bs=1M skip=%d count=7' "$1" "$2" $(($1 % 50 + ${3:-0}))
}
hash_of() { sha256sum | cut -d ' ' -f 1; }
hash_of_pattern() { eval "$(pattern "$1" /lab/disk/first.img 33)" 2> /dev/null | hash_of; }

# check_read GUEST DISK: the 64 MiB of partition 2 are those that were put there
check_read() {
  local began
  began=$(now)
  in_guest "$1" 120 "sha256sum /dev/${2}2" || fail "reading /dev/${2}2 failed in $1: $said"
  [[ ${said%% *} == "$data_sha256" ]] || fail \
    "64 MiB of /dev/${2}2 read in $1 are not what the image holds: $said"
  say "ok: 64 MiB read from /dev/${2}2 with the right sha256, $(since "$began") s with hashing"
}

# check_written GUEST DISK SALT: write a pattern, and read it back from the disk, not from memory
check_written() {
  local wanted
  wanted=$(hash_of_pattern "$3")
  in_guest "$1" 120 "($(pattern "$3" "/dev/${2}2")) > /dev/${2}3 && sync" ||
    fail "writing /dev/${2}3 failed in $1: $said"
  in_guest "$1" 120 "echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/${2}3 $pattern_blocks 2>" \
    "/dev/null | sha256sum" || fail "reading back failed in $1: $said"
  [[ ${said%% *} == "$wanted" ]] || fail "what $1 wrote to /dev/${2}3 reads back differently"
  say "ok: 7 MiB written to /dev/${2}3 read back the same"
}

# check_image IMAGE SALT: the pattern is in the image, seen from dom0
check_image() {
  local wanted found
  wanted=$(hash_of_pattern "$2")
  # shellcheck disable=SC2086 # two words
  found=$({ dd bs=1M skip=97 count=0 && dd $pattern_blocks; } < "$1" 2> /dev/null | hash_of)
  [[ $found == "$wanted" ]] || fail "what the guest wrote is not in ${1##*/}"
  say "ok: dom0 finds in ${1##*/} what the guest wrote"
}
