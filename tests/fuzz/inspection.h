// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.h"
#include "core/text/printable.h"
#include "platform/toolstack/qmp/inspect_client.h"
#include "tests/fuzz/input.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <string>

namespace dm::fuzz {

struct InspectionLimits {
  std::size_t error;  ///< bytes of a refusal: fewer
  std::size_t json;   ///< bytes of the JSON: at most
  std::size_t depth;  ///< of objects and arrays in it: at most
};

/// What must hold of whatever `stubdm inspect` is about to print.
inline void check_inspection(const Result<boost::json::object>& shown,
                             const InspectionLimits& most) {
  if (!shown) {
    const std::string& why = shown.error().message;
    require(!why.empty() && why.size() < most.error && why == printable(why),
            "an error is one line");
    return;
  }
  const std::string text = toolstack::inspection_text(*shown);
  require(text.size() <= toolstack::kMostInspectionText, "the text is bounded");
  require(text == printable_lines(text), "the text is printable");
  const std::string raw = toolstack::inspection_json(*shown);
  require(raw.size() <= most.json, "the JSON is bounded");
  require(!raw.empty() && raw.back() == '\n' &&
              raw.substr(0, raw.size() - 1) == printable(raw.substr(0, raw.size() - 1)),
          "the JSON is one printable line");
  boost::system::error_code bad;
  boost::json::parse_options options;
  options.max_depth = most.depth;
  require(boost::json::parse(raw, bad, {}, options).is_object() && !bad, "the JSON is JSON");
}

}  // namespace dm::fuzz
