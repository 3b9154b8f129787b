#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A report that cannot say "missed" is worth nothing: made-up runs, and what must be said of them;
and a document that is not what the data gives must be seen."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../peer"), os.path.join(HERE, "../scale")]
sys.dont_write_bytecode = True

import draw  # noqa: E402
import judge  # noqa: E402
import keep  # noqa: E402
import page  # noqa: E402
import processes  # noqa: E402
import readme  # noqa: E402
import scale  # noqa: E402
import words  # noqa: E402


def run(stubdm, qemu, floor=None, unit="ns", better="lower", **more):
    """A run with one row."""
    sides = {"stubdm": stubdm, "QEMU": qemu, "floor": floor}
    row = {"row": "r", "title": "t", "unit": unit, "better": better,
           "sides": {side: values for side, values in sides.items() if values}, **more}
    return {"commit": "c", "date": "d", "machine": "m", "rows": [row]}


def line(runs, better="lower", unit="ns", row="r", **goal):
    return judge.Line({"row": row, "title": "A row", "unit": unit, "better": better, "goal": "g",
                       **goal}, runs)


def verdict(*runs, **goal):
    return line(runs, **goal).verdict


def ten_times():
    """One run with 8, one with 10, one with 12 times."""
    return [run([10, 10], [80, 80]), run([10, 10], [100, 100]), run([10, 10], [120, 120])]


def tells_how_far_apart():
    return words.reasons(line(ten_times(), to_qemu=10)) == "8.0 to 12.0 times QEMU, goal 10"


def cause_only_when_missed():
    said = [words.reasons(line([run([10], [times])], to_qemu=5, cause="Why."))
            for times in (40, 60)]
    return said == ["4.0 times QEMU, goal 5. Why.", "6.0 times QEMU, goal 5"]


def other_commits_stay_out():
    runs = [dict(one, commit=commit) for one, commit in zip(ten_times(), "aab")]
    return judge.latest(runs) == runs[2:] and judge.latest(runs[:2]) == runs[:2]


def keeps_three_of_one_commit():
    runs = []
    for number in range(5):
        runs = keep.add(runs, {"commit": "a", "machine": "m", "number": number})
    runs = keep.add(runs, {"commit": "a", "machine": "n", "number": 9})
    three = [one["number"] for one in runs] == [2, 3, 4, 9]
    runs = keep.add(runs, {"commit": "b", "machine": "m", "number": 10})
    return three and [one["number"] for one in runs] == [9, 10]


def kept_runs_come_back():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sub/peer.json")
        keep.write(path, ten_times())
        return keep.read(path) == ten_times() and keep.read(path + "x") == []


def wrong_unit_is_refused():
    try:
        line([run([1], [2])], unit="s")
    except ValueError:
        return True
    return False


def page_has_it_all():
    """Also with nothing measured, with zeros, and with a side that is alone."""
    runs = [run([0], [4], unit="wake-ups"), run([0], None, unit="wake-ups")]
    lines = [line(runs, unit="wake-ups", at_most=0), line([], to_qemu=10), line(ten_times()),
             line(ten_times(), to_qemu=10)]
    sections = [{"title": "T", "about": "a", "lines": lines}]
    text = page.make(sections, {"peer.json": runs, "lab.json": []}, scale.Growth([]))
    return all(word in text for word in
               ("✓ met", "… not measured yet", "no goal", "? undecided", "0 wake-ups",
                "8.0 to 12.0 times QEMU")) and "nan" not in text and "<script" not in text


def growth():
    rows = [{"guests": guests, "side": side, "pss_kib": (1000 + 1000 * guests) * factor,
             "cpu_ns": 2000 * factor, "idle_cpu_ns": guests * 1e6 * factor}
            for side, factor in (("stubdm", 1), ("QEMU", 10)) for guests in (1, 3)]
    return scale.Growth([{"rows": rows}])


def arithmetic_is_right():
    memory, idle, busy = growth().host("stubdm")
    return memory[1] == words.quantity(501_000, "KiB") and idle[1] == "0.5 of one" and \
        busy[1] == "1.0 processors"


def children_are_found():
    """And none when the child has ended."""
    with subprocess.Popen(["sleep", "60"]) as child:
        found = child.pid in processes.below(os.getpid())
        child.kill()
    return found and child.pid not in processes.below(os.getpid())


def memory_is_seen():
    """Pages that nobody shares are in both sums. They are many, since another Python that comes or
    goes meanwhile moves some megabytes of what both share from one's sum to the other's."""
    before = processes.memory([os.getpid()])
    megabytes = bytearray(b"x" * (64 << 20))
    after = processes.memory([os.getpid()])
    return len(megabytes) == 64 << 20 and before["pss_kib"] <= before["rss_kib"] and all(
        48 << 10 < after[key] - before[key] < 80 << 10 for key in after)


def use_is_what_came_since():
    return processes.used({1: (100, 1), 2: (5, 5)}, {1: (150, 3), 3: (7, 1)}) == (57, 3)


