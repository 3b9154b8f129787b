#!/bin/bash
# SPDX-License-Identifier: MIT
# width.sh [ROOT]: no line is longer than 100 columns.
#
# Lines that cannot be broken may be: rows of Markdown tables; one word without a space in it, an
# address for example; register lists (regs.h), whose rows are aligned and kept from clang-format;
# data, which programs wrote or read: JSON, pictures, reports, recorded inputs, expected outputs.
set -euo pipefail
export LC_ALL=C.UTF-8
cd "${1:-$(dirname "$0")/../..}"
limit=100

if git ls-files -z --cached --others --exclude-standard -- . ':!LICENSE' ':!*.json' ':!*.svg' \
  ':!*.html' ':!*regs.h' ':!*/corpus/*' ':!*golden*' ':!tests/lab/results/*.tsv' |
  xargs -0 grep -nIE "^.{$((limit + 1)),}" |
  grep -vE '^[^:]*\.md:[0-9]+: *\|' |
  grep -vE '^[^:]*:[0-9]+:[[:space:]]*([-*#/"]+[[:space:]]*)?[^[:space:]]+$' |
  sed -E 's/^([^:]*:[0-9]+):(.{60}).*/\1: \2.../' | grep .; then
  echo "these lines are longer than $limit columns"
  exit 1
fi
echo "no line is longer than $limit columns"
