// SPDX-License-Identifier: Apache-2.0
#include "classifier/data/cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "classifier/checkpoint/safetensors.h"
#include "classifier/data/generator.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"
#include "temporary_folder.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

// Five reviews: the start mark followed by 0 to 4 words.
EncodedReviews reviews() {
  return {{1, 1, 4, 1, 5, 6, 1, 7, 8, 9, 1, 10, 11, 12, 13}, {0, 1, 3, 6, 10, 15}, {0, 1, 0, 1, 1}};
}

void expect_same(const EncodedReviews& a, const EncodedReviews& b) {
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.offsets, b.offsets);
  EXPECT_EQ(a.labels, b.labels);
}

void expect_same(const EncodedCorpus& a, const EncodedCorpus& b) {
  EXPECT_EQ(a.label_names, b.label_names);
  EXPECT_EQ(a.words, b.words);
  EXPECT_EQ(a.V, b.V);
  expect_same(a.train, b.train);
  expect_same(a.test, b.test);
}

// A batch in a memory block of exactly the size that it may use.
struct Made {
  std::vector<std::byte> memory;
  Batch batch;

  Made(const EncodedReviews& all, const std::vector<std::int64_t>& which, std::int64_t T, Padding padding)
      : memory(Batch::bytes(static_cast<std::int64_t>(which.size()), T)),
        batch(make_batch(all, which, T, padding, memory.data())) {}
  Ids ids() const { return {batch.ids, batch.ids + batch.B * batch.T}; }
  Ids lengths() const { return {batch.lengths, batch.lengths + batch.B}; }
  std::vector<float> labels() const { return {batch.labels, batch.labels + batch.B}; }
};

TEST(MakeBatch, FrontPadsAndCutsInFront) {
  const Made made(reviews(), {3, 0, 4, 1}, 4, Padding::kFront);
  EXPECT_EQ(made.batch.B, 4);
  EXPECT_EQ(made.batch.T, 4);
  EXPECT_EQ(made.ids(), (Ids{1, 7, 8, 9,      //
                             0, 0, 0, 1,      //
                             10, 11, 12, 13,  //
                             0, 0, 1, 4}));
  EXPECT_EQ(made.lengths(), (Ids{4, 1, 4, 2}));
  EXPECT_EQ(made.labels(), (std::vector<float>{1, 0, 1, 1}));
}

TEST(MakeBatch, EndCutsInFrontAndPadsBehind) {
  const Made made(reviews(), {3, 0, 4, 1}, 4, Padding::kEnd);
  EXPECT_EQ(made.ids(), (Ids{1, 7, 8, 9,      //
                             1, 0, 0, 0,      //
                             10, 11, 12, 13,  //
                             1, 4, 0, 0}));
  EXPECT_EQ(made.lengths(), (Ids{4, 1, 4, 2}));
  EXPECT_EQ(made.labels(), (std::vector<float>{1, 0, 1, 1}));
}

TEST(MakeBatch, EndPadsOnlyToTheLongest) {
  EncodedReviews long_ones{Ids(150, 4), {0, 40, 150}, {0, 1}};
  EXPECT_EQ(Made(long_ones, {0}, 200, Padding::kEnd).batch.T, 64);
  EXPECT_EQ(Made(long_ones, {0, 1}, 200, Padding::kEnd).batch.T, 128);
  EXPECT_EQ(Made(long_ones, {0, 1}, 100, Padding::kEnd).batch.T, 100);
  EXPECT_EQ(Made(long_ones, {0}, 200, Padding::kFront).batch.T, 200);
}

TEST(MakeBatch, WritesOverWhatTheMemoryHeld) {
  std::vector<std::int32_t> memory(Batch::bytes(4, 4) / sizeof(std::int32_t), -1);
  const Batch batch = make_batch(reviews(), {3, 0, 4, 1}, 4, Padding::kEnd, memory.data());
  EXPECT_EQ(Ids(batch.ids, batch.ids + 16), Made(reviews(), {3, 0, 4, 1}, 4, Padding::kEnd).ids());
  EXPECT_EQ(std::count(memory.begin(), memory.end(), -1), 0);
}

TEST(MakeBatch, TakesNoneAndRefusesOthers) {
  EXPECT_EQ(Made(reviews(), {}, 4, Padding::kFront).batch.B, 0);
  EXPECT_THROW(Made(reviews(), {5}, 4, Padding::kFront), Failure);
  EXPECT_THROW(Made(reviews(), {-1}, 4, Padding::kFront), Failure);
  EXPECT_THROW(Made(reviews(), {0}, 0, Padding::kEnd), Failure);
}

