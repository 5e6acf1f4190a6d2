// SPDX-License-Identifier: Apache-2.0
//
// Tables of label and text, separated by commas or tabs and quoted as in RFC 4180.
#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "classifier/data/source.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

using Record = std::vector<std::string>;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::string extension(const std::string& path) { return lower(std::filesystem::path(path).extension().string()); }

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

class TableReader {
 public:
  TableReader(std::string_view content, char separator, std::string file)
      : rest_(content), separator_(separator), file_(std::move(file)) {}

  // Reads the next record, skipping blank lines. Returns false at the end of the text.
  bool next(Record& record) {
    while (take("\n") || take("\r\n")) ++next_line_;
    line_ = next_line_;
    record.clear();
    if (rest_.empty()) return false;
    do record.push_back(!rest_.empty() && rest_.front() == '"' ? quoted() : plain());
    while (take(std::string_view(&separator_, 1)));
    if (take("\n") || take("\r\n")) ++next_line_;
    return true;
  }

  std::string where() const { return file_ + ":" + std::to_string(line_); }  // for messages
  std::size_t line() const { return line_; }  // line of the record's first byte, counted from 1

 private:
  bool take(std::string_view token) {
    if (rest_.substr(0, token.size()) != token) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  // A quote inside an unquoted field is kept as it is, since files written by hand contain them.
  std::string plain() {
    const std::array<char, 2> stops = {separator_, '\n'};
    const std::size_t stop = std::min(rest_.find_first_of(std::string_view(stops.data(), stops.size())), rest_.size());
    const bool crlf = stop > 0 && rest_.substr(stop - 1, 2) == "\r\n";
    const std::string field(rest_.substr(0, crlf ? stop - 1 : stop));
    rest_.remove_prefix(field.size());
    return field;
  }

  std::string quoted() {
    const std::string opened = file_ + ":" + std::to_string(next_line_);
    std::string field;
    rest_.remove_prefix(1);
    do {
      const std::size_t end = rest_.find('"');
      if (end == std::string_view::npos)
        reject(opened, "a closing quote for the one opened here", "the end of the file");
      const std::string_view piece = rest_.substr(0, end);
      next_line_ += static_cast<std::size_t>(std::count(piece.begin(), piece.end(), '\n'));
      field += piece;
      rest_.remove_prefix(end + 1);
      if (!rest_.empty() && rest_.front() == '"') field += '"';
    } while (take("\""));
    const bool ended =
        rest_.empty() || rest_.front() == separator_ || rest_.front() == '\n' || rest_.substr(0, 2) == "\r\n";
    if (!ended)
      reject(file_ + ":" + std::to_string(next_line_),
             "the end of the field after a closing quote (write a quote inside as \"\")",
             "'" + std::string(rest_.substr(0, 1)) + "'");
    return field;
  }

  std::string_view rest_;
  char separator_;
  std::string file_;
  std::size_t line_ = 1, next_line_ = 1;
};

struct Columns {
  std::size_t label = 0, text = 1;
};

// The columns of a header row `label,text` or `sentiment,review`, the names in a widespread copy of IMDB, in either
// order.
std::optional<Columns> header(const Record& record) {
  const auto find = [&](std::string_view name, std::string_view other) {
    const auto matches = [&](const std::string& field) {
      return lower(trimmed(field)) == name || lower(trimmed(field)) == other;
    };
    return static_cast<std::size_t>(std::find_if(record.begin(), record.end(), matches) - record.begin());
  };
  const Columns columns = {find("label", "sentiment"), find("text", "review")};
  if (columns.label == record.size() || columns.text == record.size()) return std::nullopt;
  return columns;
}

}  // namespace

bool is_table(const std::string& path) { return extension(path) == ".tsv" || extension(path) == ".csv"; }

std::vector<Sample> read_table(const std::string& path, const std::string& part) {
  const std::string content = read_content(path);
  require_utf8(content, path);
  const std::string name = std::filesystem::path(path).filename().string();
  TableReader reader(without_mark(content), extension(path) == ".tsv" ? '\t' : ',', path);
  Columns columns;
  std::vector<Sample> samples;
  bool first = true;
  for (Record record; reader.next(record); first = false) {
    if (record.size() != 2) reject(reader.where(), "2 columns, label and text", std::to_string(record.size()));
    if (const std::optional<Columns> named = first ? header(record) : std::nullopt) {
      columns = *named;
      continue;
    }
    Sample sample{part, trimmed(record[columns.label]), "", name + ":" + std::to_string(reader.line())};
    if (sample.label.empty()) reject(reader.where(), "a label", "nothing");
    set_text(sample, std::move(record[columns.text]), reader.where());
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace attn::classifier
