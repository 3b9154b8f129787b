# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 900
# boot="n": the option ROM of the card finds a DHCP and TFTP server in dom0, fetches a script, and
# then the kernel and the initramfs.

scenario() {
  serve_files
  guest_config guest /lab/disk/first.img 'boot="n"' \
    'vif=["model=e1000,type=ioemu,bridge=xenbr0,mac=00:16:3e:00:00:0b"]'
  boot_guest guest 600
  in_guest guest 20 "cat /proc/cmdline" || fail "a command in the guest failed"
  [[ $said == *"from=network"* ]] || fail \
    "the guest did not boot from the network; its command line is $said"
  grep -q 'sent .*vmlinuz' "$state/tftp.log" || fail "the TFTP server did not send the kernel"
  say "ok: booted by DHCP and TFTP: ${said//$'\n'/; }"
  check_read guest sda
  power_off guest
  check_nothing_left
  kill "$server"
}

serve_files() {
  mkdir -p "$state/tftp"
  cp /lab/disk/boot/* "$state/tftp/"
  printf '%s\n' '#!ipxe' "kernel vmlinuz $(< /lab/disk/boot/arguments) from=network" \
    'initrd guest.xz' boot > "$state/tftp/boot.ipxe"
  dnsmasq --keep-in-foreground --port=0 --interface=xenbr0 --bind-interfaces --user=root \
    --conf-file=/dev/null --log-dhcp \
    --log-facility="$state/tftp.log" --dhcp-leasefile="$state/leases" \
      --dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,1h \
    --dhcp-boot=boot.ipxe --enable-tftp --tftp-root="$state/tftp" &
  server=$!
  pause 1
  [[ -e /proc/$server ]] || fail "dnsmasq does not start: $(< "$state/tftp.log")"
}
