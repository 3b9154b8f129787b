# SPDX-License-Identifier: MIT
"""Builds the stand-in Xen libraries: the symbols and version nodes that the given programs ask
for, no others.

A program linked with BIND_NOW starts only when every symbol is there under its version node, so
the nodes are read out of the programs (objdump -T). Symbols without an implementation become
stubs that say so and answer -ENOSYS."""

import os
import re
import subprocess

# Symbol prefix, or several -> soname, source, macro that selects its part of a shared source.
LIBRARIES = [
    ("xendevicemodel_", "libxendevicemodel.so.1", "devicemodel.cc", None),
    ("xenforeignmemory_", "libxenforeignmemory.so.1", "foreignmemory.cc", None),
    ("xenevtchn_", "libxenevtchn.so.1", "evtchn.cc", None),
    (("xengnttab_", "xengntshr_"), "libxengnttab.so.1", "small.cc", "PEER_GNTTAB"),
    ("xs_", "libxenstore.so.4", "store.cc", None),
    ("xc_", "libxenctrl.so.4.17", "ctrl.cc", None),
    ("xentoolcore_", "libxentoolcore.so.1", "small.cc", "PEER_TOOLCORE"),
    ("xencall", "libxencall.so.1", "small.cc", "PEER_CALL"),
]

FLAGS = ["-std=c++20", "-O2", "-g1", "-fPIC", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra",
         "-Wno-missing-field-initializers"]


def wanted(programs):
    """{symbol: version node} of every Xen symbol the programs import."""
    symbols = {}
    for program in programs:
        table = subprocess.run(["objdump", "-T", program], check=True, capture_output=True,
                               text=True).stdout
        for line in table.splitlines():
            found = re.search(r"\*UND\*\s+\S+\s+\(?(VERS_[0-9.]+)\)?\s+(\w+)$", line)
            if found:
                symbols[found.group(2)] = found.group(1)
    return symbols


def build(programs, source, folder):
    """Writes the libraries into `folder`; returns {soname: [symbols]}."""
    os.makedirs(folder, exist_ok=True)
    symbols = wanted(programs)
    made = {}
    for prefix, soname, file, macro in LIBRARIES:
        mine = {name: node for name, node in symbols.items() if name.startswith(prefix)}
        if not mine:
            continue
        stem = os.path.join(folder, soname)
        # A version node inherits from the one before it, as in the original libraries.
        nodes = sorted(set(mine.values()), key=lambda node: [int(n) for n in node[5:].split(".")])
        with open(stem + ".map", "w") as out:
            before = ""
            for node in nodes:
                names = "".join(f" {name};" for name, its in sorted(mine.items()) if its == node)
                hide = " local: *;" if not before else ""
                out.write(f"{node} {{ global:{names}{hide} }}{' ' + before if before else ''};\n")
                before = node
        flags = FLAGS + ([f"-D{macro}"] if macro else [])
        subprocess.run(["g++", *flags, "-c", os.path.join(source, file), "-o", stem + ".o"],
                       check=True)
        defined = subprocess.run(["nm", "--defined-only", stem + ".o"], check=True,
                                 capture_output=True, text=True).stdout
        present = {line.split()[-1] for line in defined.splitlines()}
        with open(stem + ".stubs.c", "w") as out:
            out.write("#include <errno.h>\n#include <stdio.h>\n")
            for name in sorted(set(mine) - present):
                out.write(f'long {name}(void) {{ fprintf(stderr, "stand-in: {name} is not '
                          f'there\\n");'
                          " errno = ENOSYS; return -1; }\n")
        subprocess.run(["gcc", "-O2", "-fPIC", "-c", stem + ".stubs.c", "-o", stem + ".stubs.o"],
                       check=True)
        subprocess.run(["gcc", "-shared", f"-Wl,-soname,{soname}",
                        f"-Wl,--version-script={stem}.map",
                        "-Wl,-z,relro,-z,now", stem + ".o", stem + ".stubs.o", "-o", stem],
                        check=True)
        made[soname] = sorted(mine)
    return made


if __name__ == "__main__":
    import sys
    here = os.path.dirname(os.path.abspath(__file__))
    for soname, names in build(sys.argv[2:], os.path.join(here, "standin"), sys.argv[1]).items():
        print(soname, len(names))
