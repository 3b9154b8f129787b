# SPDX-License-Identifier: MIT
"""A gate that cannot fail is worth nothing: numbers that must fail, and numbers that must not."""

import os
import subprocess
import tempfile

import compare
import idle
import instructions
from compare import Result


def one(now, tree=(100.0, "x"), row="row"):
    """The verdict on one number, the tree having another."""
    rows = {} if tree is None else {"row": tree}
    results = compare.judge("g", rows, {} if now is None else {row: (now, "x")})
    return sorted(r.verdict for r in results)


def numbers_come_back():
    groups = {"a": {"r": (12.25, "of them"), "s": (0.0, "in 10 s")}, "b": {"r": (1e7, "bytes")}}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "numbers")
        compare.write(groups, path)
        return compare.read(path) == groups


def is_refused(text):
    with tempfile.NamedTemporaryFile("w", suffix=".numbers") as file:
        file.write(text)
        file.flush()
        try:
            compare.read(file.name)
        except ValueError:
            return True
    return False


def counts_as(verdict, failed, line):
    return compare.closing([Result("g", "r", 1, 1, "x", verdict)]) == (failed, line)


def a_megabyte_is_seen():
    before = sum(idle.memory([os.getpid()], "/nowhere"))
    megabyte = bytearray(b"x" * (1 << 20))
    more = sum(idle.memory([os.getpid()], "/nowhere")) - before
    return len(megabyte) == 1 << 20 and 1024 <= more < 2048 - 64


def benchmarks_compare():
    """bench/compare asks itself."""
    program = os.path.join(compare.HERE, "../../bench/compare")
    return subprocess.run([program, "--self-check"], stdout=subprocess.DEVNULL).returncode == 0


CASES = [
    ("6 % more fails", lambda: one(106.0) == ["FAILED"]),
    ("4 % more passes", lambda: one(104.0) == ["passed"]),
    ("5 % more passes", lambda: one(105.0) == ["passed"]),
    ("less passes", lambda: one(50.0) == ["passed"]),
    ("one where there was none fails", lambda: one(1.0, tree=(0.0, "x")) == ["FAILED"]),
    ("none where there was none passes", lambda: one(0.0, tree=(0.0, "x")) == ["passed"]),
    ("a row that nothing measures fails", lambda: one(None) == ["FAILED"]),
    ("a row that the tree has not fails", lambda: one(100.0, tree=None) == ["FAILED"]),
    ("a row with a new name fails twice",
     lambda: one(100.0, row="other") == ["FAILED", "FAILED"]),
    ("another unit fails", lambda: one(100.0, tree=(100.0, "y")) == ["FAILED"]),
    ("a failure is counted", lambda: counts_as("FAILED", 1, "0 passed, 1 failed, 0 skipped")),
    ("what was not run is counted as skipped",
     lambda: counts_as("NOT RUN", 0, "0 passed, 0 failed, 1 skipped")),
    ("numbers are read as they were written", numbers_come_back),
    ("a line without a unit is refused", lambda: is_refused("g row 1\n")),
    ("a row that stands there twice is refused", lambda: is_refused("g row 1 x\ng row 2 x\n")),
    ("a megabyte more in a process is seen", a_megabyte_is_seen),
    ("bench/compare sees a slower row", benchmarks_compare),
]


def run(build):
    results = [Result("self-test", name, None, None, "", "passed" if holds() else "FAILED")
               for name, holds in CASES]
    name = "one more instruction is seen, and is one"
    try:
        counts = [number for number, _ in
                  instructions.measure(build, [instructions.SELF_CHECK]).values()]
    except compare.NotRun as why:
        return results + [Result("self-test", name, None, None, "", "NOT RUN", str(why))]
    except compare.Broken as why:
        return results + [Result("self-test", name, None, None, "", "FAILED", str(why))]
    verdict = "passed" if counts[1] == counts[0] + 1 else "FAILED"
    return results + [Result("self-test", name, *counts, instructions.UNIT, verdict)]
