#!/bin/bash
# SPDX-License-Identifier: MIT
# links.sh [ROOT]: what the documents point at is there.
#
# Every relative link in a Markdown file names a file or directory, and its #anchor a heading there.
# Every `path/file` between backticks that begins with one of the tree's directories names a file or
# directory, from the top or from the document's own directory; a name without an ending may be
# that of a `.h` or `.cc`. A last part in capitals (devices/NAME) is the reader's to fill in. What a
# build makes (build/...) is not looked at.
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
wrong=0
complain() {
  echo "$1: $2"
  wrong=$((wrong + 1))
}

# anchors FILE: what GitHub makes of its headings
anchors() {
  sed -n 's/^#\{1,6\} //p' "$1" | tr '[:upper:]' '[:lower:]' |
    sed -e 's/[^a-z0-9 _-]//g' -e 's/ /-/g'
}

# there PATH: as it is, or with an ending, or as a pattern
there() {
  local found
  for found in "$1" "$1.h" "$1.cc" "$1.sh"; do
    [[ -e $found ]] && return
  done
  compgen -G "$1" > /dev/null
}

check_links() {
  local document=$1 directory link target anchor
  directory=$(dirname "$document")
  while IFS= read -r link; do
    [[ $link == *://* || $link == mailto:* ]] && continue
    target=${link%%#*} anchor=
    [[ $link == *'#'* ]] && anchor=${link#*#}
    if [[ $target && ! -e $directory/$target ]]; then
      complain "$document" "there is no $target"
    elif [[ $anchor ]]; then
      target=${target:+$directory/$target}
      anchors "${target:-$document}" | grep -Fxq -- "$anchor" ||
        complain "$document" "there is no heading #$anchor in ${target:-$document}"
    fi
  done < <(grep -oE '\]\([^) ]+\)' "$document" | sed -e 's/^](//' -e 's/)$//')
}

check_names() {
  local document=$1 directory name path
  directory=$(dirname "$document")
  while IFS= read -r name; do
    for path in $(eval_braces "$name"); do
      [[ $path =~ /[A-Z]+$ && $path != */README ]] && continue # the reader's own NAME
      there "$path" || there "$directory/$path" || complain "$document" "there is no \`$path\`"
    done
  done < <(grep -oE '`(core|devices|ioreq|platform|stubdom|bench|tests)/[A-Za-z0-9_./*{},-]+`' \
    "$document" | tr -d '`' | sort -u)
}

# eval_braces a/{b,c}: a/b a/c, and nothing else of the shell's; the pattern above lets only such
# characters through
eval_braces() {
  set -f
  eval "echo $1"
  set +f
}

documents=0
while IFS= read -r -d '' document; do
  documents=$((documents + 1))
  check_links "$document"
  check_names "$document"
done < <(git ls-files -z --cached --others --exclude-standard -- '*.md' ':!tests/lab/results/*')
((documents > 0)) || { echo "no document found"; exit 1; }
((wrong == 0)) || { echo "$wrong links lead nowhere"; exit 1; }
echo "$documents documents: every link leads somewhere"
