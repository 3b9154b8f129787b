# SPDX-License-Identifier: MIT
"""What the runs say about the goals: each run is judged on its own, then whether runs agree."""

import json
import os
import statistics

MET, MISSED, UNDECIDED, UNMEASURED, NO_GOAL = (
    "met", "missed", "undecided", "not measured yet", "no goal")
ENOUGH = 3  # runs that must agree
SOURCES = ("peer.json", "lab.json")
# What a row has besides its own values is judged under names of its own: ROW.cpu and so on.
BESIDE = {"cpu": "ns", "calls": "calls", "p99": None}


def read_json(path):
    """What is in the file, or nothing when there is none."""
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return json.load(file)


def latest(runs):
    """The runs of the last one's commit and machine: what may be compared."""
    if not runs:
        return []
    last = runs[-1]
    return [run for run in runs if (run["commit"], run["machine"]) == (last["commit"],
                                                                       last["machine"])]


def rows_of(run):
    """Name -> row of a run, with what stands beside the rows."""
    rows = {}
    for row in run["rows"]:
        rows[row["row"]] = row
        for beside, unit in BESIDE.items():
            if beside in row:
                rows[f"{row['row']}.{beside}"] = {"unit": unit or row["unit"],
                                                  "better": "lower", "sides": row[beside]}
    return rows


def times(values, better, other):
    """How many times better `values` are than `other`: the median of the pairs' ratios when both
    were taken in turns, else the medians' ratio. None without both; infinity beside nothing."""
    if not values or not other:
        return None

    def one(mine, its):
        high, low = (its, mine) if better == "lower" else (mine, its)
        return high / low if low else (float("inf") if high else 1.0)
    if len(values) == len(other):
        return statistics.median(one(mine, its) for mine, its in zip(values, other))
    return one(statistics.median(values), statistics.median(other))


class Part:
    """One condition of a goal: a number for each run, and what it shall be."""

    def __init__(self, what, numbers, bound, at_least):
        self.what, self.numbers, self.bound, self.at_least = what, numbers, bound, at_least

    def holds(self, number):
        return number >= self.bound if self.at_least else number <= self.bound

    @property
    def verdict(self):
        if not self.numbers:
            return UNMEASURED
        met = [self.holds(number) for number in self.numbers]
        return MET if all(met) else UNDECIDED if any(met) else MISSED

    @property
    def number(self):
        return statistics.median(self.numbers) if self.numbers else None


class Line:
    """A row of the report: a goal and what each run says about it."""

    def __init__(self, goal, runs, home=""):
        self.goal = goal
        self.anchor = home + goal["row"]  # rows of two homes may have one name
        self.row, self.title, self.unit = goal["row"], goal["title"], goal["unit"]
        self.better = goal["better"]
        self.ours, self.theirs = goal.get("ours", "stubdm"), goal.get("theirs", "QEMU")
        self.floor = goal.get("floor", "floor")
        self.found = [rows[self.row] for rows in map(rows_of, runs) if self.row in rows]
        for row in self.found:
            if row["unit"] not in ("", self.unit) or row["better"] != self.better:
                raise ValueError(f"{self.row}: its goal is in {self.unit}, {self.better} is "
                                 f"better; measured was {row['unit']}, {row['better']}")
        self.sides = list(dict.fromkeys(side for row in self.found for side in row["sides"]))
        self.parts = list(self._parts())

    def values(self, side):
        """A list of values for each run that has the side."""
        return [row["sides"][side] for row in self.found if row["sides"].get(side)]

    def median(self, side):
        values = [value for run in self.values(side) for value in run]
        return statistics.median(values) if values else None

    def ratios(self, side, other):
        """Of each run: how many times better `side` is than `other`."""
        both = (times(row["sides"].get(side), self.better, row["sides"].get(other))
                for row in self.found)
        return [ratio for ratio in both if ratio is not None]

    def _parts(self):
        to_qemu, to_floor, at_most = (self.goal.get(key)
                                      for key in ("to_qemu", "to_floor", "at_most"))
        if to_qemu is not None:
            yield Part("times QEMU", self.ratios(self.ours, self.theirs), to_qemu, True)
        if to_floor is not None:
            yield Part(f"times the {self.floor_name}", self.ratios(self.floor, self.ours),
                       to_floor, False)
        if at_most is not None:
            medians = [statistics.median(values) for values in self.values(self.ours)]
            yield Part(self.unit, medians, at_most, False)

    @property
    def floor_name(self):
        return {"floor": "floor", "floor, batched": "batched floor"}.get(self.floor, self.floor)

    @property
    def verdict(self):
        if "held_by" in self.goal:
            return MET
        if not self.parts:
            return NO_GOAL if self.values(self.ours) else UNMEASURED
        verdicts = {part.verdict for part in self.parts}
        return next(v for v in (MISSED, UNDECIDED, UNMEASURED, MET) if v in verdicts)

    @property
    def runs(self):
        """How many runs the verdict is from."""
        return len(self.values(self.ours))

    @property
    def ratio(self):
        """How many times better than QEMU, or None."""
        ratios = self.ratios(self.ours, self.theirs)
        return statistics.median(ratios) if ratios else None

    @property
    def shown_floor(self):
        """The goal's floor, or the ordinary one while that is not measured; a goal may have none
        ("floor": ""), where what is measured as such can be surpassed."""
        return self.floor if self.values(self.floor) or not self.floor else "floor"

    @property
    def best(self):
        """How many times better than QEMU the floor is: what nobody can surpass."""
        ratios = self.ratios(self.shown_floor, self.theirs)
        return statistics.median(ratios) if ratios else None

    @property
    def wanted(self):
        """The goal as a ratio to QEMU; a goal that names the floor or a number is converted."""
        if "to_qemu" in self.goal:
            return self.goal["to_qemu"]
        if "to_floor" in self.goal and self.floor in self.sides and self.best is not None:
            return self.best / self.goal["to_floor"]
        theirs = self.median(self.theirs)
        if self.goal.get("at_most") and theirs:
            return theirs / self.goal["at_most"]
        return None


def load(data, goals):
    """`data`: folder of the runs; `goals`: file. Returns sections, each a title, words about it and
    lines, and the runs of each source."""
    runs = {name: latest(read_json(os.path.join(data, name)).get("runs", [])) for name in SOURCES}
    sections = []
    for section in read_json(goals)["sections"]:
        source = runs[section["source"]]
        sections.append({"title": section["title"], "about": section["about"],
                         "lines": [Line(goal, source, section["source"].partition(".")[0] + "-")
                                   for goal in section["rows"]]})
    return sections, runs


def count(sections):
    """Verdict -> how many lines have it."""
    verdicts = [line.verdict for section in sections for line in section["lines"]]
    return {one: verdicts.count(one) for one in (MET, MISSED, UNDECIDED, UNMEASURED, NO_GOAL)}
