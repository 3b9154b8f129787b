# SPDX-License-Identifier: MIT
"""The page: one chart of everything, a chart a row, scale, and the table."""

import os
import statistics

import draw
import judge
import scale
import words
from words import escape, quantity

SIGN = {judge.MET: "✓", judge.MISSED: "✗", judge.UNDECIDED: "?", judge.UNMEASURED: "…",
        judge.NO_GOAL: "·"}
NOT_SHOWN = """VM exits, Xen's instruction emulator, foreign-map hypercalls (a mapping is cheaper
here than under Xen, and no PFN map), the scheduling of a guest and of dom0 above one another, PV
front ends of a stub domain. They are the same for both sides or favour QEMU. A system call stands
for each hypercall; its cost is this machine's. A program that reads the event descriptor itself
(stubdm does) pays for a UNIX stream there, one that uses the library's calls (QEMU does) for an
eventfd, which is cheaper."""


def verdict_word(line):
    """The verdict with its sign, for the eye and for who does not see colours."""
    word = line.verdict
    runs = f", {line.runs} of {judge.ENOUGH} runs" \
        if word in (judge.MET, judge.MISSED) and 0 < line.runs < judge.ENOUGH else ""
    return f'<span class="{word.split()[0]}">{SIGN[word]} {word}</span>', runs


def head(sections, runs):
    lines = [line for section in sections for line in section["lines"]]
    compared = [line.ratio for line in lines if line.ratio is not None]
    verdicts = judge.count(sections)
    ahead, behind = (sum(ratio > 1.05 for ratio in compared),
                     sum(ratio < 0.95 for ratio in compared))
    out = ["<h1>stubdm beside QEMU</h1>",
           f"<p>Of {len(compared)} rows that were measured on both, stubdm is ahead of QEMU in "
           f"<b>{ahead}</b>, level within 5 % in {len(compared) - ahead - behind}, and behind in "
           f"{behind}. Goals: <b class=met>{verdicts[judge.MET]} met</b>, "
           f"<b class=missed>{verdicts[judge.MISSED]} missed</b>, "
           f"<b class=undecided>{verdicts[judge.UNDECIDED]} undecided</b>, "
           f"{verdicts[judge.UNMEASURED]} not measured yet.</p>"]
    for name, what in (("peer.json", "Native"), ("lab.json", "Lab and stub domain")):
        out.append(f'<p class="soft"><small>{what}: {escape(about(runs[name]))}</small></p>')
    return out


def about(runs):
    """Where and when, in a sentence."""
    if not runs:
        return "not measured yet."
    last = runs[-1]
    text = f"{len(runs)} run{'s' if len(runs) > 1 else ''} of commit {last['commit']}, " \
           f"the last on {last['date']}; {last['machine']}"
    loads = [run["load"] for run in runs if "load" in run]
    if loads:
        text += "; load before it " + words.several(loads, lambda load: f"{load:.1f}")
    extra = last.get("about", {})
    versions = "; ".join(f"{side}: {version}" for side, version in
                         extra.get("versions", {}).items())
    rounds = f"; {extra['rounds']} rounds a run, A and B alternating" if "rounds" in extra else ""
    real_time = "; both under SCHED_FIFO" if extra.get("real_time") else ""
    slowed = f"; stubdm was slowed down by {extra['slow_ns']} ns a notification" \
        if extra.get("slow_ns") else ""
    return text + rounds + real_time + slowed + (f". {versions}" if versions else "") + "."


def key():
    def sample(shape):
        return f'<svg width="26" height="16">{shape}</svg>'
    return ('<div class="key"><span>' + sample('<rect y="3" width="26" height="10" class="ours"/>')
            + "better than QEMU</span><span>"
            + sample('<rect y="3" width="26" height="10" class="worse"/>')
            + "worse than QEMU</span><span>"
            + sample('<line x1="13" x2="13" y1="0" y2="16" class="goal"/>') + "goal</span><span>"
            + sample('<path d="M13 2 19 8 13 14 7 8Z" class="best"/>')
            + "floor: the best possible</span></div>")


def overview(sections):
    """How many times better than QEMU, row by row."""
    shown = [[line for line in section["lines"] if line.ratio is not None
              or line.wanted is not None] for section in sections]
    values = [value for lines in shown for line in lines
              for value in (line.ratio, line.wanted, line.best)
              if value and value != float("inf")]
    axis = draw.Axis(min([0.8, *values]) / 1.05, max([20, *values]) * 1.05, True)
    out = ["<h2>How many times better than QEMU</h2>", key(),
           "<p class=soft><small>The thick line at 1 is QEMU; each step of the axis is ten times. "
           "Twice as good is half of the time, memory or processor time, or twice the bandwidth."
           "</small></p>"]
    show = "{:g} ×".format
    for section, lines in zip(sections, shown):
        if not lines:
            continue
        out.append(f'<h3>{escape(section["title"])}</h3><p class="soft"><small>'
                   f'{escape(section["about"])}</small></p>')
        labels = draw.scale(axis, show, "axis: times QEMU")
        out.append(f'<div class="better"><div class="bar">{labels}</div></div>')
        out += [overview_row(axis, line) for line in lines]
    return out


