# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# What was judged, when, and how it ended, a line each, divided by tabs: DATE UNIT begun
# SCENARIO@DM, DATE UNIT passed|failed|not-run SCENARIO@DM SECONDS, or DATE UNIT row NAME UNIT DM
# VALUE. `full` keeps such a file for each commit, where a later line about the same takes the
# place of an earlier one; bench/lab keeps one for each run, where each line counts.

# record VERDICT WORD...: into the file that LAB_JOURNAL names, if it does; LAB_UNIT is the unit,
# else it is the scenario
record() {
  [[ ${LAB_JOURNAL:-} ]] || return 0
  local verdict=$1
  shift
  { printf '%s\t%s\t%s' "$(date '+%F %H:%M')" "${LAB_UNIT:-$1}" "$verdict" && printf '\t%s' "$@" &&
    echo; } >> "$LAB_JOURNAL"
}

# verdict_of FILE UNIT SCENARIO@DM: the last one, or nothing
verdict_of() {
  awk -F '\t' -v unit="$2" -v what="$3" \
    '$2 == unit && $3 ~ /^(passed|failed|not-run)$/ && $4 == what { verdict = $3 }
      END { print verdict }' "$1"
}
# rows_of FILE: as table reads them
rows_of() { awk -F '\t' '$3 == "row" { print $4, $5, $6, $7 }' "$1"; }
