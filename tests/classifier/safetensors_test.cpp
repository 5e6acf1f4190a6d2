// SPDX-License-Identifier: Apache-2.0
#include "classifier/checkpoint/safetensors.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "classifier/failure.h"
#include "temporary_folder.h"

namespace attn::classifier {
namespace {

using nlohmann::json;

TensorFile example() {
  TensorFile file;
  file.tensors["embedding"] = Tensor::of<float>({0.5f, -1.0f, 3.25f, 0.0f, 1e-30f, 7.0f}, {2, 3});
  file.tensors["loss"] = Tensor::of<double>({0.1}, {});
  file.tensors["bytes"] = Tensor::of<std::uint8_t>({1, 0, 255}, {3});
  file.tensors["ids"] = Tensor::of<std::int32_t>({-1, 2}, {2, 1});
  file.tensors["step"] = Tensor::of<std::int64_t>({std::numeric_limits<std::int64_t>::min()}, {1});
  file.tensors["nothing"] = Tensor::of<float>({}, {0, 5});
  file.metadata["vocabulary"] =
      "gr\xC3\xB6\xC3\x9F"
      "er\nna\xC3\xAFve\n\"quoted\" \\ back";
  file.metadata["trap"] = "\"checksum\":\"0000000000000000\"";
  return file;
}

void expect_equal(const TensorFile& a, const TensorFile& b) {
  EXPECT_EQ(a.metadata, b.metadata);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    ASSERT_EQ(b.tensors.count(name), 1u) << name;
    EXPECT_EQ(tensor.dtype, b.tensors.at(name).dtype) << name;
    EXPECT_EQ(tensor.shape, b.tensors.at(name).shape) << name;
    EXPECT_EQ(tensor.data, b.tensors.at(name).data) << name;
  }
}

// The message of the Failure, or "" if `body` succeeded.
template <class Body>
std::string failure_of(Body&& body) {
  try {
    body();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

std::string load_failure(const std::string& path) {
  return failure_of([&] { load_tensors(path); });
}

std::string with_length(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + data;
}

TEST(Safetensors, LoadsWhatItSaved) {
  TemporaryFolder folder;
  save_tensors(folder / "file", example());
  const TensorFile loaded = load_tensors(folder / "file");
  expect_equal(example(), loaded);
  EXPECT_EQ(loaded.tensors.at("embedding").values<float>("embedding"),
            (std::vector<float>{0.5f, -1.0f, 3.25f, 0.0f, 1e-30f, 7.0f}));
  EXPECT_EQ(loaded.tensors.at("step").values<std::int64_t>("step").at(0), std::numeric_limits<std::int64_t>::min());

  save_tensors(folder / "none", {});
  expect_equal({}, load_tensors(folder / "none"));
}

TEST(Safetensors, SameTensorsGiveTheSameAlignedFile) {
  TemporaryFolder folder;
  save_tensors(folder / "one", example());
  save_tensors(folder / "two", load_tensors(folder / "one"));
  const std::string bytes = read_file(folder / "one");
  EXPECT_EQ(bytes, read_file(folder / "two"));

  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  EXPECT_EQ(length % 8, 0u);
  const json header = json::parse(bytes.substr(8, length));
  for (const auto& [name, tensor] : example().tensors) {
    std::uint64_t elements = 1;
    for (const std::int64_t size : tensor.shape) elements *= static_cast<std::uint64_t>(size);
    if (elements == 0) continue;
    EXPECT_EQ(header[name]["data_offsets"][0].get<std::uint64_t>() % (tensor.data.size() / elements), 0u) << name;
  }
}

TEST(Safetensors, EveryFlippedBitIsRefused) {
  TemporaryFolder folder;
  save_tensors(folder / "file", example());
  const std::string whole = read_file(folder / "file");
  ASSERT_EQ(load_failure(folder / "file"), "");
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
      write_file(folder / "file", damaged);
      EXPECT_NE(load_failure(folder / "file").find(folder / "file"), std::string::npos) << byte << " bit " << bit;
    }
  }
}

TEST(Safetensors, EveryOtherLengthIsRefused) {
  TemporaryFolder folder;
  save_tensors(folder / "file", example());
  const std::string whole = read_file(folder / "file");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_file(folder / "file", whole.substr(0, length));
    EXPECT_NE(load_failure(folder / "file"), "") << length;
  }
  write_file(folder / "file", whole.substr(0, whole.size() - 1));
  EXPECT_NE(load_failure(folder / "file").find("truncated"), std::string::npos);
  write_file(folder / "file", whole + '\0');
  EXPECT_NE(load_failure(folder / "file").find("appended"), std::string::npos);
}

