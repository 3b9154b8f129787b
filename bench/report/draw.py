# SPDX-License-Identifier: MIT
"""Charts as SVG. Places along the width are percentages, so that a chart fits any window while its
letters keep their size; nothing is scaled and no script is needed."""

import math

import words

EDGE = 3  # per cent left free on each side


class Axis:
    """From values to percentages of the width: logarithmic, or linear from zero."""

    def __init__(self, low, high, log):
        self.low, self.high, self.log = low, high, log

    def at(self, value):
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return EDGE + share * (100 - 2 * EDGE)

    def ticks(self):
        """Few enough for their labels to stand apart in a narrow window."""
        if not self.log:
            return self._even()
        decades = math.log10(self.high / self.low)
        steps = (1,) if decades > 1.7 else (1, 3) if decades > 0.9 else (1, 2, 5)
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        found = [step * 10.0 ** power for power in range(first, last + 1) for step in steps]
        found = [one for one in found if self.low <= one <= self.high]
        apart = math.ceil(len(found) / 5)
        return found[::apart]

    def _even(self):
        step = 10 ** math.floor(math.log10(self.high))
        for smaller in (2, 1, 0.5):
            if self.high / (step * smaller) >= 2:
                step *= smaller
                break
        return [i * step for i in range(int(self.high / step + 1e-9) + 1)]


def axis_for(values):
    """Logarithmic when the values are far apart, else from zero."""
    low, high = min(values), max(values)
    if low > 0 and high / low > 4:
        return Axis(low / 1.15, high * 1.15, True)
    return Axis(0, high * 1.05 or 1, False)


def svg(height, parts, label):
    return (f'<svg width="100%" height="{height}" role="img" aria-label="{words.escape(label)}">'
            + "".join(parts) + "</svg>")


def line(x, top, bottom, style):
    return f'<line x1="{x:.2f}%" x2="{x:.2f}%" y1="{top}" y2="{bottom}" class="{style}"/>'


def grid(axis, height):
    return [line(axis.at(tick), 0, height, "grid") for tick in axis.ticks()]


def scale(axis, show, what):
    """The labels below, or above, a chart."""
    parts = []
    for tick in axis.ticks():
        x = axis.at(tick)
        anchor = "start" if x < 8 else "end" if x > 92 else "middle"
        parts.append(f'<text x="{x:.2f}%" y="12" text-anchor="{anchor}">{show(tick)}</text>')
    return svg(16, parts, what)


def better_bar(axis, value, goal, best, label, height=22):
    """How many times better than QEMU: a bar from 1, the goal a line, the floor a diamond."""
    middle, parts = height / 2, grid(axis, height)
    if value is not None:
        start, end = sorted((axis.at(1), axis.at(value)))
        style = "ours" if value >= 1 else "worse"
        parts.append(f'<rect x="{start:.2f}%" y="5" width="{max(end - start, 0.3):.2f}%" '
                     f'height="{height - 10}" class="{style}"/>')
    parts.append(line(axis.at(1), 0, height, "one"))
    if goal is not None:
        parts.append(line(axis.at(goal), 1, height - 1, "goal"))
    if best is not None:
        # a nested SVG takes its place in per cent, and what is in it in pixels
        parts.append(f'<svg x="{axis.at(best):.2f}%" y="{middle}" class="mark">'
                     '<path d="M0-6 6 0 0 6-6 0Z" class="best"/></svg>')
    return svg(height, parts, label)


def lane(axis, runs, style, label):
    """Every value a dot, a run's median a line; each run below the one before it."""
    each = 11
    height = each * len(runs) + 8
    parts = grid(axis, height)
    for number, values in enumerate(runs):
        y = 4 + each * number + each / 2
        parts += [f'<circle cx="{axis.at(value):.2f}%" cy="{y:g}" r="3" class="{style} dot"/>'
                  for value in values]
        middle = sorted(values)[len(values) // 2] if len(values) % 2 else \
            sum(sorted(values)[len(values) // 2 - 1:len(values) // 2 + 1]) / 2
        parts.append(line(axis.at(middle), f"{y - 6:g}", f"{y + 6:g}", f"{style} median"))
    return svg(height, parts, label)


def plain_bar(axis, value, style, label, height=16):
    """A bar from the left edge."""
    parts = [f'<rect x="{EDGE}%" y="2" width="{max(axis.at(value) - EDGE, 0.3):.2f}%" '
             f'height="{height - 4}" class="{style}"/>']
    return svg(height, parts, label)
