# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 700
# vga="stdvga" without a viewer: the BIOS's text screen is there for Linux, the card's memory keeps
# what is written to it, and xl save and xl restore keep both.

scenario() {
  guest_config guest /lab/disk/first.img 'vga="stdvga"' 'nographic=0'
  boot_guest guest
  check_text
  find_card
  check_memory 0xcafe0001 0x5eed0002
  check_saved
  power_off guest
  check_nothing_left
}

check_text() {
  in_guest guest 30 "dmesg | grep 'Console: colour'" || fail "the guest found no VGA text screen"
  [[ $said == *'VGA+ 80x25'* ]] || fail "the guest's text screen is $said"
  say "ok: ${said##*] }"
}

# base and last of the card's BAR 0
find_card() {
  in_guest guest 30 'for d in /sys/bus/pci/devices/*; do' \
    '[ "$(cat $d/vendor)$(cat $d/device)" != 0x12340x1111 ] || head -n 1 $d/resource; done' ||
    fail "the guest cannot look for its card: $said"
  read -r base last _ <<< "$said"
  [[ $base == 0x* ]] || fail "the guest has no standard VGA card"
  last=$(printf '0x%x' $((last - 3)))
  say "ok: the card's memory is from $base to $last"
}

# check_memory FIRST LAST: words at both ends
check_memory() {
  in_guest guest 30 "devmem $base 32 $1; devmem $last 32 $2" ||
    fail "the guest cannot write to the card's memory: $said"
  check_words "$@"
}
check_words() {
  in_guest guest 30 "devmem $base 32; devmem $last 32" ||
    fail "the guest cannot read the card's memory: $said"
  [[ ${said,,} == "$1"$'\n'"$2" ]] || fail "the card's memory holds $said, not $1 and $2"
  say "ok: what was written to the card's memory is there"
}

check_saved() {
  local file=$state/saved
  xl save guest "$file" >> "$(xl_log guest)" 2>&1 || fail "xl save failed; see xl.log"
  detach guest
  check_nothing_left
  xl restore "$file" >> "$(xl_log guest)" 2>&1 || fail "xl restore failed; see xl.log"
  rm "$file"
  attach guest
  await_answer guest
  check_words 0xcafe0001 0x5eed0002
  check_memory 0x00000003 0xffffffff
  say "ok: xl save and xl restore"
}
