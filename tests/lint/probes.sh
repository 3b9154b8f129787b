#!/bin/bash
# SPDX-License-Identifier: MIT
# probes.sh PROGRAM README: the tracepoints in the program are those that the README tells of, with
# as many arguments.
set -euo pipefail
program=$1 readme=$2
in_program() {
  readelf -nW "$program" 2> /dev/null | awk '
    /Provider: / { ours = $NF == "stubdm" }
    /Name: / { name = $2 }
    /Arguments: / && ours { print name, NF - 1 }' | sort -u
}
# a table's line: | `name` | arguments, divided by commas (those in brackets do not count) | when |
in_readme() {
  sed -n 's/^| `\([a-z_]*\)` | \([^|]*\) |.*/\1|\2/p' "$readme" | sed 's/([^)]*)//g' |
    awk -F '|' '{ print $1, split($2, arguments, ",") }' | sort -u
}
if [[ -z $(in_program) ]]; then
  echo "no tracepoints in $program: it was built without systemtap-sdt-dev"
  exit 77
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
for backend in $(grep -l '::submit(BlockRequest&' -r "$root/platform" --include='*.cc'); do
  for probe in 'DM_PROBE4(disk_submit' 'DM_PROBE3(disk_done'; do
    grep -qF "$probe" "$backend" || { echo "${backend#"$root"/} has no $probe"; exit 1; }
  done
done
diff <(in_readme) <(in_program) && echo "$(in_program | wc -l) tracepoints"
