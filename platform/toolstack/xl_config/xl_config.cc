// SPDX-License-Identifier: MIT
#include "platform/toolstack/xl_config/xl_config.h"

#include "core/text/printable.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace dm::toolstack {

namespace {

constexpr std::size_t kMaxErrors = 20;
constexpr std::size_t kMaxQuoted = 40;

bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_word(char c) noexcept {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string quoted(std::string_view text) {
  std::string result = "'";
  append_printable(result, text.substr(0, kMaxQuoted));
  return result.append(text.size() > kMaxQuoted ? "..." : "").append("'");
}

struct Token {
  enum class Kind : std::uint8_t { name, string, number, mark, add, newline, end, bad };
  Kind kind = Kind::end;
  char mark = 0;
  unsigned line = 0;
  std::string text;  ///< a string's own characters; for `bad`, what is wrong
};

/// Cuts the text into tokens. Always moves on, so whoever asks long enough gets `end`.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : text_{text} {}

  Token next();
  void skip_line() noexcept { at_ = std::min(text_.find('\n', at_), text_.size()); }

 private:
  [[nodiscard]] Token make(Token::Kind kind, std::string text = {}, char mark = 0) const {
    return {kind, mark, line_, std::move(text)};
  }
  Token comment();
  Token string(char quote);
  Token word();
  Token odd();

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
  unsigned started_ = 0;  ///< newlines passed on and not yet counted
};

Token Scanner::next() {
  line_ += std::exchange(started_, 0U);
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) {
    ++at_;
  }
  if (at_ == text_.size()) {
    return make(Token::Kind::end);
  }
  const char c = text_[at_];
  switch (c) {
    case '\n':
      ++at_;
      started_ = 1;
      return make(Token::Kind::newline);
    case '#':
      return comment();
    case '\'':
    case '"':
      return string(c);
    case ',':
    case '[':
    case ']':
    case '=':
    case ';':
      ++at_;
      return make(Token::Kind::mark, {}, c);
    case '+':
      if (text_.substr(at_, 2) == "+=") {
        at_ += 2;
        return make(Token::Kind::add);
      }
      return odd();
    default:
      return is_word(c) ? word() : odd();
  }
}

Token Scanner::comment() {
  const std::size_t end = text_.find('\n', at_);
  if (end == std::string_view::npos) {
    at_ = text_.size();  // xl wants a line end after a comment
    return make(Token::Kind::bad, "the last line is a comment without a line end: xl refuses that");
  }
  at_ = end + 1;
  started_ = 1;
  return make(Token::Kind::newline);
}

Token Scanner::string(char quote) {
  static constexpr std::string_view kEscapes = "\"'\\abfnrtv";
  static constexpr std::string_view kMeanings = "\"'\\\a\b\f\n\r\t\v";
  std::string text;
  for (std::size_t i = at_ + 1; i < text_.size() && text_[i] != '\n'; ++i) {
    if (text_[i] == quote) {
      at_ = i + 1;
      return make(Token::Kind::string, std::move(text));
    }
    if (text_[i] == '\0') {
      at_ = i + 1;
      return make(Token::Kind::bad, "a zero byte in a string");
    }
    if (text_[i] != '\\') {
      text.push_back(text_[i]);
      continue;
    }
    const char escaped = ++i < text_.size() ? text_[i] : '\n';
    const std::size_t known = kEscapes.find(escaped);
    if (escaped == '\n') {
      break;
    }
    if (known == std::string_view::npos) {
      at_ = i + 1;
      return make(
          Token::Kind::bad,
          is_digit(escaped) || escaped == 'x'
              ? "xl loses characters written as numbers (\\x41, \\101): write them as they are"
              : "after a backslash only ' \" \\ a b f n r t v are understood; for a backslash "
                "write two");
    }
    text.push_back(kMeanings[known]);
  }
  skip_line();
  return make(Token::Kind::bad, std::string{"the string's closing "}.append(1, quote).append(
                                    " is missing on this line"));
}

Token Scanner::word() {
  const std::size_t start = at_;
  const bool named = is_lower(text_[start]);
  while (at_ < text_.size() && (is_word(text_[at_]) || (named && text_[at_] == '.'))) {
    ++at_;
  }
  const std::string_view text = text_.substr(start, at_ - start);
  const auto all = [text](auto good) { return std::all_of(text.begin(), text.end(), good); };
  if (named && all([](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '.'; })) {
    return make(Token::Kind::name, std::string{text});
  }
  // xl's own idea of a number: 0x1f, but not 0x1F.
  if (is_digit(text[0]) &&
      all([](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || c == 'x'; })) {
    return make(Token::Kind::number, std::string{text});
  }
  return make(Token::Kind::bad,
              quoted(text).append(
                  is_digit(text[0]) ? " is not a number: digits alone, or 0x and lower case"
                                    : ": names are in lower case, strings need quotes, yes and no "
                                      "are 1 and 0"));
}

Token Scanner::odd() {
  const char c = text_[at_++];
  if (c == '\r') {
    return make(Token::Kind::bad, "a carriage return: xl wants line ends of Unix (dos2unix helps)");
  }
  return make(Token::Kind::bad,
              quoted({&c, 1}).append(" means nothing to xl (settings are NAME=VALUE, not Python)"));
}

}  // namespace

/// Settings from tokens. After a mistake it goes on with the next line, so that all mistakes are
/// told.
class XlParser {
 public:
  XlParser(std::string_view text, std::string_view file) : scanner_{text}, file_{file} {
    advance();
  }
  Result<XlConfig> run();

