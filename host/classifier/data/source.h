// SPDX-License-Identifier: Apache-2.0
//
// The readers that load_corpus uses, one per format. They check each text by itself; corpus.cpp skips empty
// texts and checks what concerns all of them (the number of labels, the two parts).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "classifier/data/corpus.h"

namespace attn::classifier {

struct Sample {
  std::string part;  // "train", "valid", "test", or "" if the source does not say
  std::string label;
  std::string text;
  std::string origin;  // relative to the path that was read; the same for a folder and its archive
};

// The part that a folder or the stem of a file is called after, in any case: "train" (also training), "valid" (also
// validation, val, dev), "test"; "" for any other name.
std::string part_named(std::string_view name);

struct FolderFiles {
  std::vector<std::string> files;  // in any order
  std::int64_t hidden = 0;         // the number of hidden ones, which are not among them
};

// Lists the texts of a folder, [.../][train/|valid/|test/]LABEL/NAME.txt.
FolderFiles list_texts(const std::string& folder);
Sample read_text(const std::string& folder, const std::string& file, const ReadOptions& options);

// What a tar or zip archive holds of such a folder, or of a folder with tables.
struct ArchiveContents {
  std::vector<Sample> texts;
  std::map<std::string, std::string> tables;  // their contents, by path in the archive
  std::int64_t hidden = 0;                    // the number of hidden texts and tables, which are not among them
};
ArchiveContents read_archive(const std::string& path, const ReadOptions& options);

// Hidden files and folders, which editors and file managers leave, such as "._0_3.txt" and ".ipynb_checkpoints", and the
// folder in which macOS puts what archives of other systems cannot hold.
bool is_hidden(std::string_view path);

// Whether the name is that of a .tsv, .csv or .jsonl file, or of one of these with .gz.
bool is_table(const std::string& path);

struct Table {
  std::string name;   // of the file, for origins; its extension is the format
  std::string where;  // for messages
  std::string part;
  std::string content;  // as in the file, once it is unpacked
};
std::vector<Sample> read_table(const Table& table, const ReadOptions& options);

// Reads JSON Lines, an object for each text. The names of columns are those of its members.
std::vector<Sample> read_json_lines(const Table& table, const ReadOptions& options);

// What columns are called where the options do not name them.
inline const std::vector<std::string> kLabelColumns = {"label", "sentiment", "class", "target", "v1"};
inline const std::vector<std::string> kTextColumns = {"text", "review", "sentence", "content", "v2"};

std::string lower(std::string text);  // ASCII letters
std::string without_gz(const std::string& path);
std::string extension(const std::string& path);  // in lower case, of the file without .gz
std::string trimmed(const std::string& text);    // without white space at both ends
void require_label(const std::string& label, const std::string& where);

// The files that load_corpus reads for `path`, sorted: the texts or tables of a folder, otherwise `path` itself.
std::vector<std::string> corpus_files(const std::string& path);

std::string read_content(const std::string& path, const ReadOptions& options);  // unpacked if it is compressed

// The text as UTF-8, without a byte order mark. Throws Failure naming `where` if it is not in the encoding.
std::string decoded(std::string content, const std::string& encoding, const std::string& where);

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
std::string_view without_mark(std::string_view text);  // without a leading byte order mark

}  // namespace attn::classifier
