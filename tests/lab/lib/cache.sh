# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Images are kept below $out/cache, named by a hash of all that went into them.

# cache_key FILE...: the hash of the contents of these files and of the versions of the packages
# images are made of
cache_key() {
  {
    dpkg-query -W -f='${Package} ${Version}\n' qemu-system-xen xen-utils-4.17 busybox-static \
      seabios ipxe-qemu libc6 syslinux isolinux hdparm smartmontools 2>/dev/null
    stat -L -c '%n %s %Y' "$vmlinuz"
    cat -- "$@"
  } | sha256sum | cut -c 1-16
}

# cached NAME SUFFIX KEY COMMAND...: print the path of an image, made by COMMAND PATH if there is
# none with this key
cached() {
  local name=$1 suffix=$2 path=$out/cache/$1-$3$2
  shift 3
  if [[ ! -e $path ]]; then
    mkdir -p "$out/cache"
    rm -f "$out/cache/$name-"*
    "$@" "$path.part$suffix" >&2
    [[ -e $path.part$suffix.info ]] && mv "$path.part$suffix.info" "$path.info"
    mv "$path.part$suffix" "$path"
  fi
  printf '%s\n' "$path"
}

dom0_image() {
  cached "${xen_root:+debian13-}dom0" .cpio.zst "$(cache_key "$lab"/lib/{common,image}.sh \
    "$lab/mkdom0" "$lab/dom0/init" ${xen_root:+"$out/debian13/versions"})" "$lab/mkdom0"
}
guest_image() {
  cached guest .img "$(cache_key "$lab"/lib/{common,image}.sh "$lab/mkguest" \
    "$lab"/guest/{init,inittab,rc,tools,probe.c,scribble.c} "$lab"/guest/bin/*)" "$lab/mkguest"
}
opponent_image() {
  cached opponent .cpio "$(cache_key "$lab"/lib/{common,image}.sh "$lab/mkopponent" \
    "$lab/opponent/init")" "$lab/mkopponent"
}
# disk_image GUEST.img
disk_image() {
  cached disk .ext4 "$(cache_key "$1.info" "$lab/mkdisk")-${1##*-}" "$lab/mkdisk" "$1"
}