TEST(Encode, PutsStartInFrontOfEachReview) {
  const Vocabulary vocabulary({"a", "good", "film"}, 100);
  const std::vector<Review> texts = {{"A good film", 1, ""}, {"...", 0, ""}, {"Good, no: a GOOD one", 1, ""}};
  expect_same(encode(texts, vocabulary), {{1, 4, 5, 6, 1, 1, 5, kUnknown, 4, 5, kUnknown}, {0, 4, 5, 11}, {1, 0, 1}});
  expect_same(encode({}, vocabulary), {{}, {0}, {}});
}

TEST(EncodeCorpus, CountsTheTrainingPartAlone) {
  const Corpus corpus = {{"neg", "pos"}, {{"b b a", 0, ""}, {"c b a", 1, ""}}, {{"d d d d c", 0, ""}}};
  const EncodedCorpus encoded = encode_corpus(corpus, 6);
  EXPECT_EQ(encoded.label_names, corpus.label_names);
  EXPECT_EQ(encoded.words, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(encoded.V, 6);
  expect_same(encoded.train, {{1, 4, 4, 5, 1, kUnknown, 4, 5}, {0, 4, 8}, {0, 1}});
  expect_same(encoded.test, {{1, 2, 2, 2, 2, 2}, {0, 6}, {0}});
}

TEST(EncodeCorpus, EqualsOneWordAfterTheOther) {
  const Corpus corpus = generate_reviews(333, 77, 5).corpus;
  const EncodedCorpus encoded = encode_corpus(corpus, 60);
  std::unordered_map<std::string, std::int64_t> counts;
  for (const Review& review : corpus.train)
    for (const Token& token : tokenize(review.text)) ++counts[token.word];
  const Vocabulary vocabulary = Vocabulary::from_counts(counts, 60);
  EXPECT_EQ(encoded.words, vocabulary.words());
  Ids ids;
  for (const Review& review : corpus.test) {
    ids.push_back(kStart);
    for (const Token& token : tokenize(review.text)) ids.push_back(vocabulary.id(token.word));
  }
  EXPECT_EQ(encoded.test.ids, ids);
}

class Cache : public testing::Test {
 protected:
  Cache() : path_(folder_ / "reviews.csv"), cache_(folder_ / "deep/cache") { write("good film\tbad"); }

  void write(const std::string& text) {
    std::string rows;
    for (int i = 0; i < 5; ++i) rows += "neg,dull film\npos,\"" + text + "\"\n";
    write_file(path_, rows);
  }

  // Returns whether the result came from the cache. It must equal the result without a cache.
  bool hits(std::int32_t V = 100) {
    CacheReport report;
    const EncodedCorpus corpus = load_encoded(path_, V, cache_, &report);
    EXPECT_EQ(report.problem, "");
    expect_same(corpus, encode_corpus(load_corpus(path_), V));
    return report.hit;
  }

  std::string cache_file() const { return fs::directory_iterator(cache_)->path().string(); }

  TemporaryFolder folder_;
  std::string path_, cache_;
};

TEST_F(Cache, IsMadeThenRead) {
  EXPECT_FALSE(hits());
  EXPECT_TRUE(hits());
  EXPECT_FALSE(hits(6));  // the cache was made for a different V
  EXPECT_TRUE(hits(6));
  EXPECT_TRUE(hits());
}

TEST_F(Cache, IsRemadeWhenTheDataChange) {
  EXPECT_FALSE(hits());
  write("quite another film");
  EXPECT_FALSE(hits());
  EXPECT_TRUE(hits());
  fs::last_write_time(path_, fs::last_write_time(path_) + std::chrono::seconds(1));
  EXPECT_FALSE(hits());
  EXPECT_EQ(std::distance(fs::directory_iterator(cache_), {}), 1);  // the stale file has been removed
}

TEST_F(Cache, OfAFolderIsRemadeForAnotherFile) {
  path_ = folder_ / "mails";
  for (const char* name : {"ham/a.txt", "ham/b.txt", "ham/c.txt", "ham/d.txt", "ham/e.txt", "spam/a.txt"}) {
    const std::string file = path_ + "/" + name;
    fs::create_directories(fs::path(file).parent_path());
    write_file(file, name);
  }
  EXPECT_FALSE(hits());
  EXPECT_TRUE(hits());
  write_file(path_ + "/spam/b.txt", "new");
  EXPECT_FALSE(hits());
}

TEST_F(Cache, IsRemadeWhenDamaged) {
  EXPECT_FALSE(hits());
  const std::string file = cache_file(), whole = read_file(file);
  for (std::size_t size = 0; size < whole.size(); size += 37) {
    write_file(file, whole.substr(0, size));
    EXPECT_FALSE(hits()) << size;
  }
  for (std::size_t i = 0; i < whole.size(); i += 37) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    write_file(file, damaged);
    EXPECT_FALSE(hits()) << i;
  }
  EXPECT_TRUE(hits());
}

