# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by everything that runs in dom0: guests and their consoles.

# Where things are in the lab's dom0. bench/lab uses this file on a real host, where they are
# elsewhere and the guest has a name that no other has.
here=${BASH_SOURCE[0]%/*}  # this file and those beside it
images=${LAB_IMAGES:-/lab/disk}
# what is known of guests: one directory each, with the transcript of the serial console
state=${LAB_GUESTS:-/run/lab}
subject=${LAB_SUBJECT:-guest} # the guest of scenarios that measure
bridge=${LAB_BRIDGE:-xenbr0}
. "$here/check_disk.sh"
. "$here/leftovers.sh"
. "$here/moves.sh"

password=stubdm            # root's, in the guest
. "$images/guest.info"     # data_sha256 and payload_bytes of its disk
exec {never}<> <(:)        # nothing ever comes from here: a pause that needs no process
declare -A reader_of unread

now() { printf '%s' "$EPOCHREALTIME"; }
# since START: seconds with one decimal
since() {
  local tenths=$(((${EPOCHREALTIME/./} - ${1/./}) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}
pause() { read -r -t "$1" -u "$never" || true; }
say() { printf '  %s\n' "$*"; }
fail() {
  printf '  FAILED: %s\n' "$*"
  exit 1
}
# row NAME UNIT VALUE: a measured value, for the table at the end
row() {
  [[ $3 =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "no value for $1: '$3'"
  printf '@row %s %s %s %s\n' "$1" "$2" "$dm" "$3"
}
# iperf SECONDS ARGUMENT...: iperf3, its report on standard output. Its server is deaf for a moment
# after each test and then resets the next control connection before any data has moved. That is no
# fault of what is judged, so such a test is begun again, twice at most.
iperf() {
  local limit=$1 try report status
  shift
  for try in 1 2 3; do
    status=0
    report=$(timeout "$limit" iperf3 "$@" 2>&1) || status=$?
    [[ $status != 0 && $report =~ control\ (message|socket)|server\ is\ busy ]] || break
    say "iperf3's server was not ready, try $try: ${report##*$'\n'}" >&2
    pause 3
  done
  printf '%s\n' "$report"
  return "$status"
}
# await SECONDS WHAT COMMAND...: until COMMAND succeeds
await() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < limit)) || fail "waited in vain for: $what"
    pause 0.2
  done
}

# ---- guests ----

# device_model NAME: the program in dom0 that "stubdm" or "qemu" stands for
device_model() {
  case $1 in
    stubdm) echo "${LAB_STUBDM:-/usr/libexec/stubdm}" ;;
    qemu) echo "${LAB_QEMU:-/usr/libexec/xen-qemu-system-i386}" ;;
    *) fail "no device model is called '$1'; it can be stubdm or qemu" ;;
  esac
}

# home_lines DM: the lines of xl.cfg that say which device model serves, and where. Stub domains:
# "stubdom" is stubdm in a domain of its own, "stubdom-debian" the same with Debian's kernel,
# "opponent" QEMU with Debian's kernel (mkopponent). The consoles and disks of each are served by
# stubdm in dom0.
declare -A stub_memory=([stubdom]=20 [stubdom-debian]=128 [opponent]=256) # MiB
in_stub_domain() { [[ ${stub_memory[$1]:-} ]]; }
home_lines() {
  if in_stub_domain "$1"; then
    printf '%s\n' 'device_model_version="qemu-xen"' 'device_model_stubdomain_override=1' \
      "stubdomain_memory=${stub_memory[$1]}" \
      "device_model_override=\"$(device_model stubdm)\""
    # ours is where libxl looks, unless LAB_STUBS says where all are
    [[ $1 == stubdom && ! ${LAB_STUBS:-} ]] ||
      printf 'stubdomain_%s\n' "kernel=\"${LAB_STUBS:-/lab}/$1/kernel\"" \
        "ramdisk=\"${LAB_STUBS:-/lab}/$1/rootfs\""
    [[ $1 == stubdom ]] || echo 'stubdomain_cmdline="quiet"'
  else
    printf 'device_model_override="%s"\n' "$(device_model_path "$1")"
  fi
}

# guest_config GUEST DISK [LINE...]: a file for xl create, the same for every device model; later
# lines win
guest_config() {
  local guest=$1 disk=$2
  shift 2
  mkdir -p "$state/$guest"
  {
    cat << END
name="$guest"
type="hvm"
memory=256
vcpus=1
disk=["$disk,raw,hda,rw"]
vif=[]
serial="pty"
vga="none"
vnc=0
sdl=0
nographic=1
usb=0
vkb_device=0
xen_platform_pci=0
on_poweroff="destroy"
on_reboot="restart"
END
    printf '%s\n' "$@"
  } > "$state/$guest/cfg"
}

# stamped DM: the same device model, which notes first when it was executed; see running_at
stamped() {
  local program
  program=$(device_model "$1")
  mkdir -p "$state/bin"
  printf '#!/bin/bash\necho "$EPOCHREALTIME" > %s/executed.$XEN_DOMAIN_ID\nexec %s "$@"\n' \
    "$state" "$program" > "$state/bin/$1"
  chmod +x "$state/bin/$1"
  printf '%s/bin/%s' "$state" "$1"
}

# watch_running: from now on note when a device model's state appears in xenstore
watch_running() {
  local path
  xenstore-watch /local/domain/0/device-model | while read -r path; do
    path=${path#/local/domain/0/device-model/}
    [[ $path == */state ]] && echo "$EPOCHREALTIME" > "$state/running.${path%/state}"
  done &
}

