# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Sourced by `run`: what is to be done, and in which order. A unit is a scenario of tests/lab on one
# device model, as tests/lab/run takes it: SCENARIO@DM.

declare -A title_of=([stubdm]="stubdm" [qemu]="QEMU" [stubdom]="stubdm, stub domain"
  [opponent]="QEMU, stub domain" [native]="native")
# how many seconds each took under software emulation on two quiet cores, until the journal knows
declare -A seconds_of=([start]=50 [traffic]=240 [boot]=110 [native]=5 [moving]=240)

# wants ROW...: is one of these asked for?
wants() {
  local row wanted
  [[ $rows ]] || return 0
  for row in "$@"; do
    for wanted in ${rows//,/ }; do
      [[ $row != "$wanted"* && $wanted != "$row"* ]] || return 0
    done
  done
  return 1
}

# plan: into units all that belongs to this run, in order, and into todo what is left of it
plan() {
  local round home unit traffic=
  units=() todo=()
  ! wants iperf_ dd_ exits_ interrupts_ cpu_ idle_ memory || traffic=yes
  for ((round = 0; round < rounds; ++round)); do
    ! wants start || for home in ${homes//,/ }; do units+=("start@$home"); done
    ! wants dd_ || units+=(native@stubdm)
    [[ ! $traffic ]] || for home in ${homes//,/ }; do units+=("traffic@$home"); done
    # the stub domain with QEMU cannot be saved: nobody made its consoles for that
    ! wants save restore migration state || for home in ${homes//,/ }; do
      [[ $home == opponent ]] || units+=("moving@$home")
    done
  done
  # each round has booted everyone once, if it had to
  round=0
  [[ ! $traffic ]] || round=$rounds
  ! wants boot || for (( ; round < boots; ++round)); do
    for home in ${homes//,/ }; do units+=("boot@$home"); done
  done
  ((${#units[@]})) || die "no row begins with '$rows'; see --help"

  local -A passed=()
  while read -r unit; do passed[$unit]=$((${passed[$unit]:-0} + 1)); done < <(
    awk -F '\t' '$3 == "passed" { print $4 }' "$journal")
  for unit in "${units[@]}"; do
    if ((${passed[$unit]:-0})); then
      passed[$unit]=$((passed[$unit] - 1))
    else
      todo+=("$unit")
    fi
  done
}

# seconds_for UNIT: as the journal saw it last, else as it is known
seconds_for() {
  awk -F '\t' -v unit="$1" -v seconds="${seconds_of[${1%@*}]}" \
    '$3 == "passed" && $4 == unit { seconds = $5 } END { printf "%d", seconds }' "$journal"
}
minutes_left() {
  local unit seconds=30
  for unit in "${todo[@]}"; do seconds=$((seconds + $(seconds_for "$unit"))); done
  echo $(((seconds + 59) / 60))
}

list() {
  local unit
  say "journal: $journal"
  for unit in "${units[@]}"; do printf '%4d s  %s\n' "$(seconds_for "$unit")" "$unit"; done
  say "${#todo[@]} of these ${#units[@]} are to be done, about $(minutes_left) min"
}