def overview_row(axis, line):
    word, _ = verdict_word(line)
    number = f"<b>{words.ratio(line.ratio)} ×</b> " if line.ratio not in (None, float("inf")) \
        else "<b>none</b> " if line.ratio else ""
    said = f"{line.title}: {words.ratio(line.ratio)} times QEMU, {line.verdict}"
    bar = draw.better_bar(axis, line.ratio, line.wanted, line.best, said)
    return (f'<div class="better"><div class="name">{link(line)}</div>'
            f'<div class="bar">{bar}</div><div class="value">{number}{word}</div></div>')


def link(line):
    title = escape(line.title)
    return f'<a href="#{line.anchor}">{title}</a>' if line.sides else title


def style_of(side):
    return "ours" if side.startswith("stubdm") else "theirs" if side.startswith("QEMU") else "floor"


def row_chart(line):
    values = [value for side in line.sides for run in line.values(side) for value in run]
    axis = draw.axis_for(values)
    note = f"{line.better} is better" + (", logarithmic axis" if axis.log else "")
    wide = " wide" if max(map(len, line.sides)) > 8 else ""
    out = [f'<div class="card{wide}" id="{line.anchor}"><h3>{escape(line.title)}'
           f'<small class="soft">{escape(line.unit)}, {note}</small></h3>']
    for side in line.sides:
        runs = line.values(side)
        median = words.brief(line.median(side), line.unit)
        drawn = draw.lane(axis, runs, style_of(side), f"{side}: median {median}")
        out.append(f'<div class="lane"><div>{escape(side)}</div><div>{drawn}</div>'
                   f'<div class="value">{median}</div></div>')
    labels = draw.scale(axis, lambda tick: words.tick(tick, line.unit), f"axis: {line.unit}")
    out.append(f'<div class="lane"><div></div><div>{labels}</div><div></div></div>')
    floors = {text for row in line.found for text in row.get("floor_is", {}).values()}
    if floors:
        out.append(f'<small class="soft">Floor: {escape("; ".join(sorted(floors)))}</small>')
    return "".join(out) + "</div>"


def charts(sections):
    out = ["<h2>Every row with its spread</h2>",
           "<p class=soft><small>A dot is the value of one round, a line the median of one run; "
           "runs lie one below the other. On the right the median of all.</small></p>"]
    for section in sections:
        lines = [line for line in section["lines"] if line.sides]
        if lines:
            out.append(f'<h3>{escape(section["title"])}</h3><div class="cards">')
            out += [row_chart(line) for line in lines]
            out.append("</div>")
    return out


def spread_of(line, side):
    """The median and, small, from where to where the rounds' values reach."""
    values = [value for run in line.values(side) for value in run]
    if not values:
        return ""
    text = quantity(statistics.median(values), line.unit)
    if len(values) > 1 and min(values) != max(values):
        text += f"<br><small>{quantity(min(values), line.unit)} – " \
                f"{quantity(max(values), line.unit)}</small>"
    for beside, word in (("cpu", "processor"), ("p99", "99 %")):
        found = [value for row in line.found for value in row.get(beside, {}).get(side, [])]
        if found:
            unit = judge.BESIDE[beside] or line.unit
            text += f"<br><small>{word} {quantity(statistics.median(found), unit)}</small>"
    return text


def table(sections):
    out = ["<h2>All rows</h2>"]
    for section in sections:
        out.append(f'<h3>{escape(section["title"])}</h3><table class="rows"><thead><tr><th>Row'
                   "<th>stubdm<th>QEMU<th>Floor<th>Times QEMU<th>Goal<th>Verdict</thead><tbody>")
        for line in section["lines"]:
            word, runs = verdict_word(line)
            cells = [("", f"<b>{escape(line.title)}</b><br><small>{escape(line.unit)}, "
                          f"{line.better} is better</small>"),
                     ("stubdm", spread_of(line, line.ours)), ("QEMU", spread_of(line, line.theirs)),
                     ("Floor", spread_of(line, line.shown_floor)),
                     ("Times QEMU", "" if line.ratio is None else words.ratio(line.ratio)),
                     ("Goal", escape(line.goal["goal"])),
                     ("", f"{word}{runs}<br><small>{escape(words.reasons(line))}</small>")]
            out.append("<tr>" + "".join(
                f'<td{f" data-name=" + chr(34) + name + chr(34) if name else ""}'
                f'{" class=number" if name in ("stubdm", "QEMU", "Floor") else ""}>{cell}</td>'
                for name, cell in cells) + "</tr>")
        out.append("</tbody></table>")
    return out


def make(sections, runs, growth):
    """The whole page as text."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "style.css")) as file:
        style = file.read()
    out = ["<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
           '<meta name="viewport" content="width=device-width, initial-scale=1">',
           "<title>stubdm beside QEMU</title>", f"<style>\n{style}</style></head><body>",
           *head(sections, runs), *overview(sections), *charts(sections), *scale.section(growth),
           *table(sections), "<h2>What the native rows do not show</h2>", f"<p>{NOT_SHOWN}</p>",
           "</body></html>"]
    return "\n".join(out) + "\n"
