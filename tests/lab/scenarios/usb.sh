# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# limit 900
# usbdevice="tablet": Linux' uhci-hcd and usbhid find the controller and the tablet, evdev has it
# under its name with axes of 0 to 32767, the controller's interrupts are few while nothing happens,
# and it is still there after xl save and xl restore.

scenario() {
  guest_config guest /lab/disk/first.img 'usb=1' 'usbdevice=["tablet","keyboard"]' 'memory=320'
  boot_guest guest
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  in_guest guest 60 'while read -r m; do insmod $m; done < /tools/usb; sleep 5; true' ||
    fail "the guest cannot load its USB drivers: $said"
  check_devices
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
