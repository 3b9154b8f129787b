# SPDX-License-Identifier: MIT
"""Rows of one run in the form of bench/report (see its README), and a table for the terminal."""

import statistics

SIDES = ("stubdm", "QEMU")
FLOOR = "floor"
BATCHED = "floor, batched"

# Row, title, floor (a sum of what the floor program measured: name and how often; empty when there
# is none), the same for a floor that hands over many things in one system call. The floor of an
# answer has the one notification in it that every answer needs.
ROWS = [
    ("start", "exec to \"running\"", [("floor_start", 1)], []),
    ("ioreq_port_spin", "Request round trip, port read, guest spins",
     [("floor_ping_pong_notify", 1)], []),
    ("ioreq_config_spin", "Request round trip, PCI configuration read, guest spins",
     [("floor_ping_pong_notify", 1)], []),
    ("ioreq_port_sleep", "Request round trip, guest sleeps, back to back",
     [("floor_wake_sleep", 1)], []),
    ("ioreq_port_idle_1ms", "Request round trip, guest idle 1 ms between requests",
     [("floor_wake_idle_1ms", 1)], []),
    ("serial_char", "Serial port, 68 characters one by one", [("floor_ping_pong", 73)], []),
    ("serial_rep_outsb", "Serial port, 68 characters by rep outsb", [("floor_ping_pong", 10)], []),
    ("ide_read_dma_64k", "IDE READ DMA 64 KiB, page cache, guest spins",
     [("floor_pread_64k", 1), ("floor_ping_pong", 14)], []),
    ("ide_read_dma_64k_sleep", "IDE READ DMA 64 KiB, guest sleeps",
     [("floor_pread_64k", 1), ("floor_wake_sleep", 14)], []),
    ("ide_read_dma_4k", "IDE READ DMA 4 KiB", [("floor_pread_4k", 1), ("floor_ping_pong", 14)],
     []),
    ("ide_read_pio_4k", "IDE READ SECTORS 4 KiB by rep insw",
     [("floor_pread_4k", 1), ("floor_ping_pong", 22)], []),
    ("ide_write_dma_64k", "IDE WRITE DMA 64 KiB, page cache",
     [("floor_pwrite_64k", 1), ("floor_ping_pong", 14)], []),
    ("e1000_tx_60", "e1000 transmit 60 B, per frame", [("floor_tap_write_60", 1)],
     [("floor_tap_batch_60", 1)]),
    ("e1000_tx_1514", "e1000 transmit 1514 B, per frame", [("floor_tap_write_1514", 1)],
     [("floor_tap_batch_1514", 1)]),
    ("e1000_tx_tso_64k", "e1000 transmit TSO 64 KiB, per request", [("floor_tap_write_tso", 1)],
     []),
    ("e1000_rx_first", "e1000 receiver on to the first waiting frame", [], []),
    ("e1000_rx_60", "e1000 receive 60 B, per frame", [("floor_tap_read_60", 1)], []),
    ("e1000_rx_1514", "e1000 receive 1514 B, per frame", [("floor_tap_read_1514", 1)], []),
    ("save", "State of the devices to a file, by QMP", [], []),
    ("restore", "exec to \"running\" with that state", [("floor_start", 1)], []),
]

# What the floors are (floor/floors.cc).
FLOORS = {
    "floor_start": "fork and exec of a static program",
    "floor_ping_pong": "a ping-pong between two processors",
    "floor_ping_pong_notify": "a ping-pong between two processors with one notification in it",
    "floor_wake_sleep": "two sleepers that wake each other by eventfds",
    "floor_wake_idle_1ms": "two sleepers that wake each other by eventfds, 1 ms apart",
    "floor_pread_64k": "pread of 64 KiB", "floor_pread_4k": "pread of 4 KiB",
    "floor_pwrite_64k": "pwrite of 64 KiB",
    "floor_tap_write_60": "a bare writev of the frame to the same tap",
    "floor_tap_write_1514": "a bare writev of the frame to the same tap",
    "floor_tap_write_tso": "a bare writev of the 64 KiB to the same tap",
    "floor_tap_read_60": "a bare readv of the frame from the same tap",
    "floor_tap_read_1514": "a bare readv of the frame from the same tap",
    "floor_memory": "a program with an event loop that does nothing",
}


def of(rounds, row, field):
    """That field of that row, of every round that has it."""
    return [one[row][field] for one in rounds if field in one.get(row, {})]


def shorter(values):
    """Five digits are more than any of these values deserves."""
    return [float(f"{value:.5g}") for value in values]


def sums(rounds, parts):
    """A floor of each round: the sum of its parts."""
    return [sum(one[name]["median_ns"] * factor for name, factor in parts)
            for one in rounds if parts and all(name in one for name, _ in parts)]


def what(parts):
    """A floor in words."""
    return ", and ".join((f"{factor} times " if factor != 1 else "") + FLOORS.get(name, name)
                         for name, factor in parts)


