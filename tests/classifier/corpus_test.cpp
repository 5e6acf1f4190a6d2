// SPDX-License-Identifier: Apache-2.0
//
// Labelled texts in folders and archives.
#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "corpus_checks.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;

struct ArchiveKind {
  int (*format)(archive*);
  int (*filter)(archive*);
};
constexpr ArchiveKind kTar = {archive_write_set_format_pax_restricted, archive_write_add_filter_none};
constexpr ArchiveKind kTarGz = {archive_write_set_format_pax_restricted, archive_write_add_filter_gzip};
constexpr ArchiveKind kTarXz = {archive_write_set_format_pax_restricted, archive_write_add_filter_xz};
constexpr ArchiveKind kZip = {archive_write_set_format_zip, archive_write_add_filter_none};
constexpr std::array<ArchiveKind, 4> kArchiveKinds = {kTar, kTarGz, kTarXz, kZip};

void write_archive(const std::string& path, const Files& files, const ArchiveKind& kind) {
  archive* writer = archive_write_new();
  kind.filter(writer);
  kind.format(writer);
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
  EXPECT_EQ(corpus.skipped.hidden, 1);
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
      {{{"notes.md", "x"}},
       {"expected a .tsv, .csv or .jsonl file (plain or .gz), or a folder, zip archive or", "LABEL/*.txt"}},
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
  for (const ArchiveKind& kind : kArchiveKinds) {
    write_archive(folder / "imdb.tar", kImdb, kind);
    expect_same(load_corpus(folder / "imdb.tar"), corpus);
  }
}

TEST(CorpusArchive, RefusesTextsWithTheirName) {
  const TemporaryFolder folder;
  Files files = kImdb;
  files["train/neg/7_1.txt"] = "a\nb\xFF";
  write_archive(folder / "imdb.tar", files, kTarGz);
  expect_refused(folder / "imdb.tar", {"imdb.tar", "train/neg/7_1.txt:2", "0xFF at offset 3"});
}

TEST(CorpusFolder, EmptyTextsAreSkippedAndCounted) {
  const TemporaryFolder folder;
  Files files = kImdb;
  files["train/neg/7_1.txt"] = "";
  files["train/neg/8_1.txt"] = " \r\n\t";
  files["test/pos/9_9.txt"] = "\xEF\xBB\xBF";
  write_files(folder / "aclImdb", files);
  write_archive(folder / "imdb.tar", files, kTarGz);
  write_files(folder / "without", kImdb);
  const Corpus expected = load_corpus(folder / "without");
  for (const char* place : {"aclImdb", "imdb.tar"}) {
    const Corpus corpus = load_corpus(folder / place);
    EXPECT_EQ(corpus.skipped.empty, 3);
    expect_same(corpus.train, expected.train);
    expect_same(corpus.test, expected.test);
  }
}

TEST(CorpusFolder, HiddenFilesAndFoldersAreLeftOut) {
  const TemporaryFolder folder;
  Files files = kImdb;
  files[".git/train/neg/1_1.txt"] = "Hidden";
  files["train/.ipynb_checkpoints/1_1.txt"] = "Hidden";
  files["__MACOSX/train/neg/1_2.txt"] = "Hidden";
  write_files(folder / "aclImdb", files);
  write_archive(folder / "imdb.tar", files, kTar);
  write_files(folder / "without", kImdb);
  for (const char* place : {"aclImdb", "imdb.tar"})
    expect_same(load_corpus(folder / place), load_corpus(folder / "without"));
}

TEST(CorpusFolder, PartsHaveSeveralNames) {
  const TemporaryFolder folder;
  write_files(folder / "a", {{"Train/no/1.txt", "N"}, {"Train/yes/1.txt", "Y"}, {"valid/no/1.txt", "V"}});
  expect_same(load_corpus(folder / "a").test, {{"V", 0, "valid/no/1.txt"}});
  write_files(folder / "a", {{"Test/yes/1.txt", "T"}});
  expect_same(load_corpus(folder / "a").test, {{"T", 1, "test/yes/1.txt"}});
  write_files(folder / "b", {{"train.tsv", "no\tN\nyes\tY\n"}, {"dev.tsv", "no\tV\n"}});
  expect_same(load_corpus(folder / "b").test, {{"V", 0, "dev.tsv:1"}});
}

