// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/model_file.h"

#include <limits>

#include "base/target_name.h"
#include "classifier/data/generator.h"
#include "classifier/data/vocabulary.h"
#include "classifier/failure.h"
#include "classifier/train/initial_weights.h"
#include "classifier/train/json.h"
#include "classifier/train/parameters.h"

namespace attn::classifier {
namespace {

using nlohmann::json;

const std::string& field(const TensorFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) reject("metadata", "those of a model of attn_train", "none named \"" + key + "\"");
  return found->second;
}

// The library for JSON converts numbers without a check: 3.7 would become 3, and 2^32 + 1 could become 1.
json whole_numbers(json object, const std::string& where, std::initializer_list<const char*> keys, std::int64_t most) {
  for (const char* key : keys) {
    const json& value = object.at(key);
    const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                                                 : value.is_number_integer() && value.get<std::int64_t>() >= 0;
    if (!fits) reject(where + "." + key, "a whole number from 0 to " + std::to_string(most), value.dump());
  }
  return object;
}

constexpr std::int64_t kMostSize = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostCount = std::numeric_limits<std::int64_t>::max() / 2;

std::vector<std::string> label_names_of(const TensorFile& file) {
  const auto names = json::parse(field(file, "labels")).get<std::vector<std::string>>();
  if (names.size() != 2) reject("labels", "two names", std::to_string(names.size()));
  if (names[0] == names[1]) reject("labels", "two different names", "\"" + names[0] + "\" twice");
  return names;
}

TrainState state_of(const TensorFile& file) {
  const json state = whole_numbers(json::parse(field(file, "state")), "state",
                                   {"epoch", "step", "updates", "correct", "seen"}, kMostCount);
  for (const json& record : state.at("history")) whole_numbers(record, "state.history", {"epoch"}, kMostCount);
  return state.get<TrainState>();
}

ModelFile described_by(const TensorFile& in) {
  ModelFile file;
  file.model = whole_numbers(json::parse(field(in, "model")), "model", {"V", "T", "E", "H", "A", "query"}, kMostSize)
                   .get<ModelConfig>();
  file.training =
      whole_numbers(json::parse(field(in, "training")), "training", {"epochs", "batch"}, kMostSize).get<TrainConfig>();
  file.data =
      whole_numbers(json::parse(field(in, "data")), "data", {"train", "test"}, kMostGenerated).get<DataSource>();
  file.environment = json::parse(field(in, "environment")).get<Environment>();
  // Earlier versions wrote the name that Highway gives.
  file.environment.target = std::string(internal::usual_target_name(file.environment.target.c_str()));
  file.words = from_lines(field(in, "vocabulary"));
  file.label_names = label_names_of(in);
  if (in.metadata.count("state") == 1) file.state = state_of(in);
  return file;
}

// The state decides at which review training continues.
void require_valid(const TrainState& state) {
  if (!(state.loss_scale.value >= 1 && state.loss_scale.value <= LossScale::kLargest))
    reject("state.loss_scale", "1 to " + std::to_string(LossScale::kLargest), std::to_string(state.loss_scale.value));
  if (state.history.size() != static_cast<std::size_t>(state.epoch))
    reject("state.history", std::to_string(state.epoch) + " epochs", std::to_string(state.history.size()));
  if (state.correct > state.seen)
    reject("state.correct", "0 to " + std::to_string(state.seen) + ", the reviews seen", std::to_string(state.correct));
}

// Calls body() and has its failures name the file.
template <class Body>
auto naming(const std::string& path, const Body& body) {
  try {
    return body();
  } catch (const json::exception& error) {
    refuse(path, std::string("expected the metadata of a model of attn_train, got ") + error.what());
  } catch (const Failure& failure) {
    throw Failure(failure.status(), path + ": " + failure.what());
  }
}

}  // namespace

void save_model(const std::string& path, const ModelFile& file) {
  TensorFile out;
  out.tensors = file.tensors;
  out.metadata = {{"model", json(file.model).dump()},   {"training", json(file.training).dump()},
                  {"data", json(file.data).dump()},     {"environment", json(file.environment).dump()},
                  {"vocabulary", to_lines(file.words)}, {"labels", json(file.label_names).dump()}};
  if (file.state) out.metadata["state"] = json(*file.state).dump();
  save_tensors(path, out);
}

ModelFile load_model(const std::string& path) {
  TensorFile in = load_tensors(path);
  // The sizes in a file decide how much memory is allocated.
  ModelFile file = naming(path, [&] {
    ModelFile described = described_by(in);
    require_valid(described.model);
    require_valid(described.training);
    if (described.state) require_valid(*described.state);
    return described;
  });
  file.tensors = in_fp32(with_current_names(std::move(in.tensors)), path);
  require_tensors(file.tensors, file.model, path);
  if (file.state)
    for (const char* moment : {"adam.m.", "adam.s."}) require_tensors(file.tensors, file.model, path, moment);
  return file;
}

InitialWeights load_initial_weights(const std::string& path) {
  TensorFile in = load_tensors(path);
  InitialWeights weights{path, in_fp32(with_current_names(std::move(in.tensors)), path), {}, {}};
  if (in.metadata.count("vocabulary") == 1)
    naming(path, [&] {
      weights.words = from_lines(field(in, "vocabulary"));
      weights.label_names = label_names_of(in);
    });
  return weights;
}

}  // namespace attn::classifier
