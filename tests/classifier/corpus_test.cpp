// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/corpus.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "classifier/failure.h"
#include "temporary_folder.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;

const Files kImdb = {{"train/neg/0_3.txt", "Bad<br />film."},
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

void write_files(const std::string& folder, const Files& files) {
  for (const auto& [name, content] : files) {
    fs::create_directories(fs::path(folder + "/" + name).parent_path());
    write_file(folder + "/" + name, content);
  }
}

// `filter` is one of libarchive's write filters.
void write_archive(const std::string& path, const Files& files, int (*filter)(archive*)) {
  archive* writer = archive_write_new();
  filter(writer);
  archive_write_set_format_pax_restricted(writer);
  ASSERT_EQ(archive_write_open_filename(writer, path.c_str()), ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    archive_entry_clear(entry);
    archive_entry_set_pathname(entry, ("aclImdb/" + file->first).c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(file->second.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_write_header(writer, entry);
    archive_write_data(writer, file->second.data(), file->second.size());
  }
  archive_entry_free(entry);
  archive_write_free(writer);
}

void expect_same(const std::vector<Review>& a, const std::vector<Review>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].origin, b[i].origin);
    ASSERT_EQ(a[i].text, b[i].text) << a[i].origin;
    ASSERT_EQ(a[i].label, b[i].label) << a[i].origin;
  }
}

void expect_same(const Corpus& a, const Corpus& b) {
  EXPECT_EQ(a.label_names, b.label_names);
  expect_same(a.train, b.train);
  expect_same(a.test, b.test);
}

// The message with which `path` is rejected, or "" if it is accepted.
std::string refusal(const std::string& path) {
  try {
    load_corpus(path);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), ATTN_INVALID_ARGUMENT);
    return failure.what();
  }
  return "";
}

// Expects that `path` is rejected with a message that begins with the path and contains each of the parts.
void expect_refused(const std::string& path, const std::vector<std::string>& parts) {
  const std::string message = refusal(path);
  EXPECT_NE(message, "") << "accepted " << path;
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nlacks: " << part;
}

TEST(CorpusFolder, ReadsImdbInOrderOfOrigin) {
  const TemporaryFolder folder;
  write_files(folder / "aclImdb", kImdb);
  const Corpus corpus = load_corpus(folder / "aclImdb");
  EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"neg", "pos"}));
  expect_same(corpus.train, {{"Bad<br />film.", 0, "train/neg/0_3.txt"},
                             {"Worse.", 0, "train/neg/10_1.txt"},
                             {"Good.", 1, "train/pos/0_9.txt"},
                             {"\u00C9l\u00E9gant.", 1, "train/pos/2_10.txt"}});
  expect_same(corpus.test, {{"No.", 0, "test/neg/0_2.txt"}, {"Yes.", 1, "test/pos/0_10.txt"}});
  expect_same(load_corpus(folder / ""), corpus);  // the parent folder is accepted too
}

TEST(CorpusFolder, EveryFifthTextOfALabelIsTheTestWhereThereIsNone) {
  const TemporaryFolder folder;
  Files files;
  for (char c = 'a'; c <= 'k'; ++c)
    files[std::string("spam/") + c + ".txt"] = files[std::string("ham/") + c + ".txt"] = "text";
  write_files(folder / "mails", files);
  const Corpus corpus = load_corpus(folder / "mails");
  EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"ham", "spam"}));
  EXPECT_EQ(corpus.train.size(), 18u);
  expect_same(
      corpus.test,
      {{"text", 0, "ham/e.txt"}, {"text", 0, "ham/j.txt"}, {"text", 1, "spam/e.txt"}, {"text", 1, "spam/j.txt"}});
}

struct Refusal {
  Files files;
  std::vector<std::string> message;  // parts that it must contain
};

