// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "classifier/failure.h"

namespace attn {
namespace {

std::size_t product(const std::vector<std::int64_t>& shape) {
  std::size_t size = 1;
  for (std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
  return size;
}

std::vector<std::pair<std::string, std::vector<std::int64_t>>> tensors_of(const ModelConfig& config) {
  const auto [V, T, E, H, D] = std::tuple(std::int64_t{config.V}, config.T, config.E, config.H, config.D());
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> tensors = {
      {"embedding", {V, E}},
      {"lstm.kernel", {2, E, 4 * H}},
      {"lstm.recurrent", {2, H, 4 * H}},
      {"lstm.bias", {2, 4 * H}},
  };
  if (config.attention == Attention::kPooling) {
    tensors.push_back({"attention.w", {D}});
    tensors.push_back({"attention.b", {T}});
  } else {
    tensors.push_back({"attention.h", {1, config.query}});
    tensors.push_back({"attention.w_q", {config.A, config.query}});
    tensors.push_back({"attention.w_k", {config.A, D}});
    tensors.push_back({"attention.v", {config.A}});
  }
  tensors.push_back({"dense.w", {D}});
  tensors.push_back({"dense.b", {1}});
  return tensors;
}

}  // namespace

void require_tensors(const std::map<std::string, Tensor>& tensors, const ModelConfig& config, const std::string& source,
                     const std::string& prefix) {
  for (const auto& [stem, shape] : tensors_of(config)) {
    const std::string name = prefix + stem;
    const auto found = tensors.find(name);
    if (found == tensors.end())
      throw Failure(ATTN_INVALID_ARGUMENT,
                    fmt::format("{}: expected a tensor {} of shape {}, got none of that name", source, name, shape));
    if (found->second.shape != shape)
      throw Failure(ATTN_INVALID_ARGUMENT,
                    fmt::format("{}: tensor {}: expected shape {}, got {}", source, name, shape, found->second.shape));
  }
}

Parameters::Parameters(const Handle& handle, const ModelConfig& config) : config_(config) {
  constexpr std::size_t kAligned = 16;  // floats: every tensor starts on a cache line
  std::size_t offset = 0;
  for (auto& [name, shape] : tensors_of(config)) {
    const std::size_t size = product(shape);
    entries_.push_back({name, shape, offset, size});
    offset += (size + kAligned - 1) / kAligned * kAligned;
  }
  block_ = Buffer<float>(handle, offset);
  block_.fill_zero();
}

std::int64_t Parameters::trainable() const {
  std::size_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.size;
  return static_cast<std::int64_t>(sum);
}

const Parameters::Entry& Parameters::entry(const std::string& name) const {
  for (const Entry& entry : entries_)
    if (entry.name == name) return entry;
  throw Failure(ATTN_INTERNAL_ERROR, "parameter: expected the name of one, got " + name);
}

void Parameters::save(std::map<std::string, Tensor>& tensors, const std::string& prefix) const {
  const std::vector<float> block = block_.download();
  for (const Entry& entry : entries_) {
    const auto begin = block.begin() + static_cast<std::ptrdiff_t>(entry.offset);
    tensors[prefix + entry.name] =
        Tensor::of(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(entry.size)), entry.shape);
  }
}

void Parameters::load(const std::map<std::string, Tensor>& tensors, const std::string& source,
                      const std::string& prefix) {
  require_tensors(tensors, config_, source, prefix);
  std::vector<float> block(block_.size());
  for (const Entry& entry : entries_) {
    const std::string name = prefix + entry.name;
    const std::vector<float> values = tensors.at(name).values<float>(name);
    std::copy(values.begin(), values.end(), block.begin() + static_cast<std::ptrdiff_t>(entry.offset));
  }
  block_.upload(block);
}

}  // namespace attn
