# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# table FILE: from lines "NAME UNIT DM VALUE", medians side by side with what they vary between. The stub domain's column is there when it has a value
table() {
  sort -k 1,1 -k 3,3 -k 4,4g "$1" | awk '
    function label(name) { gsub("_", " ", name); return name }
    $3 == "stubdom" { stub = 1 }
    { key = $1 " " $3; if (!($1 in unit)) order[++rows] = $1; unit[$1] = $2; value[key, ++count[key]] = $4 }
    function cell(key,   n, middle) {
      n = count[key]
      if (!n) return "-"
      middle = n % 2 ? value[key, (n + 1) / 2] : (value[key, n / 2] + value[key, n / 2 + 1]) / 2
      median[key] = middle
      return n == 1 ? sprintf("%.4g", middle) : sprintf("%.4g (%.4g - %.4g, %d runs)", middle, value[key, 1], value[key, n], n)
    }
    END {
      print "| measure | stubdm |" (stub ? " in a stub domain |" : "") " QEMU | stubdm / QEMU |"
      print "|---|---|" (stub ? "---|" : "") "---|---|"
      for (i = 1; i <= rows; i++) {
        name = order[i]
        ours = cell(name " stubdm"); apart = stub ? " " cell(name " stubdom") " |" : ""; theirs = cell(name " qemu")
        ratio = (ours != "-" && theirs != "-" && median[name " qemu"] > 0) ? sprintf("%.2f", median[name " stubdm"] / median[name " qemu"]) : "-"
        printf "| %s, %s | %s |%s %s | %s |\n", label(name), unit[name], ours, apart, theirs, ratio
      }
    }'
}
