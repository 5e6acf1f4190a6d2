// SPDX-License-Identifier: Apache-2.0
//
// The readers that load_corpus uses, one per format. They check each text by itself; corpus.cpp skips empty
// texts and checks what concerns all of them (the number of labels, the two parts).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attn::classifier {

struct Sample {
  std::string part;  // "train", "test", or "" if the source does not say
  std::string label;
  std::string text;
  std::string origin;  // relative to the path that was read; the same for a folder and its archive
};

// Lists the texts of a folder, [.../][train/|test/]LABEL/NAME.txt, in any order.
std::vector<std::string> list_texts(const std::string& folder);
Sample read_text(const std::string& folder, const std::string& file);

// Reads a tar archive of such a folder.
std::vector<Sample> read_archive(const std::string& path);

// Whether the name is that of a .tsv or .csv file.
bool is_table(const std::string& path);
std::vector<Sample> read_table(const std::string& path, const std::string& part);

// The files that load_corpus reads for `path`, sorted: the texts or tables of a folder, otherwise `path` itself.
std::vector<std::string> corpus_files(const std::string& path);

std::string read_content(const std::string& path);

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
std::string_view without_mark(std::string_view text);  // without a leading byte order mark

}  // namespace attn::classifier
