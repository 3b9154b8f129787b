# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Sourced by `run --host`: the same scenarios on this Xen host. They get a directory, a bridge and
# guests of their own, whose names begin with stubdm-bench; nothing else is touched, and these are
# gone afterwards.
. "$lab/lib/cache.sh"
host_dir=$out/bench/host
export LAB_BRIDGE=stubdm-bench0 LAB_SUBJECT=stubdm-bench-guest
export LAB_IMAGES=$host_dir LAB_GUESTS=$host_dir/guests LAB_STUBS=$host_dir/stubs

# first_of FILE...: the first that can be run
first_of() {
  local file
  for file in "$@"; do [[ ! -x $file ]] || { echo "$file" && return; }; done
  return 1
}

check_host() {
  local program missing=()
  ((EUID == 0)) || die "--host needs root"
  grep -qs control_d /proc/xen/capabilities && xl list > /dev/null ||
    die "this is no Xen host with xl; without --host an emulated one is used"
  for program in xenstore-read xenstore-watch ping ip iperf3; do
    command -v "$program" > /dev/null || missing+=("$program")
  done
  ((${#missing[@]} == 0)) || die "these programs are missing: ${missing[*]}"
  # the guest's disk says that it is 10.0.0.11
  [[ -z $(ip -4 route show root 10.0.0.0/24) ]] ||
    die "this host has a route into 10.0.0.0/24, which the guest uses: $(
      ip -4 route show root 10.0.0.0/24)"
}

find_programs() {
  LAB_STUBDM=${STUBDM:-$top/build/release/stubdm}
  LAB_QEMU=${LAB_QEMU:-$(first_of /usr/libexec/xen-qemu-system-i386 \
    /usr/lib/xen*/bin/qemu-system-i386)} || [[ ,$homes, != *,qemu,* ]] ||
    die "there is no QEMU for Xen here; name it in LAB_QEMU or leave it out of --homes"
  [[ -x $LAB_STUBDM || $homes == qemu ]] || die "there is no $LAB_STUBDM: build it" \
    "(cmake --build --preset release), or name another in STUBDM"
  export LAB_STUBDM LAB_QEMU
}

# copy_files: kernels, ramdisks and the guest's disk. Packages that are missing on a host are told
# and not installed
copy_files() {
  local stubs=${STUBDOM:-$(dirname "$LAB_STUBDM")/stubdom} file
  export LAB_INSTALL=no
  rm -rf "$host_dir"
  mkdir -p "$LAB_GUESTS" "$LAB_STUBS"/{stubdom,opponent}
  if [[ ! $image ]]; then need_packages && image=$(guest_image); fi
  cp "$image" "$host_dir/first.img"
  cp "$image.info" "$host_dir/guest.info"
  if [[ ,$homes, == *,stubdom,* ]]; then
    for file in kernel rootfs; do cp "$stubs/$file" "$LAB_STUBS/stubdom/"; done ||
      die "build target stubdom, or name its directory in STUBDOM"
  fi
  if [[ ,$homes, == *,opponent,* ]]; then
    need_packages
    cp "$vmlinuz" "$LAB_STUBS/opponent/kernel"
    cp "$(opponent_image)" "$LAB_STUBS/opponent/rootfs"
  fi
}

prepare_host() {
  check_host
  find_programs
  trap clean_host EXIT
  clean_host # what a run that was killed left
  copy_files
  ip link add "$LAB_BRIDGE" type bridge
  ip addr add 10.0.0.1/24 dev "$LAB_BRIDGE"
  ip link set "$LAB_BRIDGE" up
}

clean_host() {
  local name
  for name in $(xl list | awk '$1 ~ /^stubdm-bench-/ { print $1 }' | sort -r); do
    xl destroy "$name" > /dev/null 2>&1 || true
  done
  ip link delete "$LAB_BRIDGE" 2> /dev/null || true
  rm -rf "$host_dir"
}

# measure_here UNIT...: as tests/lab/run does in its own dom0
export LAB_LOGS=${journal%.tsv}-logs
measure_here() {
  local unit limit begun
  for unit in "$@"; do
    limit=$(sed -n 's/^# limit //p' "$lab/scenarios/${unit%@*}.sh")
    progress "${unit/@/ on }"
    LAB_UNIT=bench LAB_JOURNAL=$journal record begun "$unit"
    begun=$SECONDS
    if timeout -k 60 "$limit" "$benchlab/host_unit" "${unit%@*}" "${unit#*@}" < /dev/null 2>&1 |
      show_rows; then
      LAB_UNIT=bench LAB_JOURNAL=$journal record passed "$unit" "$((SECONDS - begun))"
    else
      LAB_UNIT=bench LAB_JOURNAL=$journal record failed "$unit" "$((SECONDS - begun))"
      progress "FAILED: $unit; logs: $LAB_LOGS"
    fi
  done
}
show_rows() {
  local line word name measure dm value
  while IFS= read -r line; do
    read -r word name measure dm value <<< "$line"
    if [[ $word == @row ]]; then
      LAB_UNIT=bench LAB_JOURNAL=$journal record row "$name" "$measure" "$dm" "$value"
      line="  ${name//_/ } on $dm: $value $measure"
    fi
    progress "$line"
  done
}
