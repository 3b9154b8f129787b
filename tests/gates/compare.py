# SPDX-License-Identifier: MIT
"""The numbers in the tree, and what is now beside them."""

import os

HERE = os.path.dirname(os.path.abspath(__file__))
NUMBERS = os.path.join(HERE, "numbers")
ALLOWED = 0.05  # worse than in the tree by more than this fails

HEADER = """\
# SPDX-License-Identifier: MIT
# Written by tests/gates/run --update. More than 5 % above one of these fails; a commit that changes
# one says why.
"""


class NotRun(Exception):
    """This machine cannot measure it; says why."""


class Broken(Exception):
    """It should have been measured, and was not; says why."""


class Result:
    """What became of one row."""

    def __init__(self, group, row, tree, now, unit, verdict, remark=""):
        self.group, self.row, self.tree, self.now = group, row, tree, now
        self.unit, self.verdict, self.remark = unit, verdict, remark

    def change(self):
        if self.tree is None or self.now is None:
            return ""
        if self.tree == 0:
            return "" if self.now == 0 else "more"
        return f"{100 * (self.now / self.tree - 1):+.1f} %"


def read(path=NUMBERS):
    """{group: {row: (number, unit)}}."""
    groups = {}
    with open(path) as lines:
        for line in lines:
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) < 4:
                raise ValueError(f"{path}: not group, row, number, unit: {line.strip()}")
            group, row, number = words[:3]
            rows = groups.setdefault(group, {})
            if row in rows:
                raise ValueError(f"{path}: {group} {row} stands there twice")
            rows[row] = (float(number), " ".join(words[3:]))
    return groups


def shown(number):
    """Up to two decimals: instructions a frame are shares of a batch."""
    if number is None:
        return "-"
    return f"{number:.2f}".rstrip("0").rstrip(".")


def write(groups, path=NUMBERS):
    lines = [HEADER]
    for group, rows in groups.items():
        lines += [f"{group:13} {row:32} {shown(number):>10} {unit}\n"
                  for row, (number, unit) in rows.items()]
    with open(path + ".new", "w") as out:
        out.writelines(lines)
    os.replace(path + ".new", path)


def judge(group, tree, now):
    """Results for one group: the rows of the tree beside those that were measured."""
    results = []
    for row in list(now) + [row for row in tree if row not in now]:
        if row not in now:
            number, unit = tree[row]
            results.append(Result(group, row, number, None, unit, "FAILED",
                                  "in the tree, but nothing measures it"))
            continue
        value, unit = now[row]
        value = round(value, 2)  # as the tree has them
        if row not in tree:
            results.append(Result(group, row, None, value, unit, "FAILED", "not in the tree"))
            continue
        number, its_unit = tree[row]
        result = Result(group, row, number, value, unit, "passed")
        results.append(result)
        if unit != its_unit:
            result.verdict, result.remark = "FAILED", f"the tree has it in {its_unit}"
        elif value > number * (1 + ALLOWED):
            result.verdict = "FAILED"
        elif value < number * (1 - ALLOWED):
            result.remark = "less: let --update write it"
    return results


def unmeasured(group, tree, verdict, why):
    """Results for a group of which nothing could be measured: NOT RUN, or FAILED."""
    if not tree:
        return [Result(group, "(all)", None, None, "", verdict, why)]
    return [Result(group, row, number, None, unit, verdict, why)
            for row, (number, unit) in tree.items()]


def table(results):
    rows = [("group", "row", "in the tree", "now", "unit", "change", "verdict")]
    rows += [(r.group, r.row, shown(r.tree), shown(r.now), r.unit, r.change(),
              f"{r.verdict}{': ' if r.remark else ''}{r.remark}") for r in results]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    right = {2, 3, 5}
    return "\n".join("  ".join(cell.rjust(width) if i in right else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
                     for row in rows)


def closing(results):
    count = {verdict: sum(r.verdict == verdict for r in results)
             for verdict in ("passed", "FAILED", "NOT RUN")}
    return count["FAILED"], (f"{count['passed']} passed, {count['FAILED']} failed, "
                             f"{count['NOT RUN']} skipped")
