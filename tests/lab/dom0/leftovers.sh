# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by lib.sh. What must not stay when a guest has gone, and what is done at the end of a
# scenario, however it ended.

# left_behind [ID]: what there is that belongs to any guest but domain ID and its stub domain, one
# thing a line
left_behind() {
  local path but=${1:-none} stub
  stub=$(stub_of "$but") || stub=none
  xl list | awk -v but="$but" -v stub="$stub" \
    'NR > 1 && $2 != 0 && $2 != but && $2 != stub { print "domain " $1 " " $2 " " $5 }'
  ps -o pid,args | awk -v but="-xen-domid $but " -v stub="-xen-domid $stub " \
    -v vchan="/device-model/$but/" '(/-xen-domi[d] / || /vchan-socket-prox[y]/) &&
      !index($0, but) && !index($0, stub) && !index($0, vchan) {
      print "process " substr($0, 1, 80) }'
  for path in /run/xen/qmp-* /sys/class/net/vif*; do
    case $path in
      *-"$but" | *-"$stub" | */vif"$but".* | */vif"$stub".*) ;;
      *) [[ ! -e $path ]] || echo "$path" ;;
    esac
  done
  for path in /local/domain /libxl /local/domain/0/device-model; do
    { xenstore-list "$path" 2> /dev/null || true; } |
      awk -v path="$path" -v but="$but" -v stub="$stub" \
        '$1 != 0 && $1 != but && $1 != stub { print "xenstore " path "/" $1 }'
  done
  return 0
}
nothing_left() { [[ -z $(left_behind "$@") ]]; }

# check_nothing_left [ID]: a few seconds are given, since xl tidies up after it has answered
check_nothing_left() {
  local limit=$((SECONDS + 20))
  until nothing_left "$@"; do
    ((SECONDS < limit)) || fail "left behind: $(left_behind "$@" | tr '\n' ';')"
    pause 0.2
  done
  say "ok: no domain, process, socket, interface or xenstore entry is left"
}

# ---- at the end of a scenario, however it ended ----

# end_all PATTERN: the processes whose "PID ARGUMENTS" match it (busybox has no pkill)
end_all() {
  local pid
  for pid in $(ps -o pid,args | awk -v what="$1" '!/awk -v what/ && $0 ~ what { print $1 }'); do
    kill "$pid" 2> /dev/null || true
  done
}

# tidy: destroy all guests and their device models
tidy() {
  local id file
  for id in $(xl list | awk 'NR > 1 && $2 > 0 { print $2 }'); do
    xl destroy "$id" 2>/dev/null || true
  done
  for file in "$state"/*/reader; do [[ -e $file ]] && kill "$(< "$file")" 2>/dev/null; done
  end_all '-xen-domid |/vchan-socket-proxy |^[0-9 ]*xl |httpd .*-h '
  losetup -D 2>/dev/null || true
}

# look_inside DIRECTORY: what guests and device models that are still there are at
look_inside() {
  local id pid
  xl vcpu-list > "$1/xl-vcpu-list.log" 2>&1
  for id in $(xl list | awk 'NR > 1 && $2 > 0 { print $2 }'); do
    pid=$(dm_pid "$id") || continue
    head -n 20 "/proc/$pid/wchan" "/proc/$pid/syscall" "/proc/$pid/stack" > "$1/process-$id.log" \
      2>&1
    /usr/libexec/stubdm inspect "$id" > "$1/inspect-$id.log" 2>&1
  done
}

# keep_logs DIRECTORY
keep_logs() {
  mkdir -p "$1"
  look_inside "$1"
  cp -r "$state"/*/ "$1/" 2>/dev/null || true
  cp /var/log/xen/* "$1/" 2>/dev/null || true
  xl dmesg > "$1/xl-dmesg.log" 2>/dev/null || true
}

# show_logs DIRECTORY: the last lines of each, for the one who must find out
show_logs() {
  local file
  for file in "$1"/*.log "$1"/*/*.log; do
    [[ -s $file && $file != */xl-dmesg.log && $file != */inspect-*.log ]] || continue
    printf '  --- %s\n' "${file#/lab/out/}"
    tail -n 12 "$file" | cut -c 1-200 | sed 's/^/  | /'
  done
  printf '  --- xl dmesg\n'
  xl dmesg 2>/dev/null | tail -n 8 | sed 's/^/  | /'
}
