# SPDX-License-Identifier: MIT
"""Bytes of what a stub domain is started from (target stubdom)."""

import os

from compare import Broken


def measure(build):
    sizes = {}
    for row, name in (("kernel", "kernel"), ("ramdisk", "rootfs")):
        path = os.path.join(build, "stubdom", name)
        if not os.path.exists(path):
            raise Broken(f"{path} is not there: cmake --build --preset release --target stubdom")
        sizes[row] = (os.path.getsize(path), "bytes")
    return sizes