# watch_stubs: from now on note when a stub domain's console backend is ready, which is the last
# thing before it is unpaused, and when the device model in it says that it runs
watch_stubs() {
  local path
  xenstore-watch /local/domain | while read -r path; do
    case $path in
      /local/domain/0/device-model/*/state) path=${path#/local/domain/0/device-model/} &&
        echo "$EPOCHREALTIME" > "$state/executed.${path%/state}" ;;
      /local/domain/*/device-model/*/state) path=${path#/local/domain/} &&
        echo "$EPOCHREALTIME" > "$state/running.${path%%/*}" ;;
    esac
  done &
}

# exec_to_running ID: in milliseconds
exec_to_running() {
  local from to
  from=$(< "$state/executed.$1") to=$(< "$state/running.$1")
  printf '%d' $(((${to/./} - ${from/./}) / 1000))
}

xl_log() { printf '%s/%s/xl.log' "$state" "$1"; }

# create GUEST DM [xl create's options]: start it, and attach to its console
create() {
  local guest=$1 dm=$2
  shift 2
  sed -i '/^device_model_\(override\|version\|stubdomain_override\)\|^stubdomain_/d' \
    "$state/$guest/cfg"
  home_lines "$dm" >> "$state/$guest/cfg"
  created_at=$(now)
  xl create "$@" "$state/$guest/cfg" >> "$(xl_log "$guest")" 2>&1 ||
    fail "xl create failed; its words are in xl.log"
  attach "$guest"
}
device_model_path() { if [[ $1 == /* ]]; then printf '%s' "$1"; else device_model "$1"; fi; }

domid() { xl domid "$1" 2>/dev/null; }
dm_pid() { xenstore-read "/local/domain/$1/image/device-model-pid" 2>/dev/null; }
# stub_of ID: the stub domain that serves this one, if one does
stub_of() { xenstore-read "/local/domain/$1/image/device-model-domid" 2>/dev/null; }
# server_of ID: what serves it: "process PID" or "domain STUB"
server_of() {
  local number
  if number=$(stub_of "$1"); then echo "domain $number"
  else number=$(dm_pid "$1") && echo "process $number"
  fi
}
# serves "process PID"|"domain STUB": is it still there?
serves() {
  if [[ $1 == process* ]]; then
    [[ -e /proc/${1#* } ]]
  else
    xl domname "${1#* }" > /dev/null 2>&1
  fi
}
exists() { xl domid "$1" >/dev/null 2>&1; }
gone() { ! exists "$1"; }

# session_of PID: each process of its session, with its processor time in ticks
session_of() {
  # processes end while cat looks for them, which is no failure
  { cat /proc/[0-9]*/stat 2>/dev/null || true; } | sed 's/ (.*) / /' |
    awk -v session="$1" '$5 == session { print $1, $13 + $14 }'
}

# cpu_of "process PID"|"domain STUB": seconds of processor time used by the domain, or by this
# process and the others of its session (libxl gives a device model its own)
cpu_of() {
  if [[ $1 == domain* ]]; then
    xl list "${1#* }" | awk 'NR == 2 { printf "%.2f", $6 }'
    return
  fi
  session_of "${1#* }" | awk '{ ticks += $2 } END { printf "%.2f", ticks / 100 }'
}

# ---- the serial console ----

