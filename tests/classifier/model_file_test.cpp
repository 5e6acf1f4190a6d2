// SPDX-License-Identifier: Apache-2.0
//
// Models on disk: saving and loading, files of earlier versions, and files whose contents are inconsistent.
#include "classifier/train/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <limits>
#include <string>

#include "classifier/failure.h"
#include "classifier/train/json.h"
#include "classifier/train/parameters.h"
#include "temporary_folder.h"

namespace attn::classifier {
namespace {

ModelFile small_model(Attention attention = Attention::kPooling) {
  ModelFile file;
  file.model.attention = attention;
  file.model.V = 12;
  file.model.T = 5;
  file.model.E = 3;
  file.model.H = 2;
  file.data.path = "somewhere";
  file.words = {"good", "bad"};
  file.label_names = {"neg", "pos"};
  file.state.emplace();
  file.state->epoch = 1;
  file.state->step = 7;
  file.state->history.push_back({1, 0.5, 0.75, 0.25, 0.875, 1});
  const Handle handle;
  const Parameters parameters(handle, file.model);
  for (const char* prefix : {"", "adam.m.", "adam.s."}) parameters.save(file.tensors, prefix);
  return file;
}

TEST(ModelFile, ComesBackAsItWasSaved) {
  const TemporaryFolder folder;
  const ModelFile saved = small_model();
  save_model(folder / "model.safetensors", saved);
  const ModelFile loaded = load_model(folder / "model.safetensors");
  EXPECT_EQ(nlohmann::json(loaded.model), nlohmann::json(saved.model));
  EXPECT_EQ(nlohmann::json(loaded.training), nlohmann::json(saved.training));
  EXPECT_EQ(nlohmann::json(loaded.data), nlohmann::json(saved.data));
  ASSERT_TRUE(loaded.state.has_value());
  EXPECT_EQ(nlohmann::json(*loaded.state), nlohmann::json(*saved.state));
  EXPECT_EQ(loaded.words, saved.words);
  EXPECT_EQ(loaded.label_names, saved.label_names);
  EXPECT_EQ(loaded.tensors.size(), saved.tensors.size());
}

class EarlierModelFile : public testing::TestWithParam<Attention> {};

// Earlier versions called the tensors of the LSTM lstm.kernel, lstm.recurrent and lstm.bias.
TEST_P(EarlierModelFile, LoadsWithItsMomentsUnderTheNamesOfToday) {
  const TemporaryFolder folder;
  ModelFile file = small_model(GetParam());
  const std::map<std::string, Tensor> expected = [&] {
    float value = 0;
    for (auto& [name, tensor] : file.tensors)
      tensor = Tensor::of(std::vector<float>(tensor.data.size() / sizeof(float), ++value), tensor.shape);
    return file.tensors;
  }();
  file.tensors.clear();
  int renamed = 0;
  for (const auto& [name, tensor] : expected) {
    std::string earlier = name;
    const std::size_t layer = name.find("lstm.0.");
    if (layer != std::string::npos) earlier.replace(layer, 7, "lstm."), ++renamed;
    file.tensors[earlier] = tensor;
  }
  EXPECT_EQ(renamed, 9);
  save_model(folder / "model.safetensors", file);
  const std::map<std::string, Tensor> loaded = load_model(folder / "model.safetensors").tensors;
  ASSERT_EQ(loaded.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_EQ(loaded.count(name), 1u) << name;
    EXPECT_EQ(loaded.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(loaded.at(name).data, tensor.data) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(ModelFile, EarlierModelFile, testing::Values(Attention::kPooling, Attention::kAdditive),
                         [](const auto& variant) {
                           return std::string(variant.param == Attention::kPooling ? "pooling" : "additive");
                         });

struct Fault {
  const char* name;
  std::function<void(ModelFile&)> commit;
  const char* message;  // the error message after the path
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class RefusedModelFile : public testing::TestWithParam<Fault> {};

TEST_P(RefusedModelFile, NamesTheFileAndTheReason) {
  const TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  ModelFile file = small_model();
  GetParam().commit(file);
  save_model(path, file);
  try {
    load_model(path);
    FAIL() << "nothing was refused";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), ATTN_INVALID_ARGUMENT);
    EXPECT_THAT(failure.what(), testing::StartsWith(path + ": " + GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(
    ModelFile, RefusedModelFile,
    testing::Values(
        Fault{"A size beyond all use", [](ModelFile& file) { file.model.H = 1 << 20; }, "hidden: expected "},
        Fault{"A size of more than 32 bits", [](ModelFile& file) { file.model.H = std::int64_t{1} << 40; },
              "model.H: expected a whole number from 0 to 2147483647, got 1099511627776"},
        Fault{"A generator that would fill the memory", [](ModelFile& file) { file.data.train = 1 << 30; },
              "data.train: expected a whole number from 0 to 1000000, got 1073741824"},
        Fault{"A size that the tensors do not have", [](ModelFile& file) { file.model.V = 1 << 30; },
              "tensor embedding: expected shape [1073741824, 3], got [12, 3]"},
        Fault{"An encoder far larger than its tensors", [](ModelFile& file) { file.model.H = 1 << 16; },
              "tensor lstm.0.kernel: expected shape [2, 3, 262144], got [2, 3, 8]"},
        Fault{"A setting out of range", [](ModelFile& file) { file.training.batch = 0; }, "batch: expected "},
        Fault{"A tensor missing", [](ModelFile& file) { file.tensors.erase("dense.b"); },
              "expected a tensor dense.b of shape [1], got none of that name"},
        Fault{"A moment missing", [](ModelFile& file) { file.tensors.erase("adam.s.dense.b"); },
              "expected a tensor adam.s.dense.b of shape [1], got none of that name"},
        Fault{"A step before the first", [](ModelFile& file) { file.state->step = -1; },
              "state.step: expected a whole number from 0 to "},
        Fault{"A history of other length", [](ModelFile& file) { ++file.state->epoch; },
              "state.history: expected 2 epochs, got 1"},
        Fault{"More right answers than reviews", [](ModelFile& file) { file.state->correct = file.state->seen + 1; },
              "state.correct: expected 0 to "},
        Fault{"One label", [](ModelFile& file) { file.label_names.pop_back(); }, "labels: expected two names, got 1"},
        Fault{"Two equal labels", [](ModelFile& file) { file.label_names[1] = file.label_names[0]; },
              "labels: expected two different names, got "},
        Fault{"A word twice",
              [](ModelFile& file) {
                file.words = {"film", "film"};
              },
              "vocabulary: expected each word once, got \"film\" twice"}));

// What save_model() would not write.
TEST(ModelFile, RefusesSettingsThatWouldBeReadAsOthers) {
  const TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  for (const auto& [from, to, message] : std::vector<std::array<std::string, 3>>{
           {"\"pooling\"", "\"polling\"", "attention: expected one of additive, pooling, got \"polling\""},
           {"\"V\":12", "\"V\":4294967308", "model.V: expected a whole number from 0 to 2147483647, got 4294967308"},
           {"\"V\":12", "\"V\":12.5", "model.V: expected a whole number from 0 to 2147483647, got 12.5"}}) {
    save_model(path, small_model());
    TensorFile file = load_tensors(path);
    std::string& settings = file.metadata.at("model");
    const std::size_t place = settings.find(from);
    ASSERT_NE(place, std::string::npos) << settings;
    settings.replace(place, from.size(), to);
    save_tensors(path, file);
    try {
      load_model(path);
      FAIL() << "nothing was refused";
    } catch (const Failure& failure) {
      EXPECT_EQ(std::string(failure.what()), path + ": " + message);
    }
  }
}

TEST(ModelFile, OtherFloatingPointTypesAreConverted) {
  const TemporaryFolder folder;
  const std::string path = folder / "model.safetensors";
  ModelFile file = small_model();
  const auto set = [&](const char* name, const char* dtype, const std::vector<int>& bytes) {
    Tensor& tensor = file.tensors.at(name);
    tensor = {dtype, tensor.shape, {}};
    for (const int byte : bytes) tensor.data.push_back(static_cast<std::byte>(byte));
  };
  file.tensors.at("dense.b") = Tensor::of<double>({-0.375}, {1});
  set("dense.w", "F16", {0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x00});       // 1, -2, 2^-24, 0
  set("attention.w", "BF16", {0x80, 0x3f, 0x00, 0xc0, 0x00, 0x00, 0x80, 0x7f});  // 1, -2, 0, infinity
  save_model(path, file);
  const std::map<std::string, Tensor> loaded = load_model(path).tensors;
  const auto values = [&](const char* name) { return loaded.at(name).values<float>(name); };
  EXPECT_EQ(values("dense.b"), (std::vector<float>{-0.375f}));
  EXPECT_EQ(values("dense.w"), (std::vector<float>{1, -2, 0x1p-24f, 0}));
  EXPECT_EQ(values("attention.w"), (std::vector<float>{1, -2, 0, std::numeric_limits<float>::infinity()}));

  const Handle handle;
  Parameters parameters(handle, file.model);
  try {
    parameters.load(loaded, path);
    FAIL() << "nothing was refused";
  } catch (const Failure& failure) {
    EXPECT_EQ(std::string(failure.what()), path + ": tensor attention.w: expected finite values, got inf");
  }
}

TEST(ModelFile, RefusesASafetensorsFileOfSomebodyElse) {
  const TemporaryFolder folder;
  const std::string path = folder / "other.safetensors";
  save_tensors(path, {});
  try {
    load_model(path);
    FAIL() << "nothing was refused";
  } catch (const Failure& failure) {
    EXPECT_EQ(std::string(failure.what()),
              path + ": metadata: expected those of a model of attn_train, got none named \"model\"");
  }
}

}  // namespace
}  // namespace attn::classifier
