#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""screens_of_qemu.py PRINT_SCREENS [QEMU]: runs the programs of screens.cc on QEMU's standard VGA
card and prints the table of golden_screens.h: size and CRC-32 of the picture of each. PRINT_SCREENS
is the program print_screens. QEMU is found as qemu-system-x86_64; the table is of 7.2."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import zlib


class Qemu:
    """A machine without a running processor: this program is its guest."""

    def __init__(self, program, directory):
        self.directory = directory
        ours, theirs = socket.socketpair()
        qmp, their_qmp = socket.socketpair()
        self.process = subprocess.Popen(
            [program, "-machine", "pc,accel=tcg", "-S", "-m", "64", "-nodefaults",
             "-display", "none",
             "-device", "VGA,addr=3,vgamem_mb=16,romfile=",
             "-chardev", f"socket,id=qtest,fd={theirs.fileno()}", "-qtest", "chardev:qtest",
             "-qtest-log", "/dev/null",
             "-chardev", f"socket,id=m,fd={their_qmp.fileno()}", "-mon", "chardev=m,mode=control"],
            pass_fds=(theirs.fileno(), their_qmp.fileno()))
        theirs.close()
        their_qmp.close()
        self.guest = ours.makefile("rw", newline="\n")
        self.qmp = qmp.makefile("rw", newline="\n")
        self.qmp.readline()
        self.manage("qmp_capabilities")

    def run(self, lines):
        for begin in range(0, len(lines), 500):
            part = lines[begin:begin + 500]
            self.guest.write("".join(part))
            self.guest.flush()
            for line in part:
                answer = self.guest.readline()
                if not answer.startswith("OK"):
                    sys.exit(f"{line.strip()}: {answer.strip()}")

    def manage(self, command, **arguments):
        self.qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp.flush()
        while True:
            answer = json.loads(self.qmp.readline())
            if "return" in answer:
                return
            if "error" in answer:
                sys.exit(f"{command}: {answer['error']['desc']}")

    def picture(self):
        path = os.path.join(self.directory, "screen.ppm")
        self.manage("screendump", filename=path)
        with open(path, "rb") as file:
            kind, size, depth, pixels = file.read().split(b"\n", 3)
        if kind != b"P6" or depth != b"255":
            sys.exit("this is no picture of 8 bits a colour")
        width, height = map(int, size.split())
        return width, height, zlib.crc32(pixels)

    def end(self):
        self.manage("quit")
        self.process.wait()


def main():
    print_screens = sys.argv[1]
    program = sys.argv[2] if len(sys.argv) > 2 else "qemu-system-x86_64"
    text = subprocess.run([print_screens], check=True, stdout=subprocess.PIPE, text=True).stdout
    for screen in text.split("screen ")[1:]:
        name, *lines = screen.splitlines(keepends=True)
        with tempfile.TemporaryDirectory() as directory:
            qemu = Qemu(program, directory)
            qemu.run(lines)
            width, height, crc = qemu.picture()
            print(f'    Golden{{"{name.strip()}", {width}, {height}, 0x{crc:08x}}},')
            qemu.end()


main()