// These files are valid safetensors files with the right key, with and without a correct checksum.
TEST_F(Cache, IsRemadeWhenItsContentsDoNotFit) {
  EXPECT_FALSE(hits());
  const std::string file = cache_file();
  const TensorFile whole = load_tensors(file);
  const auto expect_remade = [&](const std::string& name, const Tensor& tensor) {
    TensorFile foreign = whole;
    foreign.tensors[name] = tensor;
    save_tensors(file, foreign);
    EXPECT_FALSE(hits()) << name;
  };
  const std::int64_t N = whole.tensors.at("train.labels").shape[0];
  Ids ids = whole.tensors.at("train.ids").values<std::int32_t>("ids");
  ids[1] = 100;
  expect_remade("train.ids", Tensor::of(ids, {static_cast<std::int64_t>(ids.size())}));
  expect_remade("train.offsets", Tensor::of(std::vector<std::int64_t>(N + 1, 0), {N + 1}));
  expect_remade("train.offsets", Tensor::of(std::vector<std::int64_t>{}, {0}));
  expect_remade("test.labels", Tensor::of(Ids{0, 2}, {2}));
  expect_remade("test.ids", Tensor::of(std::vector<float>{1}, {1}));
  for (const std::string text : {"film\nfilm\n", "fil\xff\n"})
    expect_remade("words", Tensor::of(std::vector<std::uint8_t>(text.begin(), text.end()),
                                      {static_cast<std::int64_t>(text.size())}));
  TensorFile foreign = whole;
  for (const char* names : {"[\"neg\"]", "[\"neg\", \"neg\"]", "[\"a\", \"b\", \"c\"]", "[\"a\", 1]", "["}) {
    foreign.metadata["label_names"] = names;
    save_tensors(file, foreign);
    EXPECT_FALSE(hits()) << names;
  }
  foreign = whole;
  foreign.tensors.erase("words");
  save_tensors(file, foreign);
  EXPECT_FALSE(hits());
  save_tensors(file, TensorFile{});
  EXPECT_FALSE(hits());
}

TEST_F(Cache, ThatCannotBeWrittenIsReportedNotFatal) {
  write_file(folder_ / "file", "in the way");
  CacheReport report;
  const EncodedCorpus corpus = load_encoded(path_, 100, folder_ / "file", &report);
  expect_same(corpus, encode_corpus(load_corpus(path_), 100));
  EXPECT_FALSE(report.hit);
  EXPECT_NE(report.problem, "");
}

TEST_F(Cache, OfNoFolderWritesNothing) {
  const EncodedCorpus corpus = load_encoded(path_, 100, "");
  expect_same(corpus, encode_corpus(load_corpus(path_), 100));
  EXPECT_EQ(folder_.file_count(), 1u);
}

TEST_F(Cache, DoesNotHideThatTheDataAreGone) {
  EXPECT_FALSE(hits());
  fs::remove(path_);
  EXPECT_THROW(load_encoded(path_, 100, cache_), Failure);
}

TEST(EncodedImdb, BeginsWithTheMostFrequentWords) {
  const char* path = std::getenv("ATTN_IMDB");
  if (path == nullptr) GTEST_SKIP() << "ATTN_IMDB does not name the IMDB archive";
  const TemporaryFolder folder;
  const EncodedCorpus corpus = load_encoded(path, 10000, folder / "cache");
  const Vocabulary vocabulary(corpus.words, corpus.V);
  EXPECT_EQ(vocabulary.id("the"), 4);
  EXPECT_EQ(corpus.words.size(), 9996u);
  EXPECT_EQ(vocabulary.id("br"), kUnknown);
  EXPECT_NE(vocabulary.id("don't"), kUnknown);
  EXPECT_EQ(corpus.train.size(), 25000);
  CacheReport report;
  expect_same(load_encoded(path, 10000, folder / "cache", &report), corpus);
  EXPECT_TRUE(report.hit);
}

}  // namespace
}  // namespace attn::classifier