 private:
  using Kind = Token::Kind;

  void advance() { token_ = scanner_.next(); }
  [[nodiscard]] bool is_mark(char mark) const noexcept {
    return token_.kind == Kind::mark && token_.mark == mark;
  }
  [[nodiscard]] bool at_end_of_setting() const noexcept {
    return token_.kind == Kind::newline || token_.kind == Kind::end || is_mark(';');
  }
  /// What the current token is, or what is wrong with it.
  void fault(std::string_view expected);
  void report(unsigned line, std::string_view what);
  void recover();
  void setting();
  std::optional<XlValue> value(unsigned depth);
  bool list(XlValue& into, unsigned depth);
  void skip_newlines();
  void store(XlSetting setting);

  Scanner scanner_;
  std::string_view file_;
  Token token_;
  XlConfig config_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::string errors_;
  std::size_t error_count_ = 0;
};

void XlParser::report(unsigned line, std::string_view what) {
  if (++error_count_ <= kMaxErrors) {
    errors_.append(errors_.empty() ? "" : "\n").append(file_).append(":");
    errors_.append(std::to_string(line)).append(": ").append(what);
  }
}

void XlParser::fault(std::string_view expected) {
  report(token_.line, token_.kind == Kind::bad ? std::string_view{token_.text} : expected);
}

void XlParser::recover() {
  if (token_.kind != Kind::newline && token_.kind != Kind::end) {
    scanner_.skip_line();
    advance();
  }
}

void XlParser::skip_newlines() {
  while (token_.kind == Kind::newline) {
    advance();
  }
}

void XlParser::setting() {
  XlSetting setting;
  setting.name = token_.text;
  setting.line = token_.line;
  advance();
  setting.added = token_.kind == Kind::add;
  if (!setting.added && !is_mark('=')) {
    fault("'=' is missing after " + quoted(setting.name));
    return recover();
  }
  advance();
  auto given = value(0);
  if (!given) {
    return recover();
  }
  setting.value = std::move(*given);
  if (!at_end_of_setting()) {
    fault("something follows the value of " + quoted(setting.name) +
          ": settings end with the line or with ';'");
    return recover();
  }
  store(std::move(setting));
}

std::optional<XlValue> XlParser::value(unsigned depth) {
  XlValue value;
  value.line = token_.line;
  if (token_.kind == Kind::string || token_.kind == Kind::number) {
    value.text = std::move(token_.text);
    advance();
    return value;
  }
  if (token_.kind == Kind::name) {
    report(token_.line, quoted(token_.text) + " needs quotes around it");
    return std::nullopt;
  }
  if (!is_mark('[')) {
    fault("a value is missing: a string in quotes, a number or a [list]");
    return std::nullopt;
  }
  value.is_list = true;
  if (depth == XlConfig::kMaxDepth) {
    report(token_.line, "lists within lists, too deep");
    return std::nullopt;
  }
  if (!list(value, depth + 1)) {
    return std::nullopt;
  }
  return value;
}

bool XlParser::list(XlValue& into, unsigned depth) {
  advance();
  skip_newlines();
  while (!is_mark(']')) {
    auto item = value(depth);
    if (!item) {
      return false;
    }
    into.items.push_back(std::move(*item));
    skip_newlines();
    if (is_mark(',')) {
      advance();
      skip_newlines();
    } else if (!is_mark(']')) {
      fault("',' or ']' is missing in the list that begins in line " + std::to_string(into.line));
      return false;
    }
  }
  advance();
  return true;
}

void XlParser::store(XlSetting setting) {
  const auto found = places_.find(setting.name);
  if (found == places_.end()) {
    places_.emplace(setting.name, config_.settings_.size());
    config_.settings_.push_back(std::move(setting));
    return;
  }
  XlSetting& old = config_.settings_[found->second];
  if (!setting.added) {
    setting.earlier_line = old.line;
    old = std::move(setting);
    return;
  }
  if (old.value.is_list != setting.value.is_list) {
    report(setting.line, "+= adds a list to a list or a string to a string, and " +
                             quoted(setting.name) + " in line " + std::to_string(old.line) +
                             " is of the other kind");
    return;
  }
  old.added = true;
  old.value.text += setting.value.text;
  std::move(setting.value.items.begin(), setting.value.items.end(),
            std::back_inserter(old.value.items));
}

Result<XlConfig> XlParser::run() {
  while (token_.kind != Kind::end) {
    if (token_.kind == Kind::newline || is_mark(';')) {
      advance();
    } else if (token_.kind == Kind::name) {
      setting();
    } else {
      fault("a setting begins with its name: NAME=VALUE");
      recover();
    }
  }
  if (error_count_ > kMaxErrors) {
    errors_.append("\nand ").append(std::to_string(error_count_ - kMaxErrors)).append(" more");
  }
  if (error_count_ != 0) {
    return Error{std::move(errors_)};
  }
  return std::move(config_);
}

Result<XlConfig> XlConfig::parse(std::string_view text, std::string_view file) {
  if (text.size() > kMaxBytes) {
    return fail(file, ": larger than 1 MiB: not a guest's configuration");
  }
  return XlParser{text, file}.run();
}

const XlSetting* XlConfig::find(std::string_view name) const noexcept {
  const auto found = std::find_if(settings_.begin(), settings_.end(),
                                  [name](const XlSetting& s) { return s.name == name; });
  return found == settings_.end() ? nullptr : &*found;
}

}  // namespace dm::toolstack
