# SPDX-License-Identifier: MIT
"""Instructions of an operation, exactly: the programs bench_count_* under callgrind."""

import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile

from compare import Broken, NotRun

# glibc chooses memcpy and its kin by what the processor has. All that it could choose for is taken
# away, so that every x86-64 machine runs the same ones: those for SSE2 (names: glibc 2.36,
# sysdeps/x86/cpu-tunables.c).
TAKEN_AWAY = ["AVX512F", "AVX512VL", "AVX2", "AVX", "ERMS", "FSRM", "SSSE3", "SSE4_1", "SSE4_2",
              "AVX_Fast_Unaligned_Load", "BMI2", "RTM"]
TUNABLES = {"glibc.cpu.hwcaps": ",".join("-" + name for name in TAKEN_AWAY),
            # by default a share of the processor's cache
            "glibc.cpu.x86_non_temporal_threshold": "0x10000000"}
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LD_BIND_NOW": "1",
               "GLIBC_TUNABLES": ":".join(f"{name}={value}" for name, value in TUNABLES.items())}
PROGRAMS = ("dispatch", "poller", "devices", "card")
SELF_CHECK = "self_check"
UNIT = "instructions"


def same_addresses():
    """Without address space randomization where the kernel lets us; valgrind needs it least."""
    command = ["setarch", "-R"]
    try:
        works = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    except OSError:
        works = False
    return command if works else []


def rows(build, programs):
    """[(path of a program, row)]."""
    if shutil.which("valgrind", path=ENVIRONMENT["PATH"]) is None:
        raise NotRun("valgrind is not installed")
    found = []
    for name in programs:
        path = os.path.join(build, "bench", f"bench_count_{name}")
        if not os.access(path, os.X_OK):
            raise Broken(f"{path} is not there: "
                         "cmake --build --preset release --target bench_count")
        listed = subprocess.run([path, "--list"], check=True, capture_output=True, text=True)
        found += [(path, row) for row in listed.stdout.split()]
    return found


def count(path, row, prefix):
    """Instructions for one: what the last loop, twice as long, has more than the one before it."""
    with tempfile.TemporaryDirectory(prefix="gates-") as folder:
        dumps = os.path.join(folder, "dumps")
        # From its own folder: the stack begins with the program's name, so a longer path moves it.
        command = [*prefix, "valgrind", "-q", "--tool=callgrind", "--combine-dumps=yes",
                   f"--callgrind-out-file={dumps}", "./" + os.path.basename(path), row]
        try:
            ran = subprocess.run(command, cwd=os.path.dirname(path), env=ENVIRONMENT, text=True,
                                 capture_output=True, timeout=300)
        except subprocess.TimeoutExpired:
            raise Broken(f"{row}: no end within 300 s") from None
        if ran.returncode == 77:
            raise NotRun(ran.stdout.strip().removeprefix("NOT RUN: "))
        if ran.returncode != 0:
            raise Broken(f"{row}: status {ran.returncode}: {ran.stderr.strip()[-200:]}")
        with open(dumps) as text:
            totals = [int(n) for n in re.findall(r"^totals: (\d+)$", text.read(), re.MULTILINE)]
    # Three loops, and what came after them.
    if len(totals) != 4:
        raise Broken(f"{row}: {len(totals)} dumps, not 4")
    return (totals[2] - totals[1]) / int(ran.stdout)


def measure(build, programs=PROGRAMS):
    prefix = same_addresses()
    found = rows(build, programs)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = pool.map(lambda one: count(*one, prefix), found)
        return {row: (number, UNIT) for (_, row), number in zip(found, counts)}
