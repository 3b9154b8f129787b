# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by every script of the lab that runs on the developer's machine: where things are, and how
# to speak to people.

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
top=$(cd "$lab/../.." && pwd)
out=${LAB_OUT:-$top/build/lab} # everything the lab makes: images, downloads, logs
# Debian 12's Xen, or with LAB_XEN=4.20 Debian 13's: everything in dom0 but the kernel is then from
# xen_root
xen_version=${LAB_XEN:-4.17}
xen_dir=/usr/lib/xen-$xen_version
xen_root=
[[ $xen_version == 4.17 ]] || xen_root=$out/debian13/root
PATH=$PATH:/usr/sbin:/sbin     # parted, mkfs and others, for those who are not root

say() { printf '%s\n' "$*"; }
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  complain "$@"
  exit 1
}

# How long this script has been running, for progress lines.
elapsed() { printf '%4d s' "$SECONDS"; }
progress() { printf '[%s] %s\n' "$(elapsed)" "$*"; }

# quietly COMMAND...: what it says is only shown if it fails
quietly() {
  local words
  words=$("$@" 2>&1) || die "$1 failed: $words"
}

# A scratch directory below $out that goes away with the script.
make_scratch() {
  mkdir -p "$out/tmp"
  scratch=$(mktemp -d "$out/tmp/${0##*/}.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
}

# Xen and the kernel are files here, not installed software: those of this machine if it has them,
# else packages unpacked below $out/packages by tests/lab/packages.
find_kernel() {
  local root release
  for root in "" "$out/packages"; do
    release=$(cd "$root/boot" 2>/dev/null && printf '%s\n' vmlinuz-*-amd64 |
      sed -n '/cloud\|rt-/d; s/^vmlinuz-\([0-9]\)/\1/p' | sort -V | tail -n 1)
    [[ $release && -r $root/boot/vmlinuz-$release && -d $root/lib/modules/$release/kernel ]] ||
      continue
    kernel_root=$root kernel=$release vmlinuz=$root/boot/vmlinuz-$release
    return
  done
  return 1
}

find_xen() {
  local root roots=("" "$out/packages")
  [[ -z $xen_root ]] || roots=("$xen_root")
  for root in "${roots[@]}"; do
    xen_gz=$root/boot/xen-$xen_version-amd64.gz
    [[ -r $xen_gz ]] && return
  done
  return 1
}

# The emulator starts with what these found; called by everything that needs them.
need_packages() {
  [[ $xen_version == 4.17 || $xen_version == 4.20 ]] ||
    die "LAB_XEN is '$xen_version'; it can be 4.17 or 4.20"
  LAB_XEN=4.17 "$lab/packages" || exit 1
  [[ -z $xen_root ]] || "$lab/debian13" || exit
  find_kernel || die "no Debian kernel found, although tests/lab/packages is content;" \
    "remove $out/packages and run it again"
  find_xen || die "no Xen $xen_version found, although tests/lab/packages is content;" \
    "remove $out/packages and run it again"
}
