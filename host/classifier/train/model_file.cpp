// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/model_file.h"

#include "classifier/data/vocabulary.h"
#include "classifier/failure.h"
#include "classifier/train/json.h"
#include "classifier/train/parameters.h"

namespace attn::classifier {
namespace {

using nlohmann::json;

const std::string& field(const TensorFile& file, const std::string& path, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end())
    throw Failure(ATTN_INVALID_ARGUMENT, path + ": expected a model of attn_train, got a safetensors file without \"" +
                                             key + "\" in its metadata");
  return found->second;
}

void require_valid(const TrainState& state) {
  require_size("state.epoch", state.epoch, 0);
  require_size("state.step", state.step, 0);
  require_size("state.updates", state.updates, 0);
  if (!(state.loss_scale.value >= 1 && state.loss_scale.value <= LossScale::kLargest))
    reject("state.loss_scale", "1 to " + std::to_string(LossScale::kLargest), std::to_string(state.loss_scale.value));
  require_size("state.correct", state.correct, 0);
  require_size("state.seen", state.seen, 0);
}

// The sizes in a file decide how much memory is allocated, and its state at which review training continues.
void require_consistent(const ModelFile& file, const std::string& path) {
  try {
    require_valid(file.model);
    require_valid(file.training);
    if (file.state) require_valid(*file.state);
  } catch (const Failure& failure) {
    throw Failure(failure.status(), path + ": " + failure.what());
  }
  require_tensors(file.tensors, file.model, path);
  if (!file.state) return;
  for (const char* moment : {"adam.m.", "adam.s."}) require_tensors(file.tensors, file.model, path, moment);
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
  try {
    ModelFile file;
    file.model = json::parse(field(in, path, "model")).get<ModelConfig>();
    file.training = json::parse(field(in, path, "training")).get<TrainConfig>();
    file.data = json::parse(field(in, path, "data")).get<DataSource>();
    file.environment = json::parse(field(in, path, "environment")).get<Environment>();
    file.words = from_lines(field(in, path, "vocabulary"));
    file.label_names = json::parse(field(in, path, "labels")).get<std::vector<std::string>>();
    if (in.metadata.count("state") == 1) file.state = json::parse(in.metadata.at("state")).get<TrainState>();
    if (file.label_names.size() != 2) reject(path, "two label names", std::to_string(file.label_names.size()));
    file.tensors = with_current_names(std::move(in.tensors));
    require_consistent(file, path);
    return file;
  } catch (const json::exception& error) {
    throw Failure(ATTN_INVALID_ARGUMENT,
                  path + ": expected the metadata of a model of attn_train, got " + error.what());
  }
}

}  // namespace attn::classifier
