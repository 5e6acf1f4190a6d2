// SPDX-License-Identifier: Apache-2.0
//
// Labelled texts in .csv and .tsv files.
#include <array>
#include <cstdlib>
#include <random>

#include "corpus_checks.h"

namespace attn::classifier {
namespace {

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
  for (int i = 0; i < 5; ++i) rows += "\"Quotes\", commas\t1\nPlain, text\t0\n";
  write_file(folder / "reviews.TSV", rows);
  const Corpus corpus = load_corpus(folder / "reviews.TSV");
  EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(corpus.train[0].text, "\"Quotes\", commas");
  EXPECT_EQ(corpus.train[0].label, 1);
  EXPECT_EQ(corpus.test[1].text, "Plain, text");
}

// A quote in .tsv is an ordinary character, also at the start of a field, where it would open one in .csv.
TEST(CorpusTable, TabSeparatedTextsHaveNoQuoting) {
  const TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 10; ++i) rows += "pos\t\"Never closed\nneg\tsaid \"so\n";
  write_file(folder / "t.tsv", rows);
  const Corpus corpus = load_corpus(folder / "t.tsv");
  EXPECT_EQ(corpus.train.size() + corpus.test.size(), 20u);
  EXPECT_EQ(corpus.train[0].text, "\"Never closed");
}

TEST(CorpusTable, UsualColumnNamesAreFoundAmongOthers) {
  const TemporaryFolder folder;
  for (const auto& [name, header, row, other] :
       std::vector<std::array<std::string, 4>>{{"id.tsv", "id\tsentiment\treview\n", "7\t1\tFine\n", "8\t0\tPoor\n"},
                                               {"v.csv", "v1,v2,,,\n", "1,Fine,,,\n", "0,Poor,,,\n"},
                                               {"class.csv", "Content, Class \n", "Fine,1\n", "Poor,0\n"}}) {
    std::string table = header;
    for (int i = 0; i < 5; ++i) table += row + other;
    write_file(folder / name, table);
    const Corpus corpus = load_corpus(folder / name);
    EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"0", "1"})) << name;
    EXPECT_EQ(corpus.train[0].text, "Fine") << name;
    EXPECT_EQ(corpus.train[1].text, "Poor") << name;
  }
}

TEST(CorpusTable, ByteOrderMarksAtTheStartOfLinesAndSpaceAroundLabelsAreDropped) {
  const TemporaryFolder folder;
  const std::string mark = "\xEF\xBB\xBF";
  std::string table;
  for (int i = 0; i < 5; ++i) table += mark + "neg ,Poor\n\n" + mark + "\tpos,Fine " + mark + "\r\n";
  write_file(folder / "t.csv", table);
  const Corpus corpus = load_corpus(folder / "t.csv");
  EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"neg", "pos"}));
  EXPECT_EQ(corpus.train[1].text, "Fine " + mark);
  EXPECT_EQ(corpus.train[1].origin, "t.csv:3");
}

TEST(CorpusTable, ReadsCompressedTables) {
  const TemporaryFolder folder;
  write_files(folder / "data", {{"train.csv", "pos,Good\nneg,Bad\n"}, {"test.csv", "neg,Worse\n"}});
  const Corpus expected = load_corpus(folder / "data");
  ASSERT_EQ(std::system(("gzip '" + (folder / "data/train.csv") + "' '" + (folder / "data/test.csv") + "'").c_str()),
            0);
  const Corpus corpus = load_corpus(folder / "data");
  ASSERT_EQ(corpus.train.size(), 2u);
  EXPECT_EQ(corpus.train[0].text, expected.train[0].text);
  EXPECT_EQ(corpus.test[0].text, "Worse");
  EXPECT_EQ(corpus.test[0].origin, "test.csv.gz:1");
  const std::string whole = read_file(folder / "data/train.csv.gz");
  write_file(folder / "data/train.csv.gz", whole.substr(0, whole.size() - 9));
  expect_refused(folder / "data", {"train.csv.gz: expected a complete and undamaged file, got a truncated one"});
}