TEST(CorpusFolder, RefusesWithTheFilesName) {
  const std::vector<Refusal> refusals = {
      {{{"train/neg/1_1.txt", ""}}, {"train/neg/1_1.txt", "expected a text, got nothing"}},
      {{{"train/neg/1_1.txt", " \r\n\t"}}, {"train/neg/1_1.txt", "expected a text, got nothing"}},
      {{{"train/neg/1_1.txt", "\xEF\xBB\xBF"}}, {"train/neg/1_1.txt", "expected a text, got nothing"}},
      {{{"test/pos/1_1.txt", "a\nb\nc\xFF"}}, {"test/pos/1_1.txt:3", "UTF-8", "0xFF at offset 5"}},
      {{{"train/zero/1_5.txt", "So so."}}, {"train/zero/1_5.txt", "two labels, \"neg\" and \"pos\"", "got \"zero\""}},
      {{{"test/meh/1_5.txt", "So so."}}, {"test/meh/1_5.txt", "a label of the training part", "got \"meh\""}},
      {{{"train/n\xFFg/1_5.txt", "So so."}}, {"UTF-8", "0xFF"}},
  };
  for (const Refusal& refusal : refusals) {
    const TemporaryFolder folder;
    write_files(folder / "aclImdb", kImdb);
    write_files(folder / "aclImdb", refusal.files);
    expect_refused(folder / "aclImdb", refusal.message);
  }
}

TEST(CorpusFolder, RefusesFoldersWithoutTwoLabels) {
  const std::vector<Refusal> refusals = {
      {{{"notes.md", "x"}}, {"training texts of two labels", "none"}},
      {{{"spam/1.txt", "x"}}, {"training texts of two labels", "\"spam\" alone"}},
      {{{"test/neg/1.txt", "x"}, {"test/pos/1.txt", "x"}}, {"training texts of two labels", "none"}},
      {{{"ham/1.txt", "x"}, {"spam/1.txt", "x"}}, {"at least five texts of a label"}},
  };
  for (const Refusal& refusal : refusals) {
    const TemporaryFolder folder;
    write_files(folder / "data", refusal.files);
    expect_refused(folder / "data", refusal.message);
  }
}

TEST(CorpusFolder, RefusesWhatCannotBeRead) {
  const TemporaryFolder folder;
  write_files(folder / "aclImdb", kImdb);
  fs::create_symlink("nowhere", folder / "aclImdb/train/neg/5_1.txt");
  expect_refused(folder / "aclImdb", {"train/neg/5_1.txt", "a readable file"});
  expect_refused(folder / "missing", {"missing", "no such file or folder"});
}

TEST(CorpusArchive, EqualsItsFolder) {
  const TemporaryFolder folder;
  write_files(folder / "aclImdb", kImdb);
  const Corpus corpus = load_corpus(folder / "aclImdb");
  for (const auto filter :
       {archive_write_add_filter_none, archive_write_add_filter_gzip, archive_write_add_filter_xz}) {
    write_archive(folder / "imdb.tar", kImdb, filter);
    expect_same(load_corpus(folder / "imdb.tar"), corpus);
  }
}

TEST(CorpusArchive, RefusesTextsWithTheirName) {
  const TemporaryFolder folder;
  Files files = kImdb;
  files["train/neg/7_1.txt"] = "a\nb\xFF";
  write_archive(folder / "imdb.tar", files, archive_write_add_filter_gzip);
  expect_refused(folder / "imdb.tar", {"imdb.tar", "train/neg/7_1.txt:2", "0xFF at offset 3"});
  files["train/neg/7_1.txt"] = "";
  write_archive(folder / "imdb.tar", files, archive_write_add_filter_gzip);
  expect_refused(folder / "imdb.tar", {"imdb.tar", "train/neg/7_1.txt", "expected a text, got nothing"});
}

TEST(CorpusArchive, RefusesATextHeldTwice) {
  const TemporaryFolder folder;
  Files files = kImdb;
  files["again/train/neg/0_3.txt"] = "Bad again.";
  write_archive(folder / "imdb.tar", files, archive_write_add_filter_none);
  expect_refused(folder / "imdb.tar", {"train/neg/0_3.txt twice"});
}

