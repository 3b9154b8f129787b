# SPDX-License-Identifier: MIT
"""Summary of the rounds: JSON, a table for the terminal, one HTML page with SVG charts and
nothing from outside."""

import html
import statistics

# Row: (title, floor row or list of (floor, factor), how stubdm shall stand to QEMU, how to the
# floor). Times are nanoseconds, lower is better; a ratio to QEMU is QEMU / stubdm, one to the floor
# stubdm / floor.
ROWS = [
    ("start", "exec to \"running\"", [("floor_start", 1)], 5, None),
    ("ioreq_port_spin", "ioreq round trip, port read, guest spins", [("floor_ping_pong", 1)],
     3.5, 1.8),
    ("ioreq_config_spin", "ioreq round trip, PCI configuration read, guest spins",
     [("floor_ping_pong", 1)], 3.5, 1.8),
    ("ioreq_port_sleep", "ioreq round trip, guest sleeps, back to back", [("floor_wake_sleep", 1)],
     None, None),
    ("ioreq_port_idle_1ms", "ioreq round trip, guest idle 1 ms between requests",
     [("floor_wake_idle_1ms", 1)], None, 1.3),
    ("serial_char", "serial, 68 characters one by one", [("floor_ping_pong", 73)], 1.5, None),
    ("serial_rep_outsb", "serial, 68 characters by rep outsb", [("floor_ping_pong", 10)], 3, None),
    ("ide_read_dma_64k", "IDE READ DMA 64 KiB, page cache, guest spins",
     [("floor_pread_64k", 1), ("floor_ping_pong", 14)], 3, None),
    ("ide_read_dma_64k_sleep", "IDE READ DMA 64 KiB, guest sleeps",
     [("floor_pread_64k", 1), ("floor_wake_sleep", 14)], None, None),
    ("ide_read_dma_4k", "IDE READ DMA 4 KiB", [("floor_pread_4k", 1), ("floor_ping_pong", 14)],
     None, None),
    ("ide_read_pio_4k", "IDE READ SECTORS 4 KiB by rep insw",
     [("floor_pread_4k", 1), ("floor_ping_pong", 22)], None, None),
    ("ide_write_dma_64k", "IDE WRITE DMA 64 KiB, page cache",
     [("floor_pwrite_64k", 1), ("floor_ping_pong", 14)], None, None),
    ("e1000_tx_60", "e1000 transmit 60 B, per frame", [("floor_tap_write_60", 1)], 4, 1 / 0.6),
    ("e1000_tx_1514", "e1000 transmit 1514 B, per frame", [("floor_tap_write_1514", 1)], 4,
     1 / 0.6),
    ("e1000_tx_tso_64k", "e1000 transmit TSO 64 KiB, per request", [("floor_tap_write_tso", 1)], 8,
     1 / 0.8),
    ("e1000_rx_first", "e1000 receiver on to the first waiting frame", [], None, None),
    ("e1000_rx_60", "e1000 receive 60 B, per frame", [("floor_tap_read_60", 1)], 3, 1 / 0.6),
    ("e1000_rx_1514", "e1000 receive 1514 B, per frame", [("floor_tap_read_1514", 1)], 3, 1 / 0.6),
]
COLOURS = {"stubdm": "#2563a8", "QEMU": "#c2571a", "floor": "#8a8f98"}


def middle(values):
    return statistics.median(values) if values else None


def spread(values):
    """Half of the distance between the quartiles, as a share of the median; of few values, half
    of their range."""
    if len(values) < 2 or not statistics.median(values):
        return None
    ordered = sorted(values)
    if len(values) < 5:
        low, high = ordered[0], ordered[-1]
    else:
        low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2 / statistics.median(values)


def of(rounds, row, field):
    return [one[row][field] for one in rounds if row in one and field in one[row]]


