# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 200
# only stubdm
# What stubdm cannot serve it must refuse at once, with a message that says what to change, and
# leave nothing behind. First run by hand, with the command line libxl would give it, then by xl
# create.

scenario() {
  program=$(device_model "$dm")
  good=(-xen-domid 77 -no-shutdown -nodefaults -no-user-config -name guest -vnc none -display none
    -serial null -nographic
    -boot order=cda -net none -machine "pc,accel=xen,suppress-vmdesc=on" -m 248)
  disk=file=/lab/disk/first.img,if=ide,index=0,media=disk,format=raw,cache=writeback

  refused "no arguments" 'xen-domid'
  refused "an unknown option" 'no-such-option' "${good[@]}" -no-such-option
  refused "an option without its value" 'xen-domid' -xen-domid
  refused "a domid that is no number" 'seven' -xen-domid seven "${good[@]:2}"
  refused "a domid without a guest" '77' "${good[@]}" -drive "$disk"
  refused "a missing image" '/lab/disk/absent.img' "${good[@]}" -drive "${disk/first/absent}"
  refused "a graphics card it has not" 'vga' "${good[@]}" -device qxl-vga,vram_size_mb=64
  refused "a network card it has not" 'vif=' "${good[@]}" \
    -device ne2k_pci,id=nic0,netdev=net0,mac=00:16:3e:00:00:0a \
      -netdev type=tap,id=net0,ifname=vif77.0-emu,br=xenbr0,script=no,downscript=no

  guest_config guest /lab/disk/first.img 'vga="qxl"' \
    'vif=["bridge=xenbr0,mac=00:16:3e:00:00:0a,model=pcnet"]'
  refused_by_xl
}

# refused WHAT WORD ARGUMENT...: it must end by itself, not with success, and WORD must be in what
# it says
refused() {
  local what=$1 word=$2 status=0 output
  shift 2
  output=$(timeout 10 "$program" "$@" 2>&1 < /dev/null) || status=$?
  case $status in
    0) fail "$what: accepted" ;;
    124 | 137 | 143) fail "$what: no end within 10 s" ;;
    12[89] | 1[3-9]? | 2??) fail "$what: ended by a signal ($status): $output" ;;
  esac
  [[ $output ]] || fail "$what: refused without a word"
  [[ $output == *"$word"* ]] || fail "$what: the message does not say '$word': $output"
  nothing_left || fail "$what: left behind: $(left_behind)"
  say "ok: $what: $output"
}

refused_by_xl() {
  local log=/var/log/xen/qemu-dm-guest.log
  echo "device_model_override=\"$program\"" >> "$state/guest/cfg"
  ! xl create "$state/guest/cfg" > "$(xl_log guest)" 2>&1 ||
    fail "xl create with qxl and a pcnet succeeded"
  [[ -s $log ]] || fail "there is no $log"
  [[ $(< "$log") == *'vga="stdvga"'* && $(< "$log") == *vif=* ]] ||
    fail "$log does not say to change vga and vif: $(< "$log")"
  say "ok: xl create fails, and ${log##*/} says: $(< "$log")"
  check_nothing_left
}
