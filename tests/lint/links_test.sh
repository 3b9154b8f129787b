#!/bin/bash
# SPDX-License-Identifier: MIT
# links_test.sh SCRATCH: links.sh and width.sh refuse one wrong line of each kind, and nothing else.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$1/links
failed=0

# judge CHECK FILE TEXT: run the check on a tree of three documents and this file
judge() {
  rm -rf "$tree"
  mkdir -p "$tree/core" "$tree/devices"
  git -C "$tree" init -q
  printf '# Top\n\n## A thing'"'"'s name\n' > "$tree/README.md"
  echo "# core" > "$tree/core/README.md"
  echo "// code" > "$tree/core/thing.h"
  printf '%s\n' "$3" >> "$tree/$2"
  said=$("$here/$1" "$tree" 2>&1)
}
takes() {
  judge "$@" || { echo "$1 refuses in $2: $3"; echo "$said"; failed=1; }
}
refuses() {
  ! judge "$@" || { echo "$1 takes in $2: $3"; failed=1; }
}
long=$(printf 'word %.0s' {1..21})

takes links.sh core/README.md '[top](../README.md), [here](thing.h), [there](https://nowhere.test/)'
takes links.sh core/README.md "[a heading](../README.md#a-things-name) and [one here](#core)"
takes links.sh README.md '`core/thing`, `core/thing.h`, `core/*.h`, `core/{thing,README}*`, `a/b`'
refuses links.sh README.md '[gone](core/gone.h)'
refuses links.sh core/README.md '[gone](../README.md#another-name)'
refuses links.sh README.md '[gone](#nowhere)'
refuses links.sh README.md 'see `core/gone.h`'
refuses links.sh README.md 'see `core/gone`'
takes width.sh core/thing.h "${long:0:100}"
takes width.sh README.md "| a row of a table | ${long} |"
takes width.sh README.md "  https://nowhere.test/${long// /_}"
refuses width.sh core/thing.h "${long:0:101}x"
refuses width.sh README.md "${long:0:101}x"
refuses width.sh core/script.sh "# ${long}"
rm -rf "$tree"
((failed == 0)) && echo "14 trees judged rightly"