TEST(CorpusFolder, TwoCopiesAreRefused) {
  const TemporaryFolder folder;
  write_files(folder / "first", kImdb);
  write_files(folder / "second", kImdb);
  expect_refused(folder / "", {"each text once", "twice"});
}

// Downloads hold tables named after the parts, or a single table, together with files that are not data.
TEST(CorpusArchive, HoldsTables) {
  const TemporaryFolder folder;
  const std::string rows = "neg,dull\npos,good\n", five = rows + rows + rows + rows + rows;
  const std::vector<Files> all = {
      {{"train.csv", "neg,dull\npos,good\n"}, {"Test.csv", "pos,fine\n"}, {"notes.csv", "x"}, {"pos/1.txt", "x"}},
      {{"IMDB Dataset.csv", five}, {"README.md", "x"}, {".hidden.csv", "x"}, {"__MACOSX/IMDB Dataset.csv", "x"}},
      {{"reviews.jsonl", "{\"text\": \"dull\", \"label\": 0}\n{\"text\": \"good\", \"label\": 1}\n" +
                             std::string("{\"text\": \"a\", \"label\": 0}\n{\"text\": \"b\", \"label\": 0}\n") +
                             "{\"text\": \"c\", \"label\": 0}\n{\"text\": \"d\", \"label\": 0}\n"}}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string place = folder / std::to_string(i);
    write_files(place, all[i]);
    const Corpus expected = load_corpus(place);
    EXPECT_EQ(expected.skipped.hidden, i == 1 ? 1 : 0);
    EXPECT_GT(expected.test.size(), 0u);
    for (const ArchiveKind& kind : kArchiveKinds) {
      write_archive(folder / "data.zip", all[i], kind);
      expect_same(load_corpus(folder / "data.zip"), expected);
    }
  }
  write_archive(folder / "data.zip", {{"a/train.csv", rows}, {"b/train.csv", rows}, {"a/test.csv", rows}}, kZip);
  expect_refused(folder / "data.zip", {"expected each table once, got train.csv twice"});
  write_archive(folder / "data.zip", {{"a/train.csv", rows}, {"a/test.csv", "\xff,\n"}}, kZip);
  expect_refused(folder / "data.zip", {"data.zip: aclImdb/a/test.csv:1", "UTF-8"});
  write_archive(folder / "data.zip", {{"large.csv", std::string(1 << 20, 'x')}}, kZip);
  ReadOptions options;
  options.text_limit = options.total_limit = 1 << 16;
  try {
    load_corpus(folder / "data.zip", options);
    ADD_FAILURE() << "read more than the limit";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("(see --total-limit)"), std::string::npos) << failure.what();
  }
  write_archive(folder / "data.zip", {{"some.csv", rows}, {"other.csv", rows}}, kZip);
  expect_refused(folder / "data.zip", {"an archive without them"});
}

// libarchive does not verify gzip's checksum and length, which are the last eight bytes.
TEST(CorpusArchive, RefusesAWrongChecksum) {
  const TemporaryFolder folder;
  write_archive(folder / "imdb.tar", kImdb, kTarGz);
  const std::string whole = read_file(folder / "imdb.tar");
  ASSERT_EQ(refusal(folder / "imdb.tar"), "");
  for (std::size_t byte = whole.size() - 8; byte < whole.size(); ++byte) {
    std::string damaged = whole;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 1);
    write_file(folder / "imdb.tar", damaged);
    expect_refused(folder / "imdb.tar", {"imdb.tar: expected a complete and undamaged file"});
  }
}

