# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# table FILE: from lines "NAME UNIT DM VALUE", medians side by side with what they vary between.
# What is in a stub domain has a column when it has a value; there the two that are compared are
# stubdom and opponent.
table() {
  sort -k 1,1 -k 3,3 -k 4,4g "$1" | awk '
    function label(name) { gsub("_", " ", name); return name }
    {
      seen[$3] = 1
      key = $1 " " $3
      if (!($1 in unit)) order[++rows] = $1
      unit[$1] = $2
      value[key, ++count[key]] = $4
    }
    function cell(key,   n, middle) {
      n = count[key]
      if (!n) return "-"
      middle = n % 2 ? value[key, (n + 1) / 2] : (value[key, n / 2] + value[key, n / 2 + 1]) / 2
      median[key] = middle
      if (n == 1) return sprintf("%.4g", middle)
      return sprintf("%.4g (%.4g - %.4g, %d runs)", middle, value[key, 1], value[key, n], n)
    }
    function ratio(name, ours, theirs) {
      ours = name " " ours; theirs = name " " theirs
      if (!count[ours] || median[theirs] <= 0) return "-"
      return sprintf("%.2f", median[ours] / median[theirs])
    }
    END {
      columns = split("stubdm stubdom stubdom-debian qemu opponent native", dm)
      split("stubdm|in a stub domain|the same, Debian kernel|QEMU|in a stub domain|dom0 itself",
        title, "|")
      seen["stubdm"] = seen["qemu"] = 1
      head = "| measure |"; line = "|---|"
      for (c = 1; c <= columns; c++) if (seen[dm[c]]) {
        head = head " " title[c] " |"
        line = line "---|"
      }
      print head " stubdm / QEMU |" (seen["opponent"] ? " in stub domains |" : "")
      print line "---|" (seen["opponent"] ? "---|" : "")
      for (i = 1; i <= rows; i++) {
        name = order[i]
        printf "| %s, %s |", label(name), unit[name]
        for (c = 1; c <= columns; c++) if (seen[dm[c]]) printf " %s |", cell(name " " dm[c])
        printf " %s |", ratio(name, "stubdm", "qemu")
        if (seen["opponent"]) printf " %s |", ratio(name, "stubdom", "opponent")
        print ""
      }
    }'
}
