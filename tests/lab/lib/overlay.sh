# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The archive that is laid over dom0's root for one run; needs lib/image.sh.

# build_of_stubdm: the binary to judge, ${STUBDM} or the release build's
stubdm=${STUBDM:-$top/build/release/stubdm}
need_stubdm() {
  [[ -x $stubdm ]] || die "there is no $stubdm. Build it (cmake --preset release && cmake --build --preset release), or name another in STUBDM"
}

# Kernel and ramdisk of a stub domain: $STUBDOM/kernel and $STUBDOM/rootfs, or those built beside the binary
stubdom=${STUBDOM:-$(dirname "$stubdm")/stubdom}
need_stubdom() {
  [[ -r $stubdom/kernel && -r $stubdom/rootfs ]] ||
    die "there is no $stubdom/kernel or no $stubdom/rootfs. Build them (cmake --build --preset release --target stubdom), or name another directory in STUBDOM"
}

# make_overlay OUT PLAN [MAIN [FILE...]]: scenarios, helpers and the stubdm to be judged, if there is one, and these files. dom0 then runs dom0/MAIN,
# which does what PLAN says.
make_overlay() {
  root=$scratch/overlay
  rm -rf "$root"
  mkdir -p "$root/lab" "$root/usr"/{bin,sbin,lib,lib64,libexec}
  ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root/"
  cp "$lab"/dom0/* "$root/lab/"
  cp -r "$lab/scenarios" "$root/lab/"
  cp "$2" "$root/lab/plan"
  [[ ${3:-main} == main ]] || mv "$root/lab/$3" "$root/lab/main"
  if [[ -x $stubdm ]]; then
    add "$stubdm"
    mv "$root$stubdm" "$root/usr/libexec/stubdm"
  fi
  if [[ -r $stubdom/kernel && -r $stubdom/rootfs ]]; then # where libxl looks
    install -D -m 644 "$stubdom/kernel" "$root$xen_dir/boot/qemu-stubdom-linux-kernel"
    install -D -m 644 "$stubdom/rootfs" "$root$xen_dir/boot/qemu-stubdom-linux-rootfs"
  fi
  (($# > 3)) && cp "${@:4}" "$root/lab/"
  archive zstd -q -1 > "$1"
}
