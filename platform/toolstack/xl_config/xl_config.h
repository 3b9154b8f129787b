// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dm::toolstack {

/// A value in an xl.cfg file. A number stays text, because xl itself reads it only when it needs a
/// number.
struct XlValue {
  bool is_list = false;
  unsigned line = 0;
  std::string text;
  std::vector<XlValue> items;
};

struct XlSetting {
  std::string name;
  XlValue value;
  unsigned line = 0;
  unsigned earlier_line = 0;  ///< where it stood before, when this one replaces it; 0 for none
  bool added = false;         ///< made with +=
};

/// The settings of an xl.cfg file, by the grammar of xl (libxlu_cfg, Xen 4.17): NAME=VALUE or
/// NAME+=VALUE. A value is a 'string', a "string", a number or a [list]. Line ends and semicolons
/// separate settings; # begins a comment. Thread rule: any thread.
class XlConfig {
 public:
  static constexpr std::size_t kMaxBytes = 1U << 20U;
  static constexpr unsigned kMaxDepth = 16;  ///< of lists within lists

  /// Parses a file's text. The error has a line "FILE:LINE: what" for each place that xl would
  /// refuse. `file` is used only for that.
  [[nodiscard]] static Result<XlConfig> parse(std::string_view text, std::string_view file);

  [[nodiscard]] std::span<const XlSetting> settings() const noexcept { return settings_; }
  [[nodiscard]] const XlSetting* find(std::string_view name) const noexcept;

 private:
  friend class XlParser;
  std::vector<XlSetting> settings_;
};

}  // namespace dm::toolstack