# tty_of ID [PORT]: a stub domain has its guest's ports on consoles 3 and up
tty_of() {
  local stub port=${2:-0}
  if stub=$(stub_of "$1"); then xenstore-read "/local/domain/$stub/device/console/$((3 + port))/tty"
  else xenstore-read "/local/domain/$1/serial/$port/tty"
  fi 2>/dev/null
}
has_tty() { [[ $(tty_of "$1") == /dev/pts/* ]]; }

# attach GUEST: write down what its serial port says from now on
attach() {
  local guest=$1 id fd log=$state/$1/serial.log
  id=$(domid "$guest") || fail "$guest does not exist"
  await 10 "the name of $guest's serial console in xenstore" has_tty "$id"
  detach "$guest"
  tty_of "$id" > "$state/$guest/tty"
  bytes_read "$(server_of "$id")" > "$state/$guest/read_before"
  touch "$log"
  cat "$(tty_of "$id")" >> "$log" 2>/dev/null &
  echo $! > "$state/$guest/reader"
  if [[ -z ${reader_of[$guest]:-} ]]; then
    exec {fd}< "$log"
    reader_of[$guest]=$fd
  fi
}

detach() {
  [[ -e $state/$1/reader ]] || return 0
  kill "$(< "$state/$1/reader")" 2>/dev/null || true
  rm -f "$state/$1/reader"
}

# type_line GUEST TEXT: as from a keyboard, with Enter
type_line() { printf '%s\r' "$2" > "$(< "$state/$1/tty")"; }

# hear GUEST: take in what was said meanwhile
hear() {
  local new
  IFS= read -r -d '' -u "${reader_of[$1]}" new || true
  [[ $new ]] || return 0
  unread[$1]=${unread[$1]:-}${new//$'\r'/}
}

# heard GUEST REGEX: has it said this? What came before, and the match, are then behind us; the
# match is in BASH_REMATCH and before it, $said
heard() {
  hear "$1"
  [[ ${unread[$1]:-} =~ $2 ]] || return 1
  said=${unread[$1]%%"${BASH_REMATCH[0]}"*}
  unread[$1]=${unread[$1]#*"${BASH_REMATCH[0]}"}
}

# expect GUEST SECONDS REGEX
expect() {
  local guest=$1 limit=$((SECONDS + $2)) regex=$3 began=$SECONDS next=$((SECONDS + 15))
  until heard "$guest" "$regex"; do
    if ((SECONDS >= limit)); then
      fail "$guest did not say '$regex' within $2 s; it said last: $(tail -c 300 \
        "$state/$guest/serial.log")"
    fi
    if ((SECONDS >= next)); then
      say "... $((SECONDS - began)) s: $(doing "$guest")"
      next=$((SECONDS + 15))
    fi
    pause 0.2
  done
}

# bytes_read "process PID"|"domain STUB": by a process, from anywhere; by a domain, from its disks
bytes_read() {
  if [[ $1 == domain* ]]; then
    { cat "/sys/bus/xen-backend/devices/vbd-${1#* }-"*/statistics/rd_sect 2>/dev/null || true; } |
      awk '{ n += $1 } END { print n * 512 }'
  else
    awk '/^rchar/ { n = $2 } END { print n + 0 }' "/proc/${1#* }/io" 2>/dev/null || echo 0
  fi
}

# doing GUEST: what it is at, as far as it can be seen from here
doing() {
  local id server bytes
  id=$(domid "$1") && server=$(server_of "$id") || { echo "$1 is gone"; return; }
  bytes=$(($(bytes_read "$server") - $(< "$state/$1/read_before")))
  if ((bytes < payload_bytes / 100)); then echo "$1 is in its BIOS"
  elif ((bytes < payload_bytes)); then echo \
    "$1's BIOS reads the kernel, $((bytes * 100 / payload_bytes)) %"
  else echo "$1 has read its kernel and goes on; CPU time of its device model: $(cpu_of \
    "$server") s"
  fi
}

await_init() {
  expect "$1" "${2:-300}" 'guest init ([0-9.]+)'
  say "$1: init $(since "$created_at") s after its start, ${BASH_REMATCH[1]} s by its own clock"
}

# await_ready GUEST: until it has its drivers; its line is in $ready
await_ready() {
  expect "$1" 120 'guest ready [^'$'\n'']*'$'\n'
  ready=${BASH_REMATCH[0]%$'\n'}
  say "$1: $ready"
}

# log_in GUEST: with name and password
log_in() {
  expect "$1" 60 'login: '
  type_line "$1" root
  expect "$1" 60 'Password: '
  type_line "$1" "$password"
  expect "$1" 60 '# '
  say "$1: logged in"
}

# boot_guest GUEST [SECONDS]: create it on the scenario's device model, and go with it as far as
# root's prompt
boot_guest() {
  create "$1" "$dm"
  await_init "$@"
  await_ready "$1"
  log_in "$1"
}

# power_off GUEST: by its own hand, until xl has destroyed it
power_off() {
  type_line "$1" poweroff
  await 60 "xl destroying $1 after poweroff" gone "$1"
}

# find_drives GUEST: the guest's names for the drives at xl's hda to hdd, or "none", into variables
# of these names. Its kernel looks at all of them at once and names them as they come.
find_drives() {
  in_guest "$1" 20 'for at in 0:0:0:0 0:0:1:0 1:0:0:0 1:0:1:0; do' \
    'ls /sys/bus/scsi/devices/$at/block 2> /dev/null || echo none; done' ||
    fail "$1 cannot name its drives: $said"
  # shellcheck disable=SC2034 # for scenarios
  read -r hda hdb hdc hdd <<< "${said//$'\n'/ }"
}

# in_guest GUEST SECONDS COMMAND...: type it, its words joined by spaces, as one line; its output is
# in $said, its status is returned
in_guest() {
  local guest=$1 seconds=$2 status output
  # the quotes keep the echo of what is typed from being taken for an answer
  type_line "$guest" "echo st''art; ${*:3}; echo st''atus=\$?"
  expect "$guest" 60 $'start\n'
  expect "$guest" "$seconds" 'status=([0-9]+)'
  status=${BASH_REMATCH[1]} output=$said
  expect "$guest" 30 '# '
  said=${output%$'\n'}
  return "$status"
}
