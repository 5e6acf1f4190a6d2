// SPDX-License-Identifier: Apache-2.0
//
// Labelled texts and the function that reads them from files of several formats.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace attn::classifier {

// How files of labelled texts are read, where they do not say so themselves.
struct ReadOptions {
  std::string text_column, label_column;  // names in a table's header; empty: the usual names
  std::string separator;                  // of a table's columns, one character; empty: by the file's name
  std::string encoding = "utf-8";         // or "latin-1", or "utf-16", whose files begin with a byte order mark

  // Bytes that one text, and all that is read, may have once it is unpacked.
  std::int64_t text_limit = std::int64_t{64} << 20, total_limit = std::int64_t{16} << 30;

  bool operator==(const ReadOptions& other) const;
};

// Throws Failure naming the option.
void require_valid(const ReadOptions& options);

struct Review {
  std::string text;    // valid UTF-8
  std::int32_t label;  // 0 or 1
  std::string origin;  // file or file:line; for messages and titles
};

// How many files and texts were left out because they hold no data.
struct Skipped {
  std::int64_t empty = 0;   // texts of white space
  std::int64_t hidden = 0;  // texts and tables in hidden files or folders, which editors and archivers leave
};

struct Corpus {
  std::vector<std::string> label_names;  // of label 0 and label 1; for IMDB "neg", "pos"
  std::vector<Review> train;
  std::vector<Review> test;
  Skipped skipped{};
};

struct Reviews {
  std::vector<Review> reviews;
  Skipped skipped{};
};

// Identifies these rules in caches; change it whenever they change.
constexpr const char* kReaderName =
    "csv quoted, tsv not; columns by header; parts by name; empty and hidden texts skipped; links followed; tables in "
    "archives";

// Reads labelled texts. `path` is one of: an aclImdb folder; a folder with train/LABEL/*.txt and test/LABEL/*.txt; a folder
// LABEL/*.txt; a folder with train.tsv and test.tsv, or with a single table; a zip archive, or a tar archive (plain, gz,
// xz), of such a folder, which is not unpacked; a table, which is a .tsv, .csv or .jsonl file, plain or .gz. A table has the
// columns label and text, in this order, or a header that names them: label, sentiment, class, target or v1, and text,
// review, sentence, content or v2; others are ignored. If there is no test part, every fifth text of each label, in order of
// origin, becomes it. There must be exactly two labels; they are sorted by name ("neg" < "pos").
// Throws Failure with file and line for text that is not UTF-8, unknown labels, invalid quoting and truncated archives.
Corpus load_corpus(const std::string& path, const ReadOptions& options = {});

// Reads the same to test a model with these labels: the test part, or all texts if there is none. They may all have the
// same label.
Reviews load_to_test(const std::string& path, const std::vector<std::string>& label_names,
                     const ReadOptions& options = {});

}  // namespace attn::classifier
