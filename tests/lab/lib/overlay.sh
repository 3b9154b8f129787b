# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The archive that is laid over dom0's root for one run; needs lib/image.sh.

# build_of_stubdm: the binary to judge, ${STUBDM} or the release build's
stubdm=${STUBDM:-$top/build/release/stubdm}
need_stubdm() {
  [[ -x $stubdm ]] || die "there is no $stubdm. Build it (cmake --preset release &&" \
    "cmake --build --preset release), or name another in STUBDM"
}

# Kernel and ramdisk of a stub domain: $STUBDOM/kernel and $STUBDOM/rootfs, or those built beside
# the binary. Those for Debian's kernel are beside them
stubdom=${STUBDOM:-$(dirname "$stubdm")/stubdom}
# need_stubdom stubdom|stubdom-debian
need_stubdom() {
  local dir=$stubdom${1#stubdom}
  [[ -r $dir/kernel && -r $dir/rootfs ]] ||
    die "there is no $dir/kernel or no $dir/rootfs. Build them (cmake --build --preset release" \
      "--target $1), or name another directory in STUBDOM"
}

# add_stub_domain NAME KERNEL RAMDISK: where home_lines in dom0/lib.sh says that it is
add_stub_domain() {
  install -D -m 644 "$2" "$root/lab/$1/kernel"
  install -D -m 644 "$3" "$root/lab/$1/rootfs"
}

# add_display: the program that shows screens, the layouts of keyboards, and the lab's own viewer
add_display() {
  local display
  display=$(dirname "$stubdm")/stubdm-display
  [[ -x $display ]] || return 0
  install -m 755 "$display" "$root/usr/libexec/stubdm-display"
  add_libraries "$display"
  mkdir -p "$root/usr/share/X11"
  cp -r /usr/share/X11/xkb "$root/usr/share/X11/"
  g++ -std=c++20 -O1 -static -I"$top" -o "$root/lab/viewer" "$lab/lib/viewer.cc"
}

# make_overlay OUT PLAN [MAIN [FILE...]]: scenarios, helpers and the stubdm to be judged, if there
# is one, and these files. dom0 then runs dom0/MAIN, which does what PLAN says. The large stub
# domains only come with a plan that has them.
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
    install -m 755 "$stubdm" "$root/usr/libexec/stubdm"
    add_display
    # another Debian's dom0 has its own libraries, and Xen's among them
    [[ $xen_root ]] || add_libraries "$stubdm"
  fi
  if [[ -r $stubdom/kernel && -r $stubdom/rootfs ]]; then # where libxl looks
    install -D -m 644 "$stubdom/kernel" "$root$xen_dir/boot/qemu-stubdom-linux-kernel"
    install -D -m 644 "$stubdom/rootfs" "$root$xen_dir/boot/qemu-stubdom-linux-rootfs"
  fi
  ! grep -q ' stubdom-debian ' "$2" || add_stub_domain stubdom-debian \
    "$stubdom-debian"/{kernel,rootfs}
  ! grep -q ' opponent ' "$2" || add_stub_domain opponent "$vmlinuz" "$(opponent_image)"
  (($# > 3)) && cp "${@:4}" "$root/lab/"
  archive zstd -q -1 > "$1"
}