def ticks_stay_in():
    axes = [draw.axis_for(values) for values in
            ([1, 1000], [3, 4], [0, 4], [0], [7], [0.001, 1e9], [1, 4.1], [99, 101])]
    return all(2 <= len(axis.ticks()) <= 6 or axis.high / max(axis.low, 1e-9) < 20
               for axis in axes) and \
        all(axis.low <= tick <= axis.high for axis in axes for tick in axis.ticks())


def check(change):
    """What make --check says of a copy of the tree's own report after `change`."""
    with tempfile.TemporaryDirectory() as root:
        data = os.path.join(root, "data")
        os.mkdir(data)
        for name in os.listdir(HERE):
            if name.endswith((".json", ".html")):
                shutil.copy(os.path.join(HERE, name), data)
        shutil.copy(os.path.join(HERE, "../../README.md"), root)
        command = [os.path.join(HERE, "make"), "--data", data, "--root", root]
        subprocess.run([*command, "--readme"], check=True, stdout=subprocess.DEVNULL)
        change(root)
        return subprocess.run([*command, "--check"], stdout=subprocess.DEVNULL).returncode


def replace(name, old, new):
    def change(root):
        path = os.path.join(root, name)
        with open(path) as file:
            text = file.read()
        assert old in text
        with open(path, "w") as file:
            file.write(text.replace(old, new))
    return change


def measure_again(root):
    path = os.path.join(root, "data/peer.json")
    with open(path) as file:
        data = json.load(file)
    data["runs"][-1]["rows"][0]["sides"]["stubdm"] = [1e6]
    with open(path, "w") as file:
        json.dump(data, file)


def too_many_for_the_readme():
    try:
        readme.table([{"lines": [line([], readme="x")] * 13}])
    except ValueError:
        return True
    return False


CASES = [
    ("as good as the goal is met", lambda: verdict(run([10], [100]), to_qemu=10) == "met"),
    ("less than the goal is missed", lambda: verdict(run([10], [99]), to_qemu=10) == "missed"),
    ("runs that differ are undecided",
     lambda: verdict(*ten_times(), to_qemu=10) == "undecided"),
    ("runs that agree are not", lambda: verdict(*ten_times(), to_qemu=8) == "met"),
    ("how far apart they are is told", tells_how_far_apart),
    ("more is better where it is",
     lambda: verdict(run([30], [10], better="higher"), better="higher", to_qemu=3) == "met"),
    ("and less is not",
     lambda: verdict(run([10], [30], better="higher"), better="higher", to_qemu=1) == "missed"),
    ("too far above the floor is missed",
     lambda: verdict(run([13], [100], [10]), to_qemu=5, to_floor=1.25) == "missed"),
    ("near the floor is met",
     lambda: verdict(run([12], [100], [10]), to_qemu=5, to_floor=1.25) == "met"),
    ("without a floor it is not measured yet",
     lambda: verdict(run([12], [100]), to_qemu=5, to_floor=1.25) == "not measured yet"),
    ("no run: not measured yet", lambda: verdict(to_qemu=5) == "not measured yet"),
    ("no goal is none", lambda: verdict(run([1], [2])) == "no goal"),
    ("at most none, and there is none", lambda: verdict(run([0], [4]), at_most=0) == "met"),
    ("at most none, and there are two", lambda: verdict(run([2], [4]), at_most=0) == "missed"),
    ("what stands beside a row has a goal",
     lambda: verdict(run([1], [2], cpu={"stubdm": [3], "QEMU": [2]}), row="r.cpu",
                     to_qemu=1) == "missed"),
    ("the ratio is that of the pairs",
     lambda: line([run([1, 10, 100], [2, 30, 400])], to_qemu=1).ratio == 3),
    ("a cause is told when a goal is missed", cause_only_when_missed),
    ("a goal in another unit is refused", wrong_unit_is_refused),
    ("other commits' runs stay out", other_commits_stay_out),
    ("three runs of a commit are kept", keeps_three_of_one_commit),
    ("kept runs come back", kept_runs_come_back),
    ("the page has it all", page_has_it_all),
    ("the arithmetic for 500 guests is right", arithmetic_is_right),
    ("a process's children are found", children_are_found),
    ("memory that is taken is seen", memory_is_seen),
    ("what was used is what came since", use_is_what_came_since),
    ("ticks stay on their axis", ticks_stay_in),
    ("the README has twelve rows at most", too_many_for_the_readme),
    ("an unchanged report passes", lambda: check(lambda root: None) == 0),
    ("a changed README fails",
     lambda: check(replace("README.md", readme.BEGIN, readme.BEGIN + "\n")) == 1),
    ("a changed page fails", lambda: check(replace("data/index.html", "QEMU", "qemu")) == 1),
    ("a changed list fails", lambda: check(replace("data/index.json", "met", "mett")) == 1),
    ("data measured anew fails", lambda: check(measure_again) == 1),
]


def main():
    failed = [name for name, holds in CASES if not holds()]
    for name in failed:
        print("FAILED:", name)
    print(f"{len(CASES) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
