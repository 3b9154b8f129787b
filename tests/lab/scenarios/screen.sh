# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# vga="stdvga" and VNC with a viewer of our own: the picture is the guest's text screen, what is
# typed arrives, the display goes when nobody looks, a killed one costs nothing, and xl save and xl
# restore keep the picture.

scenario() {
  guest_config guest /lab/disk/first.img 'vga="stdvga"' 'nographic=0' 'vnc=1' 'vncunused=1'
  boot_guest guest
  find_screen
  check_idle
  check_picture
  check_keys
  [[ $dm == qemu ]] || check_display
  check_saved
  power_off guest
  check_nothing_left
}

# port: where xl vncviewer would connect
find_screen() {
  local id
  id=$(domid guest)
  port=$(xenstore-read "/local/domain/$id/console/vnc-port") ||
    fail "libxl does not know where the guest's screen is"
  say "ok: viewers connect to $(xenstore-read "/local/domain/$id/console/vnc-listen"), port $port"
}

# picture FILE: the screen, still
picture() { /lab/viewer "$port" shot "$1" || fail "no viewer sees the screen"; }

# find_display: the process that shows the screen, if there is one
find_display() {
  local process
  for process in /proc/[0-9]*; do
    [[ $(cat "$process/comm" 2> /dev/null) != stubdm-display ]] || echo "${process#/proc/}"
  done
}

# without a viewer there is no process, and nothing is asked of Xen
check_idle() {
  [[ $dm != stubdm || ! $(find_display) ]] || fail "a display runs although nobody looks"
}

# The same text in two colours of the kernel's: the picture has both, and the words move one line.
check_picture() {
  local header
  in_guest guest 30 'printf "\033c\033[1;32mgreen\033[41m red \033[0m\n" > /dev/tty1' ||
    fail "the guest cannot write to its text screen: $said"
  sleep 1
  picture "$state/guest/text.ppm"
  header=$(head -c 15 "$state/guest/text.ppm" | tr '\n' ' ')
  [[ $header == 'P6 720 400 255 '* ]] || fail "the screen is no text screen of 720x400: $header"
  tail -c +16 "$state/guest/text.ppm" | od -An -v -t x1 -w3 | sort | uniq -c \
    > "$state/guest/colours"
  grep -q ' 57 ff 57' "$state/guest/colours" || fail "no bright green on the screen"
  grep -q ' a8 00 00' "$state/guest/colours" || fail "no red on the screen"
  if [[ $dm != qemu ]]; then
    "$(device_model "$dm")" inspect "$(domid guest)" --screen "$state/guest/text.png" ||
      fail "stubdm inspect does not see the screen"
    [[ $(head -c 4 "$state/guest/text.png" | tail -c 3) == PNG ]] || fail "that is no picture"
    say "ok: stubdm inspect --screen: $(wc -c < "$state/guest/text.png") bytes"
  fi
  say "ok: the text screen is there, 720x400, in $(wc -l < "$state/guest/colours") colours"
}

check_keys() {
  in_guest guest 20 '(head -n 2 < /dev/tty1 > /tmp/typed; echo > /tmp/done) & sleep 0' ||
    fail "the guest cannot read its keyboard: $said"
  sleep 1
  /lab/viewer "$port" type 'Hello, World! ~|\n' codes 'scan codes 0123\n' ||
    fail "no viewer can type"
  in_guest guest 60 'until [ -e /tmp/done ]; do sleep 0.2; done; cat /tmp/typed; rm /tmp/done' ||
    fail "what was typed does not arrive: $said"
  [[ $said == $'Hello, World! ~|\nscan codes 0123' ]] || fail "what arrived is: $said"
  say "ok: what was typed arrived, by symbols and by scan codes"
}

# status_of PROCESS FIELD
status_of() { awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"; }

check_display() {
  local display viewer report
  /lab/viewer "$port" stall 5 > /dev/null 2>&1 & # it asks, and reads nothing
  viewer=$!
  sleep 2
  display=$(find_display)
  [[ $display ]] || fail "there is no display while a viewer looks"
  say "ok: the display is process $display, $(status_of "$display" VmRSS) KiB; root directory" \
    "$(readlink "/proc/$display/root"), user $(status_of "$display" Uid)"
  [[ $(status_of "$display" CapEff) == 0000000000000000 ]] || fail "the display has capabilities"
  [[ $(status_of "$display" Seccomp) == 2 ]] || fail "the display's system calls are not filtered"
  in_guest guest 20 'echo lives' || fail "a viewer that does not read holds the guest up: $said"
  kill -9 "$display"
  wait "$viewer"
  picture "$state/guest/again.ppm"
  in_guest guest 20 'echo lives' || fail "the guest does not live without its display: $said"
  say "ok: a display that is killed is another one for the next viewer"
  for ((i = 0; i < 40; ++i)); do
    [[ $(find_display) ]] || break
    sleep 1
  done
  [[ ! $(find_display) ]] || fail "the display stays although nobody looks"
  report=$("$(device_model "$dm")" inspect "$(domid guest)") || fail "no inspection"
  [[ $report == *viewers* ]] || fail "the inspection does not tell of viewers"
  say "ok: the display ends when nobody has looked for $i s"
}

check_saved() {
  local file=$state/saved
  picture "$state/guest/before.ppm"
  xl save guest "$file" >> "$(xl_log guest)" 2>&1 || fail "xl save failed; see xl.log"
  detach guest
  check_nothing_left
  xl restore "$file" >> "$(xl_log guest)" 2>&1 || fail "xl restore failed; see xl.log"
  rm "$file"
  attach guest
  await_answer guest
  find_screen
  picture "$state/guest/after.ppm"
  cmp "$state/guest/before.ppm" "$state/guest/after.ppm" ||
    fail "the picture is another one after xl save and xl restore"
  check_keys
  say "ok: xl save and xl restore keep the screen"
}
