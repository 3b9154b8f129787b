# SPDX-License-Identifier: MIT
"""Memory and processor time of processes, from /proc."""

import os


def fields(path):
    """{name: number} of lines like "RssAnon:  976 kB"."""
    found = {}
    with open(path) as file:
        for line in file:
            name, _, rest = line.partition(":")
            words = rest.split()
            if words and words[0].isdigit():
                found[name] = int(words[0])
    return found


def parents():
    """{pid: pid of its parent}."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found[int(name)] = fields(f"/proc/{name}/status")["PPid"]
            except (OSError, KeyError):
                pass  # it has ended meanwhile
    return found


def below(pid):
    """The descendants of a process, without itself."""
    tree = parents()
    found = [pid]
    for one in found:
        found += [child for child, parent in tree.items() if parent == one]
    return found[1:]


def memory(pids):
    """Sums, in KiB: RssAnon + RssFile as each process sees it, and the same with every page that
    several share counted once among them (proportional set size). Guest memory is in neither."""
    rss = pss = 0
    for pid in pids:
        status = fields(f"/proc/{pid}/status")
        rss += status["RssAnon"] + status["RssFile"]
        shares = fields(f"/proc/{pid}/smaps_rollup")
        pss += shares["Pss_Anon"] + shares["Pss_File"]
    return {"rss_kib": rss, "pss_kib": pss}


def usage(pids):
    """{thread: (nanoseconds on a processor, times it was put on one)}."""
    found = {}
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    ran, _, slices = map(int, file.read().split())
            except OSError:
                continue  # it has ended meanwhile
            found[int(task)] = (ran, slices)
    return found


def used(before, after):
    """What all have used in between."""
    cpu = slices = 0
    for task, (ran, times) in after.items():
        first = before.get(task, (0, 0))
        cpu += ran - first[0]
        slices += times - first[1]
    return cpu, slices