TEST(Safetensors, WhatIsNoSuchFileIsRefused) {
  TemporaryFolder folder;
  EXPECT_NE(load_failure(folder / "missing").find("got nothing"), std::string::npos);
  EXPECT_NE(load_failure(folder / "").find("got a folder"), std::string::npos);
  EXPECT_NE(load_failure("/dev/zero").find("got a device"), std::string::npos);
  const std::vector<std::string> foreign = {"",
                                            "1234567",
                                            "\x89PNG\r\n\x1a\n....IHDR",
                                            "just a text, somewhat longer than eight bytes\n",
                                            std::string(64, '\0'),
                                            std::string(8, '\xFF')};
  for (const std::string& bytes : foreign) {
    write_file(folder / "foreign", bytes);
    EXPECT_NE(load_failure(folder / "foreign").find(folder / "foreign"), std::string::npos) << bytes;
  }
}

struct BadHeader {
  const char* header;
  const char* reason;  // a part of the error message
};

TEST(Safetensors, HeadersThatLieAreRefused) {
  const BadHeader table[] = {
      {"", "expected JSON"},
      {"{", "expected JSON"},
      {"{}x", "expected JSON"},
      {"[]", "expected a JSON object"},
      {"3", "expected a JSON object"},
      {R"({"a":4})", "expected dtype, shape"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", "expected dtype, shape"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", "expected dtype, shape"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}})", "expected dtype, shape"},
      {R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", "got \"F31\""},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "got -1"},
      {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", "got 1.5"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", "below 2^63"},
      {R"({"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}})", "expected an integer"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", "overflow"},
      {R"({"a":{"dtype":"F32","shape":[2305843009213693951],"data_offsets":[0,4]}})", "overflow"},
      {R"({"a":{"dtype":"F32","shape":[100000000000000000],"data_offsets":[0,400000000000000000]}})", "truncated"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}})", "expected 4 bytes"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "expected 4 bytes"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", "got -4"},
      {R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", "expected whole bytes"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "a gap"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}})",
       "an overlap"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "appended"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", "truncated"},
      {R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})",
       "\"a\" twice"},
      {R"({"a":{"dtype":"F64","dtype":"I64","shape":[1],"data_offsets":[0,8]}})", "\"dtype\" twice"},
      {R"({"__metadata__":3})", "metadata: expected an object"},
      {R"({"__metadata__":{"k":3}})", "metadata \"k\": expected a string"},
      {R"({"__metadata__":{"checksum":"00"},"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})",
       "checksum: expected 16 digits"},
  };
  TemporaryFolder folder;
  for (const BadHeader& bad : table) {
    write_file(folder / "bad", with_length(bad.header, "12345678"));
    const std::string message = load_failure(folder / "bad");
    EXPECT_EQ(message.find(folder / "bad"), 0u) << message;
    EXPECT_NE(message.find(bad.reason), std::string::npos) << bad.header << "\n" << message;
  }
  // The same data with a correct header loads, so the rows of the table fail for the stated reasons.
  write_file(folder / "good", with_length(R"({"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})", "12345678"));
  EXPECT_EQ(load_failure(folder / "good"), "");
}

TEST(Safetensors, DeepNestingIsRefused) {
  TemporaryFolder folder;
  const std::string deep = R"({"a":)" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}";
  write_file(folder / "deep", with_length(deep, ""));
  EXPECT_NE(load_failure(folder / "deep").find("expected dtype, shape"), std::string::npos);
}

