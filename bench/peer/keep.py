# SPDX-License-Identifier: MIT
"""Runs that are kept: what was measured, where, when and of which commit."""

import datetime
import json
import os
import subprocess

RUNS = 3  # of one commit on one machine: as many as a verdict needs
# Commits that change only documents or results leave the program as it was.
PROGRAM = [".", ":(exclude)*.md", ":(exclude)bench/report", ":(exclude)tests/lab/results"]


def commit(root):
    """The last commit that changed more than documents and results; with -dirty when there are
    changes besides. "unknown" outside of a repository."""
    def git(*words):
        return subprocess.run(["git", "-C", root, *words, "--", *PROGRAM], check=True,
                              capture_output=True, text=True).stdout.strip()
    try:
        return git("log", "-1", "--format=%h", "--abbrev=10") + (
            "-dirty" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    """A line that tells this machine from others."""
    cpu = "unknown processor"
    with open("/proc/cpuinfo") as text:
        for line in text:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    return f"{cpu}, {os.cpu_count()} processors, Linux {os.uname().release}"


def heading(root):
    """What every run begins with."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"commit": commit(root), "date": now.strftime("%Y-%m-%d %H:%M UTC"),
            "machine": machine(), "load": round(os.getloadavg()[0], 2)}


def add(runs, run):
    """The runs that stay when `run` comes: of its machine those of the same commit, the last ones;
    of other machines all."""
    same = [one for one in runs if one["machine"] == run["machine"]
            and one["commit"] == run["commit"]]
    others = [one for one in runs if one["machine"] != run["machine"]]
    return others + (same + [run])[-RUNS:]


def read(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return json.load(file)["runs"]


def write(path, runs):
    """Each list of values in one line, so that a difference can be read."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text({"runs": runs}) + "\n")


def text(value, indent=0):
    """JSON; what holds no further objects is in one line."""
    parts = list(value.values()) if isinstance(value, dict) else value
    if not has_objects(parts):
        return json.dumps(value, ensure_ascii=False)
    pad = " " * (indent + 1)
    lines = [pad + text(one, indent + 1) for one in parts]
    if isinstance(value, dict):
        lines = [f"{pad}{json.dumps(key)}: {text(one, indent + 1)}" for key, one in value.items()]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n" + ",\n".join(lines) + "\n" + " " * indent + last


def has_objects(value):
    return isinstance(value, list) and any(isinstance(one, dict) or has_objects(one)
                                           for one in value)
