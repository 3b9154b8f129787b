# SPDX-License-Identifier: MIT
"""Numbers as readers want them: three digits, a unit of the right size, always a unit."""

import html
import math

# Unit -> the larger ones, each with how many of the former it is.
LARGER = {"ns": [("us", 1000), ("ms", 1000), ("s", 1000)], "us": [("ms", 1000), ("s", 1000)],
          "ms": [("s", 1000)], "KiB": [("MiB", 1024), ("GiB", 1024)], "MiB": [("GiB", 1024)],
          "bytes": [("KiB", 1024), ("MiB", 1024)]}


def digits(value):
    """Three significant digits, never fewer than the whole number has."""
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞"
    decimals = max(0, 2 - math.floor(math.log10(abs(value)) + 1e-9))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text and decimals > 2 else text


def quantity(value, unit, patience=10):
    """"3.45 ms" for 3450558 ns. Nanoseconds stay what they are up to `patience` microseconds, so
    that such rows compare at a glance."""
    for larger, factor in LARGER.get(unit, []):
        if abs(value) < factor * (patience if larger == "us" else 1):
            break
        value, unit = value / factor, larger
    whole = float(value).is_integer() and abs(value) < 10_000
    return f"{value:.0f} {unit}" if whole else f"{digits(value)} {unit}"


def brief(value, unit):
    """Without a unit that is a long word; where it is told beside."""
    return quantity(value, unit) if len(unit) <= 5 else quantity(value, "").strip()


def tick(value, unit):
    """The label of an axis: as short as it can be."""
    return quantity(value, unit, 1) if unit in LARGER else f"{value:g}"


def ratio(value):
    """How many times: "7.4", "118"."""
    if value is None:
        return "-"
    if math.isinf(value):
        return "∞"
    return f"{value:.1f}" if 1.95 <= value < 99.5 else f"{value:.2f}" if value < 1.95 \
        else f"{value:.0f}"


def several(values, show):
    """One number, or from the least to the greatest when they differ as they are shown."""
    low, high = show(min(values)), show(max(values))
    return low if low == high else f"{low} to {high}"


def escape(text):
    return html.escape(text, quote=True)


def part(one):
    """A condition of a goal in words: "7.4 times QEMU, goal 10"."""
    show = ratio if one.what.startswith("times") else lambda value: quantity(value, one.what)
    bound = show(one.bound)
    if one.what.startswith("times"):
        bound = f"{one.bound:g}"
        goal = f"goal {bound}" if one.at_least else f"goal at most {bound}"
        if not one.numbers:
            return f"{one.what}: not measured yet, {goal}"
        return f"{several(one.numbers, show)} {one.what}, {goal}"
    if not one.numbers:
        return f"goal at most {bound}"
    return f"{several(one.numbers, show)}, goal at most {bound}"


def reasons(line):
    """What the verdict rests on, and why a goal is missed; what nobody has looked at yet is said
    to be so."""
    if "held_by" in line.goal:
        return line.goal["held_by"]
    found = "; ".join(part(one) for one in line.parts)
    if line.verdict != "missed":
        return found
    return f"{found}. {line.goal.get('cause', 'The cause is not known yet.')}"
