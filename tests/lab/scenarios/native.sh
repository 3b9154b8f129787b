# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 200
# only stubdm
# The same reading and writing as in `traffic`, by dd in dom0 itself, on the image that guests have:
# what the machine gives without a guest. The rows say "native", whichever device model is named.
. "$here/meter.sh"

scenario() {
  dm=native
  timed 64 "if=$images/first.img" skip=33 of=/dev/null iflag=direct
  bandwidth_row read
  timed 64 if=/dev/zero "of=$images/first.img" seek=97 oflag=direct conv=notrunc,fsync
  bandwidth_row write
}

# timed MIB ARGUMENT...: dd's; megabytes and seconds in $moved
timed() {
  local mib=$1 from=$EPOCHREALTIME to
  shift
  dd bs=1M "count=$mib" "$@" 2> /dev/null || fail "dd $*"
  to=$EPOCHREALTIME
  moved=$(awk -v mib="$mib" -v us="$((${to/./} - ${from/./}))" \
    'BEGIN { printf "%.3f %.6f", mib * 1.048576, us / 1e6 }')
}
