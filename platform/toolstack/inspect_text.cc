// SPDX-License-Identifier: MIT
#include "platform/toolstack/inspect_client.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

constexpr std::size_t kIndent = 2;

/// A value that fits on a line, without JSON's quotes. What came from a guest or a file name is
/// not let near a terminal's escape sequences.
std::string plain(const json::value& value) {
  std::string text = value.is_string() ? std::string{value.get_string()} : json::serialize(value);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  return text;
}

std::string spaced(std::string_view name) {
  std::string text{name};
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

bool is_table(const json::value& value) {
  return value.is_array() && !value.get_array().empty() &&
         std::all_of(value.get_array().begin(), value.get_array().end(),
                     [](const json::value& row) { return row.is_object(); });
}

void pad(std::string& out, std::size_t width) {
  out.append(width, ' ');
}

void write_object(std::string& out, const json::object& object, std::size_t depth);

/// Columns are the names of the first row; what is itself an object follows its row, indented.
void write_table(std::string& out, const json::array& rows, std::size_t depth) {
  std::vector<std::string> names;
  for (const auto& cell : rows.front().get_object()) {
    if (!cell.value().is_object()) {
      names.emplace_back(cell.key());
    }
  }
  const auto text_of = [](const json::object& row, const std::string& name) {
    const json::value* const value = row.if_contains(name);
    return value != nullptr ? plain(*value) : std::string{"-"};
  };
  std::vector<std::size_t> widths;
  for (const std::string& name : names) {
    std::size_t width = name.size();
    for (const json::value& row : rows) {
      width = std::max(width, text_of(row.get_object(), name).size());
    }
    widths.push_back(width);
  }
  const auto line = [&](auto cell) {
    std::string text;
    pad(text, depth * kIndent);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string content = cell(names[i]);
      text.append(content);
      pad(text, widths[i] - content.size() + kIndent);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out.append(text).push_back('\n');
  };
  line([](const std::string& name) { return spaced(name); });
  for (const json::value& row : rows) {
    line([&](const std::string& name) { return text_of(row.get_object(), name); });
    for (const auto& cell : row.get_object()) {
      if (cell.value().is_object()) {
        write_object(out, cell.value().get_object(), depth + 1);
      }
    }
  }
}

void write_object(std::string& out, const json::object& object, std::size_t depth) {
  std::size_t width = 0;
  for (const auto& member : object) {
    width = std::max(width, member.key().size());
  }
  for (const auto& member : object) {
    const json::value& value = member.value();
    pad(out, depth * kIndent);
    out.append(spaced(member.key()));
    if (value.is_object()) {
      out.push_back('\n');
      write_object(out, value.get_object(), depth + 1);
    } else if (is_table(value)) {
      out.push_back('\n');
      write_table(out, value.get_array(), depth + 1);
    } else {
      pad(out, width - member.key().size() + kIndent);
      out.append(plain(value)).push_back('\n');
    }
  }
}

}  // namespace

std::string inspection_text(const json::object& all) {
  std::string out;
  write_object(out, all, 0);
  return out;
}

}  // namespace dm::toolstack
