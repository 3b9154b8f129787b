# SPDX-License-Identifier: MIT
"""Memory and wake-ups of the device model of an idle guest with a raw disk and a network card, all
its processes together: the program as users get it, on the stand-in Xen libraries of bench/peer."""

import contextlib
import ctypes
import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from compare import HERE, Broken, NotRun
from instructions import same_addresses

ROOT = os.path.dirname(os.path.dirname(HERE))
SETTLED = 5  # seconds after the start; the guest waits 13 before it looks
LOOK = 10  # seconds in which nobody shall wake up
STARTS = 3
GUESTS_MEMORY = 160 << 20  # of two guests at once, with what is around it
PIDFD_GETFD = 438  # the number of the system call: Python has no name for it


def load_peer():
    """bench/peer/run as a module: its building, its tap and its command line."""
    folder = os.path.join(ROOT, "bench/peer")
    sys.path.insert(0, folder)
    loader = importlib.machinery.SourceFileLoader("peer", os.path.join(folder, "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("peer", loader))
    loader.exec_module(module)
    return module


def check_machine():
    if os.geteuid() != 0:
        raise NotRun("needs root: a tap, and other processes' memory maps")
    if os.cpu_count() < 2:
        raise NotRun("the guest needs a processor of its own, this machine has one")
    missing = [tool for tool in ("g++", "objdump", "ip") if shutil.which(tool) is None]
    if missing:
        raise NotRun(f"not installed: {', '.join(missing)}")
    if shutil.disk_usage("/dev/shm").free < GUESTS_MEMORY:
        raise NotRun("/dev/shm has no room for two guests' memory")
    pidfd = os.pidfd_open(os.getpid())
    copy = ctypes.CDLL(None).syscall(PIDFD_GETFD, pidfd, pidfd, 0)
    os.close(pidfd)
    if copy < 0:
        raise NotRun("no pidfd_getfd here, by which the stand-ins get at the guest's events")
    os.close(copy)
    if not same_addresses():
        raise NotRun("the kernel does not let us switch address randomization off (setarch -R)")


def descendants(pid):
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            # A process may end while it is looked at.
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat") as text:
                parents[int(entry)] = int(text.read().rsplit(")", 1)[1].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def mappings(pid):
    """[(name, {field: KiB})] of /proc/PID/smaps."""
    found = []
    with open(f"/proc/{pid}/smaps") as text:
        for line in text:
            words = line.split()
            if words[0].endswith(":"):
                if len(words) == 3 and words[2] == "kB":
                    found[-1][1][words[0][:-1]] = int(words[1])
            else:
                found.append((words[5] if len(words) > 5 else "", {}))
    return found


def memory(processes, folder):
    """KiB: (anonymous, of files). /proc/PID/smaps counts page by page; the sums in /proc/PID/status
    are some dozens of pages out, since each thread keeps a part to itself."""
    anonymous = files = 0
    for pid in processes:
        for name, fields in mappings(pid):
            # The guest's own memory, and pages shared with what stands in for Xen.
            if name.startswith((folder, "/dev/zero", "/dev/shm", "/memfd:")):
                continue
            anonymous += fields["Anonymous"]
            files += fields["Rss"] - fields["Anonymous"]
    return anonymous, files


def read_through(paths):
    """A page that is not in the page cache cannot be in a process: all of them are there then."""
    for path in paths:
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass


class Guest:
    """A guest that does `rows` of bench/peer, none of them or few, and then nothing for `idle`
    seconds: starts the device model, prints a JSON line for each row, ends."""

    def __init__(self, peer, program, out, tap=None, rows=(), idle=LOOK):
        self.folder = tempfile.mkdtemp(prefix="gates-", dir="/dev/shm")
        open(os.path.join(self.folder, "serial"), "w").close()
        disk = os.path.join(out, "disk.img")
        command = [*same_addresses(), os.path.join(out, "peer_guest"), "--dir", self.folder,
                   "--lib", os.path.join(out, "lib"), "--rows", ",".join([*rows, "idle"]),
                   "--idle", str(idle), "--scale", "0.01", "--cpu", "0", "--guest-cpu", "1", "--",
                   *peer.command_line(program, self.folder, disk, tap, [])]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=60)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def row(self, name):
        """What it prints for this row, which is not the first perhaps."""
        fields = {}
        for line in self.process.stdout:
            fields = json.loads(line)
            if "wrong" in fields or "absent" in fields:
                break
            if fields["row"] == name:
                return fields
        why = fields.get("wrong") or fields.get("absent") or f"no row {name}"
        raise Broken(f"{why}{self.log()}")

    def log(self):
        """The end of the device model's log, for a message."""
        with contextlib.suppress(OSError), open(os.path.join(self.folder, "dm.log")) as text:
            return "; its log: " + " / ".join(text.read().splitlines()[-3:])
        return ""

    def settled(self):
        """Its device model's memory, once the start is over."""
        self.row("memory")
        time.sleep(SETTLED)
        # setarch has become the guest, whose child is the device model.
        processes = descendants(self.process.pid)
        if len(processes) < 2:
            raise Broken(f"{len(processes)} processes, not worker and supervisor{self.log()}")
        return memory(processes, self.folder)

    def wake_ups(self):
        fields = self.row("idle")
        if fields["wakeups"]:
            print(f"idle: woken up in {LOOK} s: {fields['who']}", file=sys.stderr)
        return fields["wakeups"], f"in {LOOK} s"


def measure(build):
    check_machine()
    program = os.path.join(build, "stubdm")
    if not os.access(program, os.X_OK):
        raise Broken(f"{program} is not there: cmake --build --preset release --target stubdm")
    peer = load_peer()
    out = os.path.join(os.path.dirname(build), "gates")
    # What it says about building is not for our table.
    with contextlib.redirect_stdout(sys.stderr):
        peer.build(out, [program])
    libraries = [os.path.join(out, "lib", name) for name in os.listdir(os.path.join(out, "lib"))]
    tap = peer.Tap()
    if tap.why_not:
        raise NotRun(tap.why_not)
    seen = []
    try:
        read_through([program, *libraries])
        with (Guest(peer, program, out, tap=tap.name) as idle,
              Guest(peer, program, out, rows=["ide_write_dma_64k"]) as flushed):
            seen.append(idle.settled())
            wake_ups = idle.wake_ups()
            after_a_flush = flushed.wake_ups()
        while len(seen) < STARTS:
            read_through([program, *libraries])
            # Idle for as long as it is looked at.
            with Guest(peer, program, out, tap=tap.name, idle=SETTLED + 1) as idle:
                seen.append(idle.settled())
    finally:
        tap.close()
    print("idle: KiB anonymous and of files, of each start:",
          ", ".join(f"{anonymous} + {files}" for anonymous, files in seen), file=sys.stderr)
    return {"memory_anonymous": (min(a for a, _ in seen), "KiB"),
            "memory": (min(a + f for a, f in seen), "KiB"),
            "wake_ups": wake_ups,
            "wake_ups_after_a_flush": after_a_flush}