def summarise(rounds, calls):
    floor_rounds = rounds.get("floor", [])
    rows = []
    for name, title, floor, to_qemu, to_floor in ROWS:
        entry = {"row": name, "title": title, "sides": {}, "target_ratio": to_qemu,
                 "target_floor": to_floor}
        floor_values = []
        for one in floor_rounds:
            if floor and all(part in one for part, _ in floor):
                floor_values.append(sum(one[part]["median_ns"] * factor for part, factor in floor))
        entry["floor_ns"] = middle(floor_values)
        entry["floor_spread"] = spread(floor_values)
        if name.startswith("ioreq") and name.endswith("spin"):
            entry["floor_notify_ns"] = middle(
                of(floor_rounds, "floor_ping_pong_notify", "median_ns"))
        entry["floor_what"] = " + ".join((f"{factor} x " if factor != 1 else "") + part for part,
                                         factor in floor)
        for side in ("stubdm", "QEMU"):
            medians = of(rounds.get(side, []), name, "median_ns")
            if not medians:
                why = (of(rounds.get(side, []), name, "absent")
                       + of(rounds.get(side, []), name, "wrong"))
                if why:
                    entry["sides"][side] = {"absent": why[0]}
                continue
            entry["sides"][side] = {
                "median_ns": middle(medians), "spread": spread(medians), "all_ns": medians,
                "p99_ns": middle(of(rounds[side], name, "p99_ns")),
                "cpu_ns": middle(of(rounds[side], name, "cpu_ns")),
                "requests": middle(of(rounds[side], name, "requests")),
                "bytes_per_s": middle(of(rounds[side], name, "bytes_per_s")),
                "calls": calls.get(side, {}).get(name, {}).get("calls"),
            }
        ours, theirs = (entry["sides"].get(side, {}).get("median_ns")
                        for side in ("stubdm", "QEMU"))
        if ours and theirs:
            pairs = [b / a for a, b in zip(entry["sides"]["stubdm"]["all_ns"],
                                           entry["sides"]["QEMU"]["all_ns"])]
            entry["ratio"] = middle(pairs)
            entry["ratio_spread"] = spread(pairs)
        if ours and entry["floor_ns"]:
            entry["over_floor"] = ours / entry["floor_ns"]
        if entry["sides"]:
            rows.append(entry)
    return {"rows": rows, "memory": memory(rounds), "idle": idle(rounds), "rounds": rounds,
            "calls": calls}


def memory(rounds):
    result = {}
    for side in ("stubdm", "QEMU"):
        totals = of(rounds.get(side, []), "memory", "total_kb")
        if totals:
            result[side] = {"kb": middle(totals),
                            "anon_kb": middle(of(rounds[side], "memory", "anon_kb")),
                            "file_kb": middle(of(rounds[side], "memory", "file_kb")),
                            "processes": max(of(rounds[side], "memory", "processes"))}
    floor = of(rounds.get("floor", []), "floor_memory", "total_kb")
    if floor:
        result["floor"] = {"kb": middle(floor)}
    return result


def idle(rounds):
    result = {}
    for side in ("stubdm", "QEMU"):
        for one in rounds.get(side, []):
            if "wakeups" in one.get("idle", {}):
                result[side] = one["idle"]
    return result


def ns(value):
    if value is None:
        return "-"
    if value < 10_000:
        return f"{value:.0f} ns"
    return f"{value / 1000:.1f} us" if value < 10_000_000 else f"{value / 1e6:.1f} ms"


def share(value):
    return "" if value is None else f" ±{value * 100:.0f}%"


def ours_of(entry):
    return entry["sides"].get("stubdm", {}).get("median_ns")


def verdict(entry):
    """What the targets say: a list of (text, met)."""
    found = []
    if entry["target_ratio"] and "ratio" in entry:
        found.append((f"{entry['ratio']:.1f}x QEMU (goal {entry['target_ratio']:g})",
                      entry["ratio"] >= entry["target_ratio"]))
    if entry["target_floor"] and "over_floor" in entry:
        found.append((f"{entry['over_floor']:.2f}x floor (goal {entry['target_floor']:.2g})",
                      entry["over_floor"] <= entry["target_floor"]))
    if entry.get("floor_notify_ns") and ours_of(entry):
        found.append((f"for comparison: {ours_of(entry) / entry['floor_notify_ns']:.2f}x a "
                      f"ping-pong with one notification per answer"
                      f" ({ns(entry['floor_notify_ns'])})", None))
    if entry["row"] == "ioreq_port_idle_1ms":
        ours, theirs = (entry["sides"].get(side, {}).get("calls") for side in ("stubdm", "QEMU"))
        if ours and theirs:
            found.append((f"{ours:.1f} system calls (QEMU {theirs:.1f})", ours <= theirs + 0.05))
    return found


