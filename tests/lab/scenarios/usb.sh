# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# limit 900
# usbdevice="tablet": Linux' uhci-hcd and usbhid find the controller and the tablet, evdev has it
# under its name with axes of 0 to 32767, a viewer's pointer arrives there where it was put, the
# controller's interrupts are few while nothing happens, and it is still there after xl save and xl
# restore.

scenario() {
  guest_config guest /lab/disk/first.img 'usb=1' 'usbdevice=["tablet","keyboard"]' 'memory=320' \
    'vga="stdvga"' 'nographic=0' 'vnc=1'
  boot_guest guest
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  in_guest guest 60 'while read -r m; do insmod $m; done < /tools/usb; sleep 5; true' ||
    fail "the guest cannot load its USB drivers: $said"
  check_devices
  check_pointer
  check_interrupts
  check_saved
  power_off guest
  check_nothing_left
}

check_devices() {
  in_guest guest 30 'cat /sys/bus/usb/devices/1-*/product' ||
    fail "the guest has no USB device: $said"
  [[ $said == *"USB Tablet"* && $said == *"USB Keyboard"* ]] ||
    fail "the guest's USB devices are: $said"
  in_guest guest 30 'cat /sys/bus/usb/devices/1-1/idVendor /sys/bus/usb/devices/1-1/idProduct' &&
    [[ $said == 0627$'\n'0001 ]] || fail "the tablet is '$said', not 0627:0001"
  in_guest guest 30 'grep -h . /sys/class/input/event*/device/name' &&
    [[ $said == *"stubdm USB Tablet"* && $said == *"stubdm USB Keyboard"* ]] ||
    fail "the guest's input devices are: $said"
  say "ok: tablet and keyboard on the guest's USB, and as input devices"
}

# A viewer points at the middle and at a corner of the text screen, which has 720 by 400 pixels.
check_pointer() {
  local port node
  in_guest guest 30 'grep -l "USB Tablet" /sys/class/input/event*/device/name' ||
    fail "the guest has no tablet: $said"
  node=${said#*input/} node=${node%%/*}
  in_guest guest 30 "(timeout 30 cat /dev/input/$node > /tmp/events) & sleep 1" ||
    fail "the guest cannot read its tablet: $said"
  port=$(xenstore-read "/local/domain/$(domid guest)/console/vnc-port") || fail "no VNC"
  /lab/viewer "$port" shot "$state/guest/usb.ppm" point 0 0 point 359 200 point 719 399 ||
    fail "no viewer can point"
  # struct input_event: type, code and value are its last eight bytes
  in_guest guest 30 "od -A n -v -t u2 -w24 /tmp/events | awk '\$9 == 3 { print \$10, \$11 }'" ||
    fail "the guest got no event: $said"
  [[ $'\n'$said$'\n' == *$'\n'"0 16360"$'\n'* && $'\n'$said$'\n' == *$'\n'"0 32767"$'\n'* &&
    $'\n'$said$'\n' == *$'\n'"1 32767"$'\n'* ]] ||
    fail "the pointer is not where it was put: ${said//$'\n'/; }"
  say "ok: the pointer is where a viewer has put it: ${said//$'\n'/; }"
}

check_interrupts() {
  local before after count="grep uhci_hcd /proc/interrupts | tr -s ' ' | cut -d ' ' -f 3"
  in_guest guest 30 "$count" || fail "no interrupt of uhci_hcd: $said"
  before=$said
  in_guest guest 60 "sleep 10; $count" || fail "no interrupt of uhci_hcd: $said"
  after=$said
  ((after - before < 100)) || fail "$((after - before)) interrupts in 10 s without input"
  say "ok: $((after - before)) interrupts in 10 s without input"
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
  check_devices
  in_guest guest 30 'dmesg | grep -c "USB disconnect" || true' && [[ $said == 0 ]] ||
    fail "the guest has lost a USB device by being saved"
  say "ok: xl save and xl restore"
}
