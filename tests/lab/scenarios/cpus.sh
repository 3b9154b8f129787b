# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# limit 700
# only stubdm stubdom
# (with QEMU 7.2, xl vcpu-set fails: it takes all CPUs for cores of one socket and libxl 4.17 does
# not)
# Four vCPUs at work with the disk's interrupt on each in turn; xl vcpu-set adds two that the guest
# takes into service; buttons pressed by xl trigger reach the guest on the interrupt that our ACPI
# events share with Xen's. At last xl shutdown -F.

scenario() {
  guest_config guest /lab/disk/first.img 'vcpus=4' 'maxvcpus=6'
  boot_guest guest 400
  in_guest guest 60 tools || fail "the guest cannot unpack its tools: $said"
  check_cpus 0-3
  in_guest guest 60 "spread sda" || fail "$said"
  say "ok: ${said//$'\n'/; }"
  check_parallel
  check_vcpu_set
  check_button power pwr
  check_button sleep slp
  check_shutdown
  check_nothing_left
}

# Its kernel hears of it by xenstore. For a guest that does not, -F presses the power button, which
# was tried above.
check_shutdown() {
  xl shutdown -F guest >> "$(xl_log guest)" 2>&1 || fail "xl shutdown -F failed; see xl.log"
  await 120 "the guest to end after xl shutdown -F" gone guest
  say "ok: xl shutdown -F"
}

check_cpus() {
  in_guest guest 20 "cat /sys/devices/system/cpu/online" ||
    fail "the guest does not say which CPUs are online"
  [[ $said == "$1" ]] || fail "CPUs $said are online in the guest, not $1"
  say "ok: CPUs $said are online"
}

# Every vCPU has a request under way at the same time: four readers, each on a CPU of its own, all
# of the same bytes.
check_parallel() {
  local sums
  in_guest guest 120 'for c in 0 1 2 3; do taskset -c $c dd if=/dev/sda2 bs=64k count=64' \
    'iflag=direct 2> /dev/null | sha256sum & done; wait' ||
    fail "reading on four CPUs at once failed: $said"
  sums=$(grep -oE '[0-9a-f]{64}' <<< "$said" | sort | uniq -c)
  [[ $sums =~ ^\ *4\ [0-9a-f]{64}$ ]] || fail "four CPUs read different bytes: $said"
  say "ok: four CPUs read the same 4 MiB at once"
}

# Growing goes by QMP and an ACPI event. A new CPU is there at once, and the guest's own business
# from then on.
check_vcpu_set() {
  xl vcpu-set --ignore-host guest 6 >> "$(xl_log guest)" 2>&1 ||
    fail "xl vcpu-set failed; its words are in xl.log"
  in_guest guest 60 'for c in 4 5; do i=0; until [ -e /sys/devices/system/cpu/cpu$c/online ]; do' \
    'i=$((i + 1)); [ $i -lt 100 ] || exit 1; sleep 0.2; done;' \
    'echo 1 > /sys/devices/system/cpu/cpu$c/online; done' ||
    fail "the guest did not get its new CPUs: $said"
  check_cpus 0-5
  [[ $(xl list guest | awk 'NR == 2 { print $4 }') == 6 ]] ||
    fail "xl list does not show six vCPUs: $(xl list guest)"
  xl vcpu-set --ignore-host guest 4 >> "$(xl_log guest)" 2>&1 ||
    fail "xl vcpu-set to fewer failed; its words are in xl.log"
  in_guest guest 20 true || fail "the guest suffers from xl vcpu-set"
  say "ok: xl vcpu-set"
}

# check_button TRIGGER NAME: counted where Linux counts ACPI's fixed events
check_button() {
  local counter=/sys/firmware/acpi/interrupts/ff_$2_btn before
  in_guest guest 20 "cat $counter" || fail \
    "the guest does not count presses of its $1 button: $said"
  before=$(awk '{ print $1 }' <<< "$said")
  xl trigger guest "$1" || fail "xl trigger $1 failed"
  pause 1
  in_guest guest 20 "cat $counter" || fail "reading $counter failed: $said"
  (($(awk '{ print $1 }' <<< "$said") == before + 1)) ||
    fail "the $1 button was pressed once, and the guest says: $said, before: $before"
  say "ok: the guest notices its $1 button"
}