// A tree of these values would take gigabytes, and one of the library's parsers a time that grows with their square.
TEST(Safetensors, HeadersOfManyValuesAreReadInOnePass) {
  TemporaryFolder folder;
  std::string objects = "{";
  for (int i = 0; i < 200'000; ++i) objects += "\"" + std::to_string(i) + "\":{},";
  write_file(folder / "objects", with_length(objects + "\"a\":{}}", ""));
  EXPECT_NE(load_failure(folder / "objects").find("tensor \"0\": expected dtype, shape"), std::string::npos);

  std::string empty = "{";
  for (int i = 0; i < 100'000; ++i)
    empty += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
  write_file(folder / "empty", with_length(empty + "}", ""));
  EXPECT_EQ(load_tensors(folder / "empty").tensors.size(), 100'000u);

  std::string sizes = R"({"a":{"dtype":"F32","data_offsets":[0,0],"shape":[0)";
  for (int i = 0; i < 100; ++i) sizes += ",1";
  write_file(folder / "sizes", with_length(sizes + "]}}", ""));
  EXPECT_NE(load_failure(folder / "sizes").find("shape: expected at most 64 sizes"), std::string::npos);
}

TEST(Safetensors, TensorsThatContradictThemselvesAreRefused) {
  TemporaryFolder folder;
  const Tensor tensor = Tensor::of<float>({1, 2}, {2});
  EXPECT_EQ(failure_of([&] { tensor.values<double>("w"); }), "w: expected dtype F64, got F32");
  EXPECT_NE(failure_of([] { Tensor::of<float>({1, 2}, {3}); }).find("expected 3 values"), std::string::npos);
  EXPECT_NE(failure_of([] { Tensor::of<float>({1, 2}, {-1, -2}); }).find("got -1"), std::string::npos);

  TensorFile wrong_size;
  wrong_size.tensors["w"] = {"F32", {3}, std::vector<std::byte>(8)};
  EXPECT_NE(failure_of([&] { save_tensors(folder / "file", wrong_size); }).find("expected 12 bytes"),
            std::string::npos);
  TensorFile wrong_text;
  wrong_text.metadata["k"] = "\xFF";
  EXPECT_NE(failure_of([&] { save_tensors(folder / "file", wrong_text); }).find("UTF-8"), std::string::npos);
  EXPECT_EQ(folder.file_count(), 0u);
}

// Runs safetensors_reader.py and stores what it prints in `output`. Returns a reason to skip the test, or "".
std::string run_python(const std::string& verb, const std::string& path, std::string& output) {
  const char* python = std::getenv("ATTN_PYTHON");
#ifdef ATTN_PYTHON
  if (python == nullptr) python = ATTN_PYTHON;
#endif
  if (python == nullptr) return "ATTN_PYTHON names no Python with numpy and safetensors";
  const auto script = std::filesystem::path(ATTN_TEST_DATA).parent_path() / "classifier" / "safetensors_reader.py";
  const std::string command =
      "'" + std::string(python) + "' '" + script.string() + "' " + verb + " '" + path + "' 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  for (std::size_t count = 0; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, count);
  const int status = ::pclose(pipe);
  if (WEXITSTATUS(status) == 77) return std::string(python) + ": " + output;
  EXPECT_EQ(status, 0) << output;
  return "";
}

TEST(Safetensors, PythonReadsOurs) {
  TemporaryFolder folder;
  save_tensors(folder / "ours", example());
  std::string output;
  const std::string skip = run_python("read", folder / "ours", output);
  if (!skip.empty()) GTEST_SKIP() << skip;

  const json read = json::parse(output);
  const json& tensors = read["tensors"];
  EXPECT_EQ(tensors.size(), example().tensors.size());
  const TensorFile written = example();
  EXPECT_EQ(tensors["embedding"]["dtype"], "float32");
  EXPECT_EQ(tensors["embedding"]["values"].get<std::vector<float>>(),
            written.tensors.at("embedding").values<float>("embedding"));
  EXPECT_EQ(tensors["loss"], json({{"dtype", "float64"}, {"shape", json::array()}, {"values", {0.1}}}));
  EXPECT_EQ(tensors["bytes"], json({{"dtype", "uint8"}, {"shape", {3}}, {"values", {1, 0, 255}}}));
  EXPECT_EQ(tensors["ids"], json({{"dtype", "int32"}, {"shape", {2, 1}}, {"values", {-1, 2}}}));
  EXPECT_EQ(tensors["step"]["values"][0], std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(tensors["nothing"]["shape"], json({0, 5}));
  for (const auto& [key, text] : written.metadata) EXPECT_EQ(read["metadata"][key], text);
}

TEST(Safetensors, ReadsPythons) {
  TemporaryFolder folder;
  std::string output;
  const std::string skip = run_python("write", folder / "theirs", output);
  if (!skip.empty()) GTEST_SKIP() << skip;

  const TensorFile file = load_tensors(folder / "theirs");
  EXPECT_EQ(file.tensors.size(), 6u);
  EXPECT_EQ(file.tensors.at("matrix").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.tensors.at("matrix").values<float>("matrix"), (std::vector<float>{0, .25f, .5f, .75f, 1, 1.25f}));
  EXPECT_EQ(file.tensors.at("ids").values<std::int64_t>("ids"), (std::vector<std::int64_t>{-5, std::int64_t{1} << 40}));
  EXPECT_EQ(file.tensors.at("scalar").values<double>("scalar"), std::vector<double>{2.5});
  EXPECT_TRUE(file.tensors.at("scalar").shape.empty());
  EXPECT_EQ(file.tensors.at("half").dtype, "F16");
  EXPECT_EQ(file.tensors.at("flags").dtype, "BOOL");
  EXPECT_EQ(file.tensors.at("empty").shape, (std::vector<std::int64_t>{0, 7}));
  EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"format", "np"},
                                                               {"note",
                                                                "Gr\xC3\xBC\xC3\x9F"
                                                                "e"}}));
}

}  // namespace
}  // namespace attn::classifier