TEST(CorpusTable, ReadsJsonLines) {
  const TemporaryFolder folder;
  std::string lines;
  for (int i = 0; i < 5; ++i)
    lines += "{\"text\": \"Two\\nlines\", \"label\": 1, \"id\": [1]}\n\n{\"label\": 0, \"text\": \"\\u00C9\"}\r\n";
  write_file(folder / "t.jsonl", lines);
  const Corpus corpus = load_corpus(folder / "t.jsonl");
  EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(corpus.train[0].text, "Two\nlines");
  EXPECT_EQ(corpus.train[1].text, "\u00C9");
  EXPECT_EQ(corpus.train[1].origin, "t.jsonl:3");
  const std::vector<std::pair<std::string, std::string>> refusals = {
      {"[1]", "t.jsonl:1: expected a JSON object, got array"},
      {"{\"label\":1", "t.jsonl:1: expected a JSON object, got an error at byte "},
      {"\n{\"label\":1}", "t.jsonl:2: expected a member for the text, got none"},
      {"{\"label\":null,\"text\":\"a\"}", "t.jsonl:1: expected a label, got null"},
      {std::string(100'000, '['), "t.jsonl:1: expected at most 8 nested values, got more"}};
  for (const auto& [content, message] : refusals) {
    write_file(folder / "t.jsonl", content);
    expect_refused(folder / "t.jsonl", {message});
  }
}

TEST(CorpusTable, OptionsNameColumnsSeparatorAndEncoding) {
  const TemporaryFolder folder;
  std::string rows = "Mood;text;what\n";
  for (int i = 0; i < 5; ++i) rows += "up;ignored;\"caf\xE9; and\"\ndown;ignored;plain\n";
  write_file(folder / "t.csv", rows);
  const ReadOptions options = {"what", "Mood", ";", "latin-1"};
  const Corpus corpus = load_corpus(folder / "t.csv", options);
  EXPECT_EQ(corpus.label_names, (std::vector<std::string>{"down", "up"}));
  EXPECT_EQ(corpus.train[0].text, "caf\u00E9; and");

  std::string wide;
  for (const char16_t unit : u"\uFEFFpos\tFine \U0001F600\nneg\tPoor\n")
    if (unit != 0) wide += std::string{static_cast<char>(unit & 0xFF), static_cast<char>(unit >> 8)};
  write_file(folder / "t.tsv", wide);
  EXPECT_EQ(load_to_test(folder / "t.tsv", {"neg", "pos"}, {"", "", "", "utf-16"}).reviews[0].text, "Fine \U0001F600");
}

TEST(CorpusTable, OptionsThatDoNotFitAreRefused) {
  const TemporaryFolder folder;
  write_file(folder / "t.csv", "label,text\nneg,a\npos,b\n");
  const std::vector<std::pair<ReadOptions, std::string>> refusals = {
      {{"what", "", "", "utf-8"}, "t.csv:1: expected a header with the columns that --label-column and --text-column"},
      {{"", "", "", "utf-16"}, "t.csv: expected a byte order mark of UTF-16"},
      {{"", "", "ab", "utf-8"}, "separator: expected one character, or tab, got ab"},
      {{"", "", "\"", "utf-8"}, "separator: expected no quote or line end"},
      {{"", "", "", "ebcdic"}, "encoding: expected utf-8, latin-1 or utf-16, got ebcdic"}};
  for (const auto& [options, message] : refusals) try {
      require_valid(options);
      load_corpus(folder / "t.csv", options);
      ADD_FAILURE() << "accepted what should be: " << message;
    } catch (const Failure& failure) {
      EXPECT_NE(std::string(failure.what()).find(message), std::string::npos) << failure.what();
    }
}

TEST(CorpusTable, TextsToTestWithAreAllOrTheTestPart) {
  const TemporaryFolder folder;
  write_file(folder / "holdout.csv", "pos,One\npos,\npos,Two\npos,Three\n");
  const Reviews all = load_to_test(folder / "holdout.csv", {"neg", "pos"});
  EXPECT_EQ(all.skipped.empty, 1);
  expect_same(all.reviews, {{"One", 1, "holdout.csv:1"}, {"Two", 1, "holdout.csv:3"}, {"Three", 1, "holdout.csv:4"}});
  write_files(folder / "aclImdb", kImdb);
  expect_same(load_to_test(folder / "aclImdb", {"neg", "pos"}).reviews, load_corpus(folder / "aclImdb").test);
  try {
    load_to_test(folder / "holdout.csv", {"bad", "good"});
    FAIL() << "nothing was refused";
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("holdout.csv:1): expected \"bad\" or \"good\""), std::string::npos)
        << failure.what();
  }
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
      {"neg,a\npos,\n", {"training texts of two labels", "\"neg\" alone"}},
      {"neg,a\n\"p\nos\",b\n", {"t.csv:2:", "a label without control characters", "byte 10"}},
      {"neg,a\np\x1B[31mos,b\n", {"t.csv:2:", "a label without control characters", "byte 27"}},
      {"label,text,id\nneg,a,1\npos,b\n", {"t.csv:3:", "3 columns, as in the header", "got 2"}},
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

}  // namespace
}  // namespace attn::classifier