def other_verdicts(result):
    found = []
    sizes = result["memory"]
    if "stubdm" in sizes and "QEMU" in sizes:
        ratio = sizes["QEMU"]["kb"] / sizes["stubdm"]["kb"]
        found.append((f"memory: one {ratio:.1f}th of QEMU's (goal 5)", ratio >= 5))
    if "stubdm" in result["idle"]:
        wakeups = result["idle"]["stubdm"]["wakeups"]
        found.append((f"idle: {wakeups} wake-ups in {result['idle']['stubdm']['seconds']:g} s "
                      f"(goal 0)", wakeups == 0))
    return found


def table(result):
    lines = [f"{'row':24} {'stubdm':>18} {'QEMU':>18} {'floor':>16} {'ratio':>7}  calls  cpu/op"]
    for entry in result["rows"]:
        cells = []
        for side in ("stubdm", "QEMU"):
            value = entry["sides"].get(side)
            cells.append("-" if value is None else "absent" if "absent" in value
                         else ns(value["median_ns"]) + share(value["spread"]))
        extra = []
        for side in ("stubdm", "QEMU"):
            value = entry["sides"].get(side, {})
            extra.append(("-" if value.get("calls") is None else f"{value['calls']:.1f}",
                          ns(value.get("cpu_ns"))))
        ratio = f"{entry['ratio']:.2f}" if "ratio" in entry else "-"
        lines.append(f"{entry['row']:24} {cells[0]:>18} {cells[1]:>18} "
                     f"{ns(entry['floor_ns']) + share(entry['floor_spread']):>16}"
                     f" {ratio:>7}  {extra[0][0]}/{extra[1][0]}  {extra[0][1]}/{extra[1][1]}")
        for text, met in verdict(entry):
            lines.append(f"{'':26}{'' if met is None else 'met:    ' if met else 'MISSED: '}{text}")
    for side, size in result["memory"].items():
        detail = ""
        if "anon_kb" in size:
            detail = (f" (anonymous {size['anon_kb']:.0f}, file {size['file_kb']:.0f},"
                      f" {size['processes']} processes)")
        lines.append(f"memory {side}: {size['kb']:.0f} KiB{detail}")
    for side, value in result["idle"].items():
        lines.append(f"idle {side}: {value['wakeups']} wake-ups, {value['cpu_ns'] / 1e6:.2f} ms "
                     f"CPU in {value['seconds']:g} s")
    for text, met in other_verdicts(result):
        lines.append(f"{'met:    ' if met else 'MISSED: '}{text}")
    return "\n".join(lines)


def chart(entry):
    """Horizontal bars with whiskers from the least to the greatest round."""
    bars = []
    for side in ("stubdm", "QEMU"):
        value = entry["sides"].get(side)
        if value and "median_ns" in value:
            bars.append((side, value["median_ns"], min(value["all_ns"]), max(value["all_ns"])))
    if entry["floor_ns"]:
        bars.append(("floor", entry["floor_ns"], entry["floor_ns"], entry["floor_ns"]))
    if not bars:
        return ""
    widest = max(high for _, _, _, high in bars) or 1
    parts = [f'<svg viewBox="0 0 640 {len(bars) * 24 + 4}" role="img" '
             f'aria-label="{html.escape(entry["title"])}">']
    for i, (name, value, low, high) in enumerate(bars):
        y = i * 24 + 4
        width = 400 * value / widest
        parts.append(f'<text x="58" y="{y + 13}" text-anchor="end">{name}</text>'
                     f'<rect x="64" y="{y}" width="{width:.1f}" height="18" '
                     f'fill="{COLOURS[name]}"/>'
                     f'<line x1="{64 + 400 * low / widest:.1f}"'
                     f' x2="{64 + 400 * high / widest:.1f}" y1="{y + 9}" y2="{y + 9}"'
                     f' stroke="#111" stroke-width="1"/>'
                     f'<text x="{64 + 400 * high / widest + 6:.1f}" y="{y + 13}">{ns(value)}</text>'
                     f'')
    parts.append("</svg>")
    return "".join(parts)


NOT_SHOWN = """VM exits, Xen's instruction emulator, foreign-map hypercalls (a mapping is cheaper
here than under Xen, and no PFN map), the scheduling of a guest and of dom0 above one another, PV
front ends of a stub domain. They are the same for both sides or favour QEMU. A system call stands
for each hypercall; its cost is this machine's. A program that reads the event descriptor itself
(stubdm does) pays for a UNIX stream there, one that uses the library's calls (QEMU does) for an
eventfd, which is cheaper."""


