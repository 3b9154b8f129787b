# SPDX-License-Identifier: MIT
"""What spinning buys and costs: the same rows with each policy, and with QEMU, which never
spins. Latency of a request beside the processor time that the device model takes for it."""

import json
import statistics

POLICIES = [("stubdm auto", ["-spin", "auto"]), ("stubdm off", ["-spin", "off"]),
            ("stubdm 50 us", ["-spin", "50"])]
ROWS = [("ioreq_port_spin", "guest spins for the answer"),
        ("ioreq_port_sleep", "guest sleeps for the answer, back to back"),
        ("ioreq_port_idle_1ms", "guest idle 1 ms between requests"),
        ("serial_char", "68 characters to the serial port"),
        ("ide_read_dma_64k", "IDE READ DMA 64 KiB")]


def microseconds(value):
    if value is None:
        return "-"
    return f"{value / 1000:.2f}" if value < 100_000 else f"{value / 1000:.0f}"


def measure(sides, rounds, session, say):
    """sides: name -> side; session(side, idle) -> rows. A B C D, A B C D, ..."""
    results = {name: [] for name in sides}
    for turn in range(rounds):
        for name, side in sides.items():
            results[name].append(session(side, turn == 0))
        say(f"round {turn + 1}/{rounds}")
    return results


def middle(results, name, row, field):
    values = [one[row][field] for one in results[name] if field in one.get(row, {})]
    return statistics.median(values) if values else None


def summary(results):
    table = {}
    for row, title in ROWS:
        table[row] = {"title": title,
                      "sides": {name: {"median_ns": middle(results, name, row, "median_ns"),
                                       "cpu_ns": middle(results, name, row, "cpu_ns")}
                                       for name in results}}
    idle = {name: next((one["idle"] for one in all_rounds
                        if "wakeups" in one.get("idle", {})), None)
            for name, all_rounds in results.items()}
    return {"rows": table, "idle": idle}


def table(result):
    names = list(next(iter(result["rows"].values()))["sides"])
    lines = ["| us: latency / processor time | " + " | ".join(names) + " |",
             "|---" * (len(names) + 1) + "|"]
    for row in result["rows"].values():
        cells = [f"{microseconds(side['median_ns'])} / {microseconds(side['cpu_ns'])}"
                 for side in row["sides"].values()]
        lines.append(f"| {row['title']} | " + " | ".join(cells) + " |")
    cells = []
    for name in names:
        idle = result["idle"].get(name)
        cells.append("-" if idle is None else f"{idle['wakeups']} / {microseconds(idle['cpu_ns'])}")
    lines.append("| idle guest: wake-ups / processor time | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(result, path):
    with open(path, "w") as file:
        json.dump(result, file, indent=1)
