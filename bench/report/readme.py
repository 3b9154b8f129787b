# SPDX-License-Identifier: MIT
"""The table of the README: the rows that goals.json picks for it, between two comments."""

import words
from words import quantity

BEGIN = "<!-- made by bench/report/make --readme -->"
END = "<!-- end of what it made -->"
MOST = 12  # rows


def lines(sections):
    """The lines that have a name for the README, in the order of the report."""
    return [line for section in sections for line in section["lines"] if "readme" in line.goal]


def table(sections):
    """Markdown, with what is not measured yet saying so."""
    picked = lines(sections)
    if len(picked) > MOST:
        raise ValueError(f"goals.json picks {len(picked)} rows for the README, {MOST} at most")
    out = ["| | stubdm | QEMU | times better | goal |", "|---|---|---|---|---|"]
    for line in picked:
        ours, theirs = (line.median(side) for side in (line.ours, line.theirs))
        cells = ["not measured yet" if ours is None else quantity(ours, line.unit),
                 "-" if theirs is None else quantity(theirs, line.unit), words.ratio(line.ratio),
                 line.goal["goal"] + ("" if ours is None else f": {line.verdict}")]
        out.append(f"| {line.goal['readme']} | " + " | ".join(cells) + " |")
    return "\n".join(out)


def put(text, made):
    """README.md with `made` between the two comments."""
    before, found, rest = text.partition(BEGIN + "\n")
    _, ends, after = rest.partition(END)
    if not found or not ends:
        raise ValueError("README.md has no place for the table: " + BEGIN)
    return before + BEGIN + "\n\n" + made + "\n\n" + END + after
