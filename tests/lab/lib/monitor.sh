# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# What can be asked of the emulator of the machine whose log directory is $log; see `boot`.

# monitor COMMAND...: of QEMU's own console; what it answers comes to monitor.log
monitor() { timeout 2 bash -c 'printf "%s\n" "${@:2}" > "$1"' - "$log/monitor.in" "$@" || true; }

# rouse: the emulator forgets to deliver an interrupt that its own local APIC holds (IRR set,
# nothing in service, interrupts on), and the machine stands still until the next one comes. A key
# pressed at its keyboard, which nothing in it cares for, is such a one. The state of APIC and
# processors goes to monitor.log first.
rouse() { monitor "info lapic" "info registers -a" "sendkey shift"; }
