# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by what makes images: fills the directory $root and packs it.

# where add() and what follows find files: this machine, or a Debian that was unpacked
from=

# add FILE...: copy programs to the same place below $root, with the shared libraries they load
add() {
  local file
  for file in "$@"; do
    [[ -r $from$file ]] || die "cannot read $from$file, which belongs into the image"
    install -D -m 755 "$from$file" "$root$file"
    add_libraries "$file"
  done
}

# add_libraries FILE: the libraries that it loads
add_libraries() {
  local library
  for library in $("$from/lib64/ld-linux-x86-64.so.2" \
    ${from:+--library-path "$from/usr/lib/x86_64-linux-gnu"} --list "$from$1" 2>/dev/null |
    grep -oE '/[^ ]+\.so[^ ]*' | sed "s|^$from||"); do
    [[ -e $root$library ]] || install -D -m 755 "$from$library" "$root$library"
  done
}

# add_busybox: busybox and a link for each of its commands, where nothing better is yet
add_busybox() {
  local applet
  install -D -m 755 /bin/busybox "$root/bin/busybox"
  for applet in $(/bin/busybox --list); do
    [[ -e $root/bin/$applet ]] || ln -s busybox "$root/bin/$applet"
  done
}

# module_files MODULE...: the files to insert, in that order
module_files() {
  local module
  for module in "$@"; do
    modprobe -d "$kernel_root/" -S "$kernel" --show-depends "$module" 2>/dev/null ||
      die "kernel $kernel has no module $module"
  done | awk '/^insmod/ && !seen[$2]++ {print $2}'
}

# add_modules MODULE...: into /lib/modules, with an index for modprobe
add_modules() {
  local file dir=lib/modules/$kernel
  mkdir -p "$root/$dir"
  cp "$kernel_root/$dir"/modules.{order,builtin,builtin.modinfo} "$root/$dir/"
  for file in $(module_files "$@"); do install -D -m 644 "$file" "$root${file#"$kernel_root"}"; done
  depmod -b "$root" "$kernel"
}

# archive COMPRESSOR...: $root as a compressed initramfs on stdout
archive() { (cd "$root" && find . -print0 | sort -z | cpio -0 -o -H newc -R 0:0 --quiet) | "$@"; }
