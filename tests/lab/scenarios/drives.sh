# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# Four drives: master and slave disks on the first channel, a CD-ROM drive and a disk beside it on
# the second. What hdparm and smartctl say of each, how fast hdparm reads, and that each disk has
# its own contents.

scenario() {
  local disk disks salts=("$(new_salt)" "$(new_salt)") third=$state/third.img disc=$state/disc.iso
  dd if=/lab/disk/first.img of="$third" bs=1M skip=50 count=8 2> /dev/null
  dd if=/lab/disk/first.img of="$disc" bs=1M skip=60 count=2 2> /dev/null
  disks="\"/lab/disk/first.img,raw,hda,rw\",\"/lab/disk/second.img,raw,hdb,rw\""
  disks+=",\"$disc,raw,hdc,ro,cdrom\",\"$third,raw,hdd,rw\""
  guest_config guest /lab/disk/first.img "disk=[$disks]"
  boot_guest guest
  in_guest guest 60 "tools; insmods" || fail "the guest cannot unpack its tools: $said"
  find_drives guest
  [[ "$hda $hdb $hdc $hdd" =~ ^sd.\ sd.\ sr0\ sd.$ ]] ||
    fail "the guest sees as masters and slaves: $hda $hdb, $hdc $hdd"
  check_identity "$hda" /lab/disk/first.img
  check_identity "$hdb" /lab/disk/second.img
  check_identity "$hdd" "$third"
  check_serials
  check_cd_identity
  for disk in "$hda" "$hdb" "$hdd"; do check_smart "$disk"; done
  check_speed hda "$hda"
  check_speed hdd "$hdd"
  check_contents "$hdd" "$third"
  check_contents sr0 "$disc"
  check_read guest "$hdb"
  check_written guest "$hda" "${salts[0]}"
  check_written guest "$hdb" "${salts[1]}"
  power_off guest
  check_nothing_left
  check_image /lab/disk/first.img "${salts[0]}"
  check_image /lab/disk/second.img "${salts[1]}"
}

# check_identity DISK IMAGE
check_identity() {
  local sectors=$(($(stat -c %s "$2") / 512))
  in_guest guest 20 "hdparm -I /dev/$1" || fail "hdparm -I /dev/$1: $said"
  keep "hdparm-$1"
  must "hdparm -I /dev/$1" 'ATA device, with non-removable media' \
    "LBA48[[:space:]]+user addressable sectors:[[:space:]]+$sectors"$'\n' \
      'DMA:.*\*mdma2|DMA:.*\*udma' \
    '\*[[:space:]]+SMART feature set' '\*[[:space:]]+Write cache' \
      '\*[[:space:]]+48-bit Address feature set' '\*[[:space:]]+Mandatory FLUSH_CACHE'
  must_not "hdparm -I /dev/$1" 'nvalid|ncorrect'
  say "ok: hdparm -I /dev/$1: $sectors sectors"
}

check_serials() {
  in_guest guest 20 "hdparm -I /dev/sda /dev/sdb /dev/sdc 2> /dev/null | grep 'Serial Number:' |" \
    "sort -u" || fail "hdparm: $said"
  (($(wc -l <<< "$said") == 3)) || fail "the serial numbers of three disks are: $said"
  say "ok: three serial numbers"
}

# Not by hdparm -I: it takes an abort that Linux 6.1 reports with fixed-format sense data for an
# answer of zeros.
check_cd_identity() {
  in_guest guest 20 "cd /sys/block/sr0; cat device/type removable device/model; cd /" ||
    fail "there is no CD-ROM drive: $said"
  [[ $said == $'5\n1\n'*DVD-ROM* ]] || fail "the CD-ROM drive says of itself: $said"
  say "ok: a CD-ROM drive: ${said##*$'\n'}"
}

# check_smart DISK: its exit status has a bit for every doubt
check_smart() {
  in_guest guest 60 "smartctl -a /dev/$1" || fail "smartctl -a /dev/$1, status $?: $said"
  keep "smartctl-$1"
  must "smartctl -a /dev/$1" 'SMART support is: +Available' 'SMART support is: +Enabled' \
    'self-assessment test result: PASSED' 'No Errors Logged' \
    'No self-tests have been logged'
  local wrong='Warning|nvalid|checksum|FAILED!|FAILING_NOW|ommand failed|Unexpected'
  must_not "smartctl -a /dev/$1" "$wrong|not supported by device"
  say "ok: smartctl -a /dev/$1"
}

# check_speed PLACE DISK
check_speed() {
  in_guest guest 60 "hdparm -t /dev/$2" || fail "hdparm -t /dev/$2: $said"
  [[ $said =~ =\ +([0-9.]+)\ MB/sec ]] || fail "hdparm -t /dev/$2: $said"
  row "hdparm_t_$1" MB/s "${BASH_REMATCH[1]}"
}

# check_contents DRIVE IMAGE
check_contents() {
  in_guest guest 60 "sha256sum /dev/$1" || fail "reading /dev/$1 failed: $said"
  [[ ${said%% *} == "$(hash_of < "$2")" ]] || fail "/dev/$1 does not hold what ${2##*/} does"
  say "ok: /dev/$1 holds what ${2##*/} does"
}

keep() { printf '%s\n' "$said" > "$state/guest/$1.log"; }
must() {
  local what=$1 regex
  shift
  for regex in "$@"; do [[ $said =~ $regex ]] || fail "$what does not say '$regex': $said"; done
}
must_not() { ! [[ $said =~ $2 ]] || fail "$1 says '${BASH_REMATCH[0]}': $said"; }
