// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/model_file.h"

#include "api/failure.h"

namespace attn {
namespace {

using nlohmann::json;

// Words hold no white space, so one per line is unambiguous.
std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + "\n";
  return text;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

const std::string& field(const TensorFile& file, const std::string& path, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end())
    throw Failure(ATTN_INVALID_ARGUMENT, path + ": expected a model of attn_train, got a safetensors file without \"" +
                                             key + "\" in its metadata");
  return found->second;
}

}  // namespace

void save_model(const std::string& path, const ModelFile& file) {
  TensorFile out;
  out.tensors = file.tensors;
  out.metadata = {{"model", json(file.model).dump()}, {"training", json(file.training).dump()},
                  {"data", json(file.data).dump()},   {"environment", json(file.environment).dump()},
                  {"vocabulary", join(file.words)},   {"labels", json(file.label_names).dump()}};
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
    file.words = split(field(in, path, "vocabulary"));
    file.label_names = json::parse(field(in, path, "labels")).get<std::vector<std::string>>();
    if (in.metadata.count("state") == 1) file.state = json::parse(in.metadata.at("state")).get<TrainState>();
    if (file.label_names.size() != 2)
      throw Failure(ATTN_INVALID_ARGUMENT,
                    path + ": expected two label names, got " + std::to_string(file.label_names.size()));
    file.tensors = std::move(in.tensors);
    return file;
  } catch (const json::exception& error) {
    throw Failure(ATTN_INVALID_ARGUMENT,
                  path + ": expected the metadata of a model of attn_train, got " + error.what());
  }
}

}  // namespace attn