TEST(CorpusArchive, RefusesEveryTruncation) {
  const TemporaryFolder folder;
  const std::string path = folder / "imdb.tar";
  for (const auto filter :
       {archive_write_add_filter_none, archive_write_add_filter_gzip, archive_write_add_filter_xz}) {
    write_archive(path, kImdb, filter);
    const std::string whole = read_file(path);
    // The trailing zeros of an uncompressed archive are its end mark and the padding after it.
    const std::size_t content = whole.find_last_not_of('\0') + 1;
    const std::size_t step = whole.size() > 4096 ? 128 : 1;
    for (std::size_t size = 0; size < content; size += step) {
      write_file(path, whole.substr(0, size));
      EXPECT_NE(refusal(path), "") << size << " of " << whole.size() << " bytes";
    }
    // Here the archive ends between two entries, so that only the end mark is missing.
    if (filter == archive_write_add_filter_none) {
      write_file(path, whole.substr(0, (content + 511) / 512 * 512));
      expect_refused(path, {"truncated", "end mark"});
    }
  }
}

TEST(CorpusArchive, DamageIsRefusedOrHarmless) {
  const TemporaryFolder folder;
  const std::string path = folder / "imdb.tar";
  std::mt19937 random(11);
  int refused = 0;
  for (const auto filter :
       {archive_write_add_filter_none, archive_write_add_filter_gzip, archive_write_add_filter_xz}) {
    write_archive(path, kImdb, filter);
    const std::string whole = read_file(path);
    for (int round = 0; round < 200; ++round) {
      std::string damaged = whole;
      for (int hits = 0; hits < 4; ++hits) damaged[random() % damaged.size()] = static_cast<char>(random());
      write_file(path, damaged);
      refused += refusal(path) != "";
    }
  }
  EXPECT_GT(refused, 300);
}

TEST(CorpusArchive, RefusesOtherFiles) {
  const TemporaryFolder folder;
  std::mt19937 random(5);
  for (int round = 0; round < 100; ++round) {
    std::string bytes(random() % 3000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    write_file(folder / "random", bytes);
    expect_refused(folder / "random", {"random", "a complete tar archive (plain, gz or xz)"});
  }
}

TEST(CorpusTable, ReadsQuotingHeadersAndLineEnds) {
  const TemporaryFolder folder;
  const std::string rows = "neg,\"Bad, \"\"really\"\"\r\nbad\"\r\npos,It's a \"good\" one\r\n";
  const std::vector<std::string> tables = {
      rows + rows + rows + rows + rows,
      "\xEF\xBB\xBFlabel,text\r\n" + rows + "\r\n" + rows + rows + rows + rows,
      "Label,Text\r\n" + rows + rows + rows + rows + rows.substr(0, rows.size() - 2),
  };
  for (const std::string& table : tables) {
    write_file(folder / "reviews.csv", table);
    const Corpus corpus = load_corpus(folder / "reviews.csv");
    EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"neg", "pos"}));
    ASSERT_EQ(corpus.train.size(), 8u);
    ASSERT_EQ(corpus.test.size(), 2u);
    EXPECT_EQ(corpus.train[0].text, "Bad, \"really\"\r\nbad");
    EXPECT_EQ(corpus.train[0].label, 0);
    EXPECT_EQ(corpus.train[1].text, "It's a \"good\" one");
    EXPECT_EQ(corpus.train[1].label, 1);
  }
  write_file(folder / "reviews.csv", tables[1]);
  EXPECT_EQ(load_corpus(folder / "reviews.csv").train[2].origin, "reviews.csv:6");
}

TEST(CorpusTable, ReadsTabsAndTheColumnsTheHeaderNames) {
  const TemporaryFolder folder;
  std::string rows = "review\tsentiment\n";
  for (int i = 0; i < 5; ++i) rows += "\"Tabs\tand, commas\"\t1\nPlain, text\t0\n";
  write_file(folder / "reviews.TSV", rows);
  const Corpus corpus = load_corpus(folder / "reviews.TSV");
  EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(corpus.train[0].text, "Tabs\tand, commas");
  EXPECT_EQ(corpus.train[0].label, 1);
  EXPECT_EQ(corpus.test[1].text, "Plain, text");
}

TEST(CorpusTable, AFolderHoldsBothParts) {
  const TemporaryFolder folder;
  write_file(folder / "train.csv", "pos,Good\nneg,Bad\n");
  write_file(folder / "test.csv", "label,text\nneg,Worse\n");
  const Corpus corpus = load_corpus(folder / "");
  expect_same(corpus.train, {{"Good", 1, "train.csv:1"}, {"Bad", 0, "train.csv:2"}});
  expect_same(corpus.test, {{"Worse", 0, "test.csv:2"}});
}

