// SPDX-License-Identifier: MIT
#include "core/text/printable.h"
#include "platform/toolstack/qmp/inspect_client.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dm::toolstack {

namespace json = boost::json;

namespace {

constexpr std::size_t kIndent = 2;
/// Our own inspection stays far below each of these.
constexpr std::size_t kMostDepth = 8;
constexpr std::size_t kMostRows = 1024;
constexpr std::size_t kMostColumns = 64;
constexpr std::size_t kMostName = 64;    ///< bytes
constexpr std::size_t kMostCell = 256;   ///< bytes, in a table
constexpr std::size_t kMostLine = 4096;  ///< bytes of a value with a line of its own
constexpr std::string_view kLeftOut = "(there is more, which is left out here)\n";

/// What somebody else has written, for the terminal.
std::string cut(std::string_view text, std::size_t most) {
  return printable(text.substr(0, most)).append(text.size() > most ? "..." : "");
}

/// A value that fits on a line, without JSON's quotes.
std::string plain(const json::value& value, std::size_t most) {
  if (value.is_string()) {
    return cut(value.get_string(), most);
  }
  return cut(json::serialize(value), most);
}

std::string spaced(std::string_view name) {
  std::string text = cut(name, kMostName);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

bool is_table(const json::value& value) {
  return value.is_array() && !value.get_array().empty() &&
         std::all_of(value.get_array().begin(), value.get_array().end(),
                     [](const json::value& row) { return row.is_object(); });
}

/// Padding and "-" make a text longer than its JSON, ours three times at most.
std::size_t most_text(const json::object& all) {
  constexpr std::size_t kFree = 8192;
  constexpr std::size_t kFactor = 8;
  return std::min(kMostInspectionText, kFree + kFactor * json::serialize(all).size());
}

/// Lines, until there are too many.
class Page {
 public:
  explicit Page(std::size_t most) noexcept : most_{most} {}
  [[nodiscard]] bool full() const noexcept { return full_; }
  void line(std::size_t depth, std::string_view text) {
    const std::size_t last = text.find_last_not_of(' ');
    text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
    const std::size_t size = depth * kIndent + text.size() + 1;
    full_ = full_ || size > most_ - kLeftOut.size() - out_.size();
    if (!full_) {
      out_.append(depth * kIndent, ' ').append(text).push_back('\n');
    }
  }
  void leave_out() noexcept { left_out_ = true; }
  [[nodiscard]] std::string take() { return out_.append(full_ || left_out_ ? kLeftOut : ""); }

 private:
  std::size_t most_;
  std::string out_;
  bool full_ = false;  ///< no more lines
  bool left_out_ = false;
};

void append_padded(std::string& line, std::string_view text, std::size_t width) {
  line.append(text);
  line.append(width - std::min(width, characters_of(text)) + kIndent, ' ');
}

void write_object(Page& page, const json::object& object, std::size_t depth);

/// A table's columns: the names of its first row.
struct Columns {
  std::vector<std::string_view> names;
  std::vector<std::size_t> widths;
};

std::string cell_text(const json::object& row, std::string_view name) {
  const json::value* const value = row.if_contains(name);
  return value != nullptr ? plain(*value, kMostCell) : std::string{"-"};
}

Columns columns_of(Page& page, const json::array& rows) {
  Columns columns;
  for (const auto& cell : rows.front().get_object()) {
    if (cell.value().is_object()) {
      continue;
    }
    if (columns.names.size() == kMostColumns) {
      page.leave_out();
      break;
    }
    columns.names.emplace_back(cell.key());
  }
  for (const std::string_view name : columns.names) {
    std::size_t width = characters_of(spaced(name));
    for (std::size_t i = 0; i < std::min(rows.size(), kMostRows); ++i) {
      width = std::max(width, characters_of(cell_text(rows[i].get_object(), name)));
    }
    columns.widths.push_back(width);
  }
  return columns;
}

/// What is itself an object follows its row, indented.
void write_table(Page& page, const json::array& rows, std::size_t depth) {
  const Columns columns = columns_of(page, rows);
  const auto line = [&](auto cell) {
    std::string text;
    for (std::size_t i = 0; i < columns.names.size(); ++i) {
      append_padded(text, cell(columns.names[i]), columns.widths[i]);
    }
    page.line(depth, text);
  };
  line([](std::string_view name) { return spaced(name); });
  for (std::size_t i = 0; i < rows.size() && !page.full(); ++i) {
    if (i == kMostRows) {
      page.leave_out();
      return;
    }
    const json::object& row = rows[i].get_object();
    line([&](std::string_view name) { return cell_text(row, name); });
    for (const auto& cell : row) {
      if (cell.value().is_object() && !page.full()) {
        write_object(page, cell.value().get_object(), depth + 1);
      }
    }
  }
}

void write_object(Page& page, const json::object& object, std::size_t depth) {
  if (depth == kMostDepth) {
    page.leave_out();
    return;
  }
  std::size_t width = 0;
  for (const auto& member : object) {
    width = std::max(width, characters_of(spaced(member.key())));
  }
  for (const auto& member : object) {
    if (page.full()) {
      return;
    }
    const json::value& value = member.value();
    const std::string name = spaced(member.key());
    if (value.is_object()) {
      page.line(depth, name);
      write_object(page, value.get_object(), depth + 1);
    } else if (is_table(value)) {
      page.line(depth, name);
      write_table(page, value.get_array(), depth + 1);
    } else {
      std::string text;
      append_padded(text, name, width);
      page.line(depth, text.append(plain(value, kMostLine)));
    }
  }
}

}  // namespace

std::string inspection_text(const json::object& all) {
  Page page{most_text(all)};
  write_object(page, all, 0);
  return page.take();
}

std::string inspection_json(const json::object& all) {
  std::string out;
  append_printable_json(out, json::serialize(all));
  return out.append("\n");
}

}  // namespace dm::toolstack
