# SPDX-License-Identifier: MIT
"""Many guests on one machine: how memory and processor time grow, and what a host of 500 needs."""

import statistics

import draw
import judge
from words import escape, quantity

HOST = 500  # guests of the host on paper
SIDES = ("stubdm", "QEMU")
# Field, title, unit: what is drawn.
MEASURES = [
    ("pss_kib", "Memory of all device models, shared pages counted once", "KiB"),
    ("rss_kib", "Memory of all device models, each process's own account", "KiB"),
    ("idle_cpu_ns", "Processor time a second, all guests idle", "ns"),
    ("cpu_ns", "Processor time a request, each guest one request a millisecond", "ns"),
    ("median_ns", "Latency of a request, median", "ns"),
    ("p99_ns", "Latency of a request, 99 %", "ns"),
    ("made_percent", "Requests made, of those that were wanted", "%"),
]


class Growth:
    """Medians over the runs: value(side, guests, field)."""

    def __init__(self, runs):
        self.runs = runs
        self.rows = [{**row, "made_percent": row["made"] * 100} if "made" in row else row
                     for run in runs for row in run["rows"]]
        self.counts = sorted({row["guests"] for row in self.rows})

    def value(self, side, guests, field):
        found = [row[field] for row in self.rows
                 if row["side"] == side and row["guests"] == guests and field in row]
        return statistics.median(found) if found else None

    def host(self, side):
        """What 500 guests need, by arithmetic: rows of (what, result, how). Nothing without two
        numbers of guests."""
        if len(self.counts) < 2:
            return []
        least, most = self.counts[0], self.counts[-1]
        out = []
        first, last = (self.value(side, guests, "pss_kib") for guests in (least, most))
        if None not in (first, last):
            each = (last - first) / (most - least)
            out.append(("Memory", quantity(last + (HOST - most) * each, "KiB"),
                        f"{quantity(last, 'KiB')} for {most}, and {HOST - most} more at "
                        f"({quantity(last, 'KiB')} - {quantity(first, 'KiB')}) / {most - least} = "
                        f"{quantity(each, 'KiB')}"))
        idle = self.value(side, most, "idle_cpu_ns")
        if idle is not None:
            out.append(("Processors, all idle", share(idle / most * HOST / 1e9),
                        f"{HOST} times {quantity(idle / most, 'ns')} a second"))
        each = self.value(side, most, "cpu_ns")
        if each is not None:
            out.append(("Processors, each guest 1000 requests a second",
                        share(HOST * 1000 * each / 1e9),
                        f"{HOST} times 1000 times {quantity(each, 'ns')}"))
        return out


def share(processors):
    return f"{processors:.1f} processors" if processors >= 0.95 else f"{processors:.2g} of one"


def load(runs):
    return Growth(judge.latest(runs))


def card(growth, field, title, unit):
    values = {(guests, side): growth.value(side, guests, field)
              for guests in growth.counts for side in SIDES}
    there = [value for value in values.values() if value is not None]
    if not there:
        return ""
    axis = draw.Axis(0, max(there) or 1, False)
    out = [f'<div class="card many"><h3>{escape(title)}</h3>']
    for (guests, side), value in values.items():
        if value is None:
            continue
        shown = quantity(value, unit)
        style = "ours" if side == "stubdm" else "theirs"
        bar = draw.plain_bar(axis, value, style, f"{side}, {guests} guests: {shown}")
        name = f"{guests} × {side}"
        first = " first" if side == SIDES[0] else ""
        out.append(f'<div class="lane{first}"><div>{name}</div><div>{bar}</div>'
                   f'<div class="value">{shown}</div></div>')
    return "".join(out) + "</div>"


def section(growth):
    out = ["<h2>Many guests on one machine</h2>"]
    if not growth.rows:
        return [*out, "<p>not measured yet</p>"]
    last = growth.runs[-1]
    loads = ", ".join(f"{run['load']:.1f}" for run in growth.runs)
    out.append(f'<p class="soft"><small>{" , ".join(map(str, growth.counts))} guests, each with a '
               f"raw disk, a serial port and {escape(last['card'])}, natively (bench/scale). "
               f"{len(growth.runs)} run{'s' if len(growth.runs) > 1 else ''} of commit "
               f"{escape(last['commit'])}, the last on {escape(last['date'])}; "
               f"{escape(last['machine'])}; load before it {loads}. "
               f"{escape(last.get('note', ''))}</small></p>".replace(" , ", ", "))
    out.append('<div class="cards">')
    out += [card(growth, *measure) for measure in MEASURES]
    out.append("</div>")
    tables = {side: growth.host(side) for side in SIDES}
    if all(tables.values()):
        out.append(f"<h3>A host with {HOST} guests, by arithmetic</h3>"
                   '<table class="rows"><thead><tr><th>What<th>stubdm<th>QEMU</thead><tbody>')
        for ours, theirs in zip(*tables.values()):
            out.append(f"<tr><td><b>{ours[0]}</b></td>" + "".join(
                f'<td data-name="{side}">{one[1]}<br><small>{escape(one[2])}</small></td>'
                for side, one in zip(SIDES, (ours, theirs))) + "</tr>")
        out.append("</tbody></table>")
    return out