TEST(CorpusTable, RefusesWithFileAndLine) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> refusals = {
      {"", {"training texts of two labels", "none"}},
      {"label,text\n", {"training texts of two labels", "none"}},
      {"neg,a\npos,b\nneg,\"c\n\nd", {"t.csv:3:", "a closing quote", "the end of the file"}},
      {"neg,\"a\nb\" c\n", {"t.csv:2:", "after a closing quote", "' '"}},
      {"neg,a\n\nneg,b,c\n", {"t.csv:3:", "2 columns, label and text", "got 3"}},
      {"neg\ta\n", {"t.csv:1:", "2 columns, label and text", "got 1"}},
      {"neg,a\npos,\n", {"t.csv:2:", "a text", "nothing"}},
      {"neg,a\n ,b\n", {"t.csv:2:", "a label", "nothing"}},
      {"neg,a\npos,b\xFF\n", {"t.csv:2:", "UTF-8", "0xFF at offset 11"}},
      {"neg,a\npos,b\nmeh,c\n", {"t.csv:3", "two labels, \"neg\" and \"pos\"", "got \"meh\""}},
      {"neg,a\nneg,b\n", {"training texts of two labels", "\"neg\" alone"}},
      {"\xFF\xFEn\0e\0g\0", {"t.csv:1:", "UTF-8", "0xFF at offset 0"}},
  };
  const TemporaryFolder folder;
  for (const auto& [content, message] : refusals) {
    write_file(folder / "t.csv", content);
    expect_refused(folder / "t.csv", message);
  }
  write_file(folder / "train.tsv", "pos\tGood\nneg\tBad\n");
  write_file(folder / "test.tsv", "pos\tGood\nmeh\tBad\n");
  expect_refused(folder / "", {"test.tsv:2", "a label of the training part", "\"meh\""});
}

TEST(CorpusTable, AnyBytesAndHugeLinesAreReadOrRefused) {
  const TemporaryFolder folder;
  std::mt19937 random(3);
  const std::string alphabet = "ab,\"\"\n\r\t\xC3\xA9";
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string table;
    for (std::size_t length = random() % 60; length > 0; --length) table += alphabet[random() % alphabet.size()];
    write_file(folder / "t.csv", table);
    refused += refusal(folder / "t.csv") != "";
  }
  EXPECT_GT(refused, 900);

  const std::string huge(std::size_t{1} << 24, 'x');
  std::string table;
  for (int i = 0; i < 5; ++i) table += "neg,a\npos,b\n";
  write_file(folder / "t.csv", table + "neg," + huge);
  EXPECT_EQ(load_corpus(folder / "t.csv").train.back().text.size(), huge.size());
  write_file(folder / "t.csv", huge);
  expect_refused(folder / "t.csv", {"t.csv:1:", "2 columns"});
  write_file(folder / "t.csv", std::string(std::size_t{1} << 20, '"'));
  expect_refused(folder / "t.csv", {"t.csv:1:"});
}

// Checks the data set itself, whose archive ATTN_IMDB names, and compares it with the folder that it is unpacked to
// here.
TEST(CorpusImdb, HasItsCountsAndEqualsItsFolder) {
  const char* path = std::getenv("ATTN_IMDB");
  if (path == nullptr) GTEST_SKIP() << "ATTN_IMDB does not name the IMDB archive";
  const Corpus corpus = load_corpus(path);
  EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"neg", "pos"}));
  for (const std::vector<Review>* part : {&corpus.train, &corpus.test}) {
    EXPECT_EQ(part->size(), 25000u);
    EXPECT_EQ(std::count_if(part->begin(), part->end(), [](const Review& r) { return r.label == 1; }), 12500);
  }
  const TemporaryFolder folder;
  for (const std::vector<Review>* part : {&corpus.train, &corpus.test}) {
    for (const Review& review : *part) {
      const std::string file = folder / review.origin;
      if (!fs::exists(fs::path(file).parent_path())) fs::create_directories(fs::path(file).parent_path());
      write_file(file, review.text);
    }
  }
  expect_same(load_corpus(folder / ""), corpus);
}

}  // namespace
}  // namespace attn::classifier