def summarise(rounds, calls):
    """`rounds`: side -> list of {row: fields}; `calls`: side -> {row: fields} of the run that
    counted. Returns rows, each with every round's value for each side."""
    rows = []
    for name, title, floor, batched in ROWS:
        row = {"row": name, "title": title, "unit": "ns", "better": "lower", "sides": {},
               "p99": {}, "cpu": {}, "calls": {}}
        for side in SIDES:
            mine = rounds.get(side, [])
            why = of(mine, name, "absent") + of(mine, name, "wrong")
            if why:
                row.setdefault("why_not", {})[side] = why[0]
            for key, field in (("sides", "median_ns"), ("p99", "p99_ns"), ("cpu", "cpu_ns")):
                values = of(mine, name, field)
                if values:
                    row[key][side] = shorter(values)
            counted = calls.get(side, {}).get(name, {})
            if "calls" in counted:
                row["calls"][side] = shorter([counted["calls"]])
        if not row["sides"]:
            continue
        for side, parts in ((FLOOR, floor), (BATCHED, batched)):
            values = sums(rounds.get(FLOOR, []), parts)
            if values:
                row["sides"][side] = shorter(values)
                row.setdefault("floor_is", {})[side] = what(parts)
        rows.append({key: value for key, value in row.items() if value})
    return rows + memory(rounds) + idle(rounds) + state(rounds)


def of_sides(rounds, row, field):
    """The same for each side that has it."""
    values = {side: of(rounds.get(side, []), row, field) for side in SIDES}
    return {side: mine for side, mine in values.items() if mine}


def state(rounds):
    sides = of_sides(rounds, "state", "bytes")
    return [{"row": "state", "title": "Size of the devices' state, a raw disk and a network card",
             "unit": "bytes", "better": "lower", "sides": sides}] if sides else []


def memory(rounds):
    sides = of_sides(rounds, "memory", "total_kb")
    if floor := of(rounds.get(FLOOR, []), "floor_memory", "total_kb"):
        sides[FLOOR] = floor
    sides = {side: shorter(kib / 1024 for kib in values) for side, values in sides.items()}
    return [{"row": "memory", "title": "Memory of all processes, a raw disk and a network card",
             "unit": "MiB", "better": "lower", "sides": sides,
             "floor_is": {FLOOR: FLOORS["floor_memory"]}}] if sides else []


def idle(rounds):
    """Only one round has the long look at idleness."""
    sides, cpu, seconds = {}, {}, 0
    for side in SIDES:
        for one in rounds.get(side, []):
            if "wakeups" in one.get("idle", {}):
                seconds = one["idle"]["seconds"]
                sides[side] = [one["idle"]["wakeups"]]
                cpu[side] = [one["idle"]["cpu_ns"]]
    return [{"row": "idle", "title": f"Wake-ups of an idle guest's device model in {seconds:g} s",
             "unit": "wake-ups", "better": "lower", "sides": sides, "cpu": cpu}] if sides else []


def spread(values):
    """Half of the distance between the quartiles, as a share of the median; of few values, half
    of their range."""
    if len(values) < 2 or not statistics.median(values):
        return None
    if len(values) < 5:
        low, high = min(values), max(values)
    else:
        low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2 / statistics.median(values)


def ns(value):
    if value < 10_000:
        return f"{value:.0f} ns"
    return f"{value / 1000:.1f} us" if value < 10_000_000 else f"{value / 1e6:.1f} ms"


def cell(values, unit="ns"):
    """Median and spread."""
    if not values:
        return "-"
    middle = statistics.median(values)
    varies = spread(values)
    shown = ns(middle) if unit == "ns" else f"{middle:g} {unit}"
    return shown + ("" if varies is None else f" ±{varies * 100:.0f}%")


def ratio(row):
    """How many times QEMU's the row's pairs of rounds are, or nothing."""
    pairs = [b / a for a, b in zip(*(row["sides"].get(side, []) for side in SIDES)) if a]
    return statistics.median(pairs) if pairs else None


def table(rows):
    """For the terminal; whether goals are met is for bench/report to say."""
    lines = [f"{'row':24} {'stubdm':>18} {'QEMU':>18} {'floor':>16} {'ratio':>7}  calls  cpu/op"]
    for row in rows:
        cells = [cell(row["sides"].get(side), row["unit"]) for side in (*SIDES, FLOOR)]
        calls, cpu = (["/".join(cell(row[key].get(side), unit).split(" ±")[0] for side in SIDES)
                       if key in row else "-" for key, unit in (("calls", ""), ("cpu", "ns"))])
        times = ratio(row)
        lines.append(f"{row['row']:24} {cells[0]:>18} {cells[1]:>18} {cells[2]:>16}"
                     f" {'-' if times is None else f'{times:.2f}':>7}  {calls}  {cpu}")
        for side, why in row.get("why_not", {}).items():
            lines.append(f"{'':26}{side}: {why}")
    return "\n".join(lines)
