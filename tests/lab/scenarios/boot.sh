# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 600
# How long from xl create to an answer to a ping: nothing else.
. "$here/meter.sh"

scenario() {
  guest_with_card
  boot_to_answer
  xl destroy "$subject" || fail "xl destroy failed"
  check_nothing_left
}
