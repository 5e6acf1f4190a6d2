// SPDX-License-Identifier: Apache-2.0
//
// Tables of labels and texts: .csv as in RFC 4180, and .tsv, which has no quoting (IANA text/tab-separated-values), so
// that a quote is part of its field.
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

class TableReader {
 public:
  TableReader(std::string_view content, char separator, bool quoting, std::string file)
      : rest_(content), separator_(separator), quoting_(quoting), file_(std::move(file)) {}

  // Reads the next record, skipping blank lines and byte order marks, which programs that join files leave at the start
  // of a line. Returns false at the end of the text.
  bool next(Record& record) {
    while (take(kByteOrderMark) || take_line_end()) continue;
    line_ = next_line_;
    record.clear();
    if (rest_.empty()) return false;
    do record.push_back(quoting_ && !rest_.empty() && rest_.front() == '"' ? quoted() : plain());
    while (take(std::string_view(&separator_, 1)));
    take_line_end();
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

  bool take_line_end() {
    const bool taken = take("\n") || take("\r\n");
    next_line_ += taken ? 1 : 0;
    return taken;
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
  bool quoting_;
  std::string file_;
  std::size_t line_ = 1, next_line_ = 1;
};

struct Columns {
  std::size_t label, text, count;
};

// The column that has one of the usual names, the first of them that occurs; record.size() if none does.
std::size_t column_named(const Record& record, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto found = std::find_if(record.begin(), record.end(),
                                    [&](const std::string& field) { return lower(trimmed(field)) == name; });
    if (found != record.end()) return static_cast<std::size_t>(found - record.begin());
  }
  return record.size();
}

// The columns that a header row names; v1 and v2 are those of a widespread collection of messages.
std::optional<Columns> header(const Record& record, const ReadOptions& options) {
  const auto chosen = [&](const std::string& name, const std::vector<std::string>& usual) {
    if (name.empty()) return column_named(record, usual);
    return static_cast<std::size_t>(
        std::find_if(record.begin(), record.end(), [&](const std::string& field) { return trimmed(field) == name; }) -
        record.begin());
  };
  const Columns columns = {chosen(options.label_column, kLabelColumns), chosen(options.text_column, kTextColumns),
                           record.size()};
  if (columns.label == record.size() || columns.text == record.size() || columns.label == columns.text)
    return std::nullopt;
  return columns;
}

}  // namespace

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

void require_label(const std::string& label, const std::string& where) {
  if (label.empty()) reject(where, "a label", "nothing");
  for (const char c : label)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      reject(where, "a label without control characters", "one with byte " + std::to_string(static_cast<int>(c)));
}

std::string without_gz(const std::string& path) {
  const std::string end = std::filesystem::path(path).extension().string();
  return path.substr(0, path.size() - (lower(end) == ".gz" ? end.size() : 0));
}

std::string extension(const std::string& path) {
  return lower(std::filesystem::path(without_gz(path)).extension().string());
}

bool is_table(const std::string& path) {
  return extension(path) == ".tsv" || extension(path) == ".csv" || extension(path) == ".jsonl";
}

std::vector<Sample> read_table(const Table& table, const ReadOptions& options) {
  if (extension(table.name) == ".jsonl") return read_json_lines(table, options);
  const std::string content = decoded(table.content, options.encoding, table.where);
  const char usual = extension(table.name) == ".tsv" ? '\t' : ',';
  const char separator = options.separator.empty() ? usual : options.separator.front();
  TableReader reader(content, separator, separator != '\t', table.where);
  Columns columns = {0, 1, 2};
  std::vector<Sample> samples;
  bool first = true;
  for (Record record; reader.next(record); first = false) {
    if (const std::optional<Columns> named = first ? header(record, options) : std::nullopt) {
      columns = *named;
      continue;
    }
    if (first && !(options.label_column.empty() && options.text_column.empty()))
      reject(reader.where(), "a header with the columns that --label-column and --text-column name", "others");
    if (record.size() != columns.count)
      reject(reader.where(),
             columns.count == 2 ? "2 columns, label and text, or a header that names them"
                                : std::to_string(columns.count) + " columns, as in the header",
             std::to_string(record.size()));
    Sample sample{table.part, trimmed(record[columns.label]), std::move(record[columns.text]),
                  table.name + ":" + std::to_string(reader.line())};
    require_label(sample.label, reader.where());
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace attn::classifier
