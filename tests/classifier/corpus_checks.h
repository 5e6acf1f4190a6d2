// SPDX-License-Identifier: Apache-2.0
//
// Small corpora for the tests of their readers, and comparisons of what is read.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "classifier/data/corpus.h"
#include "classifier/failure.h"
#include "temporary_folder.h"

namespace attn::classifier {

using Files = std::map<std::string, std::string>;

inline const Files kImdb = {{"train/neg/0_3.txt", "Bad<br />film."},
                            {"train/neg/10_1.txt", "Worse."},
                            {"train/pos/0_9.txt", "Good."},
                            {"train/pos/2_10.txt", "\u00C9l\u00E9gant."},
                            {"test/neg/0_2.txt", "No."},
                            {"test/pos/0_10.txt", "Yes."},
                            {"train/unsup/0_0.txt", "What?"},
                            {"train/urls_neg.txt", "http"},
                            {"train/labeledBow.feat", "9 0:9"},
                            {"README", "About"},
                            {"train/neg/._0_3.txt", "\xFF"}};

inline void write_files(const std::string& folder, const Files& files) {
  for (const auto& [name, content] : files) {
    std::filesystem::create_directories(std::filesystem::path(folder + "/" + name).parent_path());
    write_file(folder + "/" + name, content);
  }
}

inline void expect_same(const std::vector<Review>& a, const std::vector<Review>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].origin, b[i].origin);
    ASSERT_EQ(a[i].text, b[i].text) << a[i].origin;
    ASSERT_EQ(a[i].label, b[i].label) << a[i].origin;
  }
}

inline void expect_same(const Corpus& a, const Corpus& b) {
  EXPECT_EQ(a.label_names, b.label_names);
  EXPECT_EQ(a.skipped.empty, b.skipped.empty);
  expect_same(a.train, b.train);
  expect_same(a.test, b.test);
}

// The message with which `path` is rejected, or "" if it is accepted.
inline std::string refusal(const std::string& path) {
  try {
    load_corpus(path);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), ATTN_INVALID_ARGUMENT);
    return failure.what();
  }
  return "";
}

// Expects that `path` is rejected with a message that begins with the path and contains each of the parts.
inline void expect_refused(const std::string& path, const std::vector<std::string>& parts) {
  const std::string message = refusal(path);
  EXPECT_NE(message, "") << "accepted " << path;
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nlacks: " << part;
}

}  // namespace attn::classifier
