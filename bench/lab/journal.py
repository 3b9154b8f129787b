#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""journal.py JOURNAL REPORT.json [--rows A,B]: put what `run` measured into the report's data.

REPORT.json keeps the runs that it has. One of the same commit that began at the same time is
replaced. Every value is kept: medians and spread are the reader's work.
"""

import argparse
import json
import os

SIDES = {"stubdm": "stubdm", "qemu": "QEMU", "stubdom": "stubdm, stub domain",
         "opponent": "QEMU, stub domain", "native": "native"}

# Row of the report: (row of the lab, title, unit, better).
ROWS = {
    "boot": ("create_to_answer", "xl create to an answering network", "s", "lower"),
    "start": ("exec_to_running", "start of the device model: exec to running", "ms", "lower"),
    "start_stubdom": ("unpause_to_running", "start of a stub domain: unpause to running", "ms",
                      "lower"),
    "idle_cpu": ("idle_cpu_in_10_s", "processor time in 10 s beside an idle guest", "ms", "lower"),
    "memory": ("memory", "memory: processes in dom0, and the stub domain", "MiB", "lower"),
    "save": ("save_time", "xl save of an idle guest of 320 MiB", "s", "lower"),
    "restore": ("restore_time", "xl restore of it", "s", "lower"),
    "state": ("state_size", "state of its devices", "bytes", "lower"),
    "migration": ("migration_silence", "no answer to a ping while it migrates to dom0 itself", "ms",
                  "lower"),
    "memory_domain": ("memory_domain", "of that the stub domain", "MiB", "lower"),
}
WAYS = [("iperf_out", "out", "transmit", "iperf3 out of the guest"),
        ("iperf_in", "in", "receive", "iperf3 into the guest"),
        ("dd_read", "read", "read", "dd from the disk, direct, 1 MiB blocks"),
        ("dd_write", "write", "write", "dd to the disk, direct, 1 MiB blocks")]
for name, _, way, title in WAYS:
    ROWS[name] = (f"{way}_bandwidth", title, "MB/s", "higher")
for cost, unit, title in [("exits", "events", "calls from Xen for a MB"),
                          ("interrupts", "interrupts", "the guest's interrupts for a MB"),
                          ("cpu", "cpu", "processor time of the device model for a MB")]:
    for _, short, way, what in WAYS:
        ROWS[f"{cost}_per_mb_{short}"] = (f"{way}_{unit}_per_MB", f"{title}, {what}",
                                          "ms" if cost == "cpu" else "", "lower")


def read(path):
    """The journal's first line, and the values of what passed: {row of the lab: {side: [...]}}."""
    about, values, attempt = {}, {}, []
    with open(path) as journal:
        for line in journal:
            date, _, kind, *fields = line.rstrip("\n").split("\t")
            if kind == "machine":
                about = {"commit": fields[0], "date": date, "machine": fields[2]}
            elif kind in ("begun", "failed"):
                attempt = []
            elif kind == "row":
                name, _, side, value = fields
                attempt.append((name, side, float(value)))
            elif kind == "passed":
                for name, side, value in attempt:
                    values.setdefault(name, {}).setdefault(side, []).append(value)
                attempt = []
    return about, values


def rows_of(values, wanted):
    rows = []
    for row, (source, title, unit, better) in ROWS.items():
        if wanted and not any(row.startswith(start) for start in wanted):
            continue
        sides = {SIDES[side]: values[source][side] for side in SIDES
                 if side in values.get(source, {})}
        if sides:
            rows.append({"row": row, "title": title, "unit": unit, "better": better,
                         "sides": sides})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("journal")
    parser.add_argument("report")
    parser.add_argument("--rows", help="comma-separated beginnings of row names")
    arguments = parser.parse_args()
    about, values = read(arguments.journal)
    run = {**about, "rows": rows_of(values, arguments.rows and arguments.rows.split(","))}
    report = {"runs": []}
    if os.path.exists(arguments.report):
        with open(arguments.report) as file:
            report = json.load(file)
    report["runs"] = [one for one in report["runs"]
                      if (one["commit"], one["date"]) != (run["commit"], run["date"])] + [run]
    with open(arguments.report + ".part", "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    os.replace(arguments.report + ".part", arguments.report)


if __name__ == "__main__":
    main()