TEST(CorpusArchive, LimitsWhatItUnpacks) {
  const TemporaryFolder folder;
  Files files = kImdb;
  files["train/neg/7_1.txt"] = std::string(1 << 20, 'x');
  write_archive(folder / "imdb.tar", files, kTarGz);
  write_files(folder / "aclImdb", files);
  ReadOptions options;
  const auto refused = [&](const char* place) {
    try {
      load_corpus(folder / place, options);
    } catch (const Failure& failure) {
      return std::string(failure.what());
    }
    return std::string();
  };
  options.text_limit = 1000;
  for (const char* place : {"imdb.tar", "aclImdb"})
    EXPECT_NE(refused(place).find("expected at most 1000 bytes (see --text-limit)"), std::string::npos)
        << refused(place);
  options = {};
  options.total_limit = 100'000;
  for (const char* place : {"imdb.tar", "aclImdb"})
    EXPECT_NE(refused(place).find("at most 100000 bytes when unpacked (see --total-limit)"), std::string::npos)
        << refused(place);
  options.total_limit = 2 << 20;
  EXPECT_EQ(refused("imdb.tar"), "");
}

// A link gives what the folder gives after unpacking, also if it comes before the text, or points to another link.
TEST(CorpusArchive, FollowsLinks) {
  const TemporaryFolder folder;
  write_files(folder / "data", {{"neg/1.txt", "Poor"}, {"pos/1.txt", "Fine"}});
  const auto path = [&](const std::string& name) { return folder / ("data/" + name); };
  for (int i = 2; i < 6; ++i) {
    const std::string name = std::to_string(i) + ".txt", before = std::to_string(i - 1) + ".txt";
    fs::create_hard_link(path("neg/1.txt"), path("neg/" + name));
    fs::create_symlink(before, path("pos/" + name));
  }
  ASSERT_EQ(std::system(("tar -cf '" + (folder / "links.tar") + "' -C '" + (folder / "data") + "' .").c_str()), 0);
  expect_same(load_corpus(folder / "links.tar"), load_corpus(folder / "data"));
  fs::create_symlink("/etc/hostname", path("pos/9.txt"));
  ASSERT_EQ(std::system(("tar -cf '" + (folder / "links.tar") + "' -C '" + (folder / "data") + "' .").c_str()), 0);
  expect_refused(folder / "links.tar", {"pos/9.txt", "a link to a text in the archive", "/etc/hostname"});
}

TEST(CorpusArchive, RefusesATextHeldTwice) {
  const TemporaryFolder folder;
  Files files = kImdb;
  files["again/train/neg/0_3.txt"] = "Bad again.";
  write_archive(folder / "imdb.tar", files, kTar);
  expect_refused(folder / "imdb.tar", {"train/neg/0_3.txt twice"});
}

TEST(CorpusArchive, RefusesEveryTruncation) {
  const TemporaryFolder folder;
  const std::string path = folder / "imdb.tar";
  for (const ArchiveKind& kind : kArchiveKinds) {
    write_archive(path, kImdb, kind);
    const std::string whole = read_file(path);
    // The trailing zeros of an uncompressed archive are its end mark and the padding after it.
    const std::size_t content = whole.find_last_not_of('\0') + 1;
    const std::size_t step = whole.size() > 4096 ? 128 : 1;
    for (std::size_t size = 0; size < content; size += step) {
      write_file(path, whole.substr(0, size));
      EXPECT_NE(refusal(path), "") << size << " of " << whole.size() << " bytes";
    }
    // Here the archive ends between two entries, so that only the end mark is missing.
    if (whole.size() % 512 == 0) {
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
  for (const ArchiveKind& kind : kArchiveKinds) {
    write_archive(path, kImdb, kind);
    const std::string whole = read_file(path);
    for (int round = 0; round < 200; ++round) {
      std::string damaged = whole;
      for (int hits = 0; hits < 4; ++hits) damaged[random() % damaged.size()] = static_cast<char>(random());
      write_file(path, damaged);
      refused += refusal(path) != "";
    }
  }
  EXPECT_GT(refused, 400);
}

TEST(CorpusArchive, RefusesOtherFiles) {
  const TemporaryFolder folder;
  std::mt19937 random(5);
  for (int round = 0; round < 100; ++round) {
    std::string bytes(random() % 3000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    write_file(folder / "random", bytes);
    expect_refused(folder / "random", {"random", "a complete zip archive or tar archive (plain, gz or xz)"});
  }
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