def page(result):
    about = result["about"]
    out = ["<!doctype html><meta charset=utf-8><title>stubdm beside QEMU, native</title><style>",
           "body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;"
           "color:#1c1e21}",
           "table{border-collapse:collapse;width:100%}td,th{padding:.25em .5em;text-align:right;"
           "border-bottom:1px solid #ddd}",
           "td:first-child,th:first-child{text-align:left}svg{width:100%;max-width:40em;font:12px "
           "system-ui,sans-serif}",
           "h3{margin:1.4em 0 "
           ".2em}.met{color:#1a7f37}.missed{color:#b3261e}.note{color:#555}</style>",
           "<h1>stubdm beside QEMU, native</h1>"]
    if about["slow_ns"]:
        out.append(f"<p class=missed>Check of the harness: stubdm was slowed down by "
                   f"{about['slow_ns']} ns for each notification.</p>")
    machine = about["machine"]
    names = "; ".join(f"{side}: {html.escape(text)}" for side, text in about["versions"].items())
    out.append(f"<p>{about['date']}. {html.escape(machine['cpu'])}, {machine['cpus']} CPUs, Linux "
               f"{html.escape(machine['kernel'])}, load"
               f" {machine['load_before'][0]:.1f}. {names}. {about['rounds']} rounds, stubdm and "
               f"QEMU alternating, medians of the rounds'"
               f" medians; ± is half of the quartiles' distance; whiskers reach from the least to "
               f"the greatest round."
               f"{' Both sides under SCHED_FIFO.' if about['real_time'] else ''}</p>")
    out.append("<table><tr><th>row<th>stubdm<th>QEMU<th>floor<th>QEMU / stubdm<th>p99<th>CPU per "
               "operation<th>system calls")
    for entry in result["rows"]:
        sides = [entry["sides"].get(side, {}) for side in ("stubdm", "QEMU")]
        cells = [ns(side.get("median_ns")) + share(side.get("spread")) for side in sides]
        p99 = " / ".join(ns(side.get("p99_ns")) for side in sides)
        cpu = " / ".join(ns(side.get("cpu_ns")) for side in sides)
        calls = " / ".join("-" if side.get("calls") is None else f"{side['calls']:.1f}"
                           for side in sides)
        ratio = f"{entry['ratio']:.2f}{share(entry['ratio_spread'])}" if "ratio" in entry else "-"
        out.append(f"<tr><td>{html.escape(entry['title'])}<td>{cells[0]}<td>{cells[1]}<td>"
                   f"{ns(entry['floor_ns'])}<td>{ratio}<td>{p99}"
                   f"<td>{cpu}<td>{calls}")
    out.append("</table>")
    verdicts = [(entry["title"], item) for entry in result["rows"] for item in verdict(entry)]
    verdicts += [("", item) for item in other_verdicts(result)]
    if verdicts:
        out.append("<h2>Goals</h2><ul>")
        for title, (text, met) in verdicts:
            style, word = ("note", "") if met is None else ("met", ": met") if met else ("missed",
                                                                                         ": missed")
            out.append(f"<li class={style}>{html.escape(title + ': ' if title else '')}"
                       f"{html.escape(text)}{word}")
        out.append("</ul>")
    out.append("<h2>Memory and idle</h2><table><tr><th>side<th>RssAnon + RssFile<th>of it "
               "anonymous<th>processes<th>wake-ups<th>in")
    for side, size in result["memory"].items():
        quiet = result["idle"].get(side, {})
        out.append(f"<tr><td>{side}<td>{size['kb'] / 1024:.1f} MiB<td>"
                   f"{size.get('anon_kb', 0) / 1024:.1f} MiB<td>{size.get('processes', 1)}"
                   f"<td>{quiet.get('wakeups', '-')}<td>{quiet.get('seconds', '-')} s")
    out.append("</table><h2>Charts</h2>")
    for entry in result["rows"]:
        out.append(f"<h3>{html.escape(entry['title'])}</h3>{chart(entry)}")
        if entry["floor_ns"]:
            out.append(f"<p class=note>floor: {html.escape(entry['floor_what'])}</p>")
    out.append(f"<h2>What this does not show</h2><p>{NOT_SHOWN}</p>")
    return "\n".join(out)
