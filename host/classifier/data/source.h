// SPDX-License-Identifier: Apache-2.0
//
// The readers behind load_corpus: each turns what lies at a path into labelled texts, checked one by one; what only shows
// over all of them (the number of labels, the two parts) is corpus.cpp's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace attn::classifier {

struct Sample {
  std::string part;  // "train", "test", or "" where the source does not say
  std::string label;
  std::string text;
  std::string origin;  // below the path that was read, the same for a folder and its archive
};

// A folder's texts, [train/|test/]LABEL/NAME.txt and whatever may lie above; in any order.
std::vector<std::string> list_texts(const std::string& folder);
Sample read_text(const std::string& folder, const std::string& file);

// A tar archive of such a folder.
std::vector<Sample> read_archive(const std::string& path);

// A .tsv or .csv file, by its name.
bool is_table(const std::string& path);
std::vector<Sample> read_table(const std::string& path, const std::string& part);

// The files that load_corpus reads for `path`, by name: the texts or tables of a folder, else `path` itself.
std::vector<std::string> corpus_files(const std::string& path);

std::string read_content(const std::string& path);

// Refuses a text that is empty; `where` is for the message.
void set_text(Sample& sample, std::string_view text, const std::string& where);

std::string_view without_mark(std::string_view text);  // less a byte order mark

}  // namespace attn::classifier
