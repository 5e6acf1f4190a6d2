// SPDX-License-Identifier: Apache-2.0
#include "classifier/train/parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "attn_cuda/recurrent.hpp"
#include "base/convert.h"
#include "classifier/console.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

constexpr std::size_t kAligned = 16;  // floats of a cache line

std::size_t aligned(std::size_t floats) { return (floats + kAligned - 1) / kAligned * kAligned; }

ParameterEntry entry_of(const std::string& name, const std::vector<std::int64_t>& shape, std::size_t offset) {
  std::size_t size = 1;
  for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
  return {name, shape, offset, size};
}

void require_shapes(const std::map<std::string, Tensor>& tensors, const ParameterLayout& layout,
                    const std::string& source, const std::string& prefix) {
  for (const ParameterEntry& entry : layout.entries) {
    const std::string name = prefix + entry.name;
    const auto found = tensors.find(name);
    if (found == tensors.end())
      throw Failure(ATTN_INVALID_ARGUMENT, fmt::format("{}: expected a tensor {} of shape {}, got none of that name",
                                                       source, name, entry.shape));
    if (found->second.shape != entry.shape)
      throw Failure(ATTN_INVALID_ARGUMENT, fmt::format("{}: tensor {}: expected shape {}, got {}", source, name,
                                                       entry.shape, found->second.shape));
  }
}

}  // namespace

ParameterLayout::ParameterLayout(const ModelConfig& config) {
  const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    entries.push_back(entry_of(name, shape, block_size));
    block_size = aligned(block_size + entries.back().size);
  };
  add("embedding", {config.V, config.E});

  const Handle handle;  // the encoder's layout is the same on every backend
  const RecurrentPlan plan(handle, config.encoder());
  encoder = block_size;
  for (const RecurrentParameter& parameter : plan.parameters())
    entries.push_back(entry_of(parameter.name, parameter.shape, encoder + static_cast<std::size_t>(parameter.offset)));
  block_size = aligned(encoder + plan.block_size());

  add("dense.w", {config.D()});
  add("dense.b", {1});
}

const ParameterEntry& ParameterLayout::at(const std::string& name) const {
  for (const ParameterEntry& entry : entries)
    if (entry.name == name) return entry;
  throw Failure(ATTN_INTERNAL_ERROR, "parameter: expected the name of one, got " + name);
}

Parameters::Parameters(const Handle& handle, const ModelConfig& config)
    : layout_(config), block_(handle, layout_.block_size) {
  block_.fill_zero();
}

std::int64_t Parameters::trainable() const {
  std::size_t sum = 0;
  for (const ParameterEntry& entry : layout_.entries) sum += entry.size;
  return static_cast<std::int64_t>(sum);
}

void Parameters::save(std::map<std::string, Tensor>& tensors, const std::string& prefix) const {
  const std::vector<float> block = block_.download();
  for (const ParameterEntry& entry : layout_.entries) {
    const auto begin = block.begin() + static_cast<std::ptrdiff_t>(entry.offset);
    tensors[prefix + entry.name] =
        Tensor::of(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(entry.size)), entry.shape);
  }
}

void Parameters::load(const std::map<std::string, Tensor>& tensors, const std::string& source,
                      const std::string& prefix) {
  require_shapes(tensors, layout_, source, prefix);
  std::vector<float> block(block_.size());
  for (const ParameterEntry& entry : layout_.entries) {
    const std::string name = prefix + entry.name;
    const std::vector<float> values = tensors.at(name).values<float>(name);
    for (const float value : values)
      if (!std::isfinite(value)) reject(source + ": tensor " + name, "finite values", fmt::format("{}", value));
    std::copy(values.begin(), values.end(), block.begin() + static_cast<std::ptrdiff_t>(entry.offset));
  }
  block_.upload(block);
}

void require_tensors(const std::map<std::string, Tensor>& tensors, const ModelConfig& config, const std::string& source,
                     const std::string& prefix) {
  require_shapes(tensors, ParameterLayout(config), source, prefix);
}

namespace {

template <class From, class Convert>
std::vector<float> converted(const std::vector<std::byte>& data, const Convert& convert) {
  std::vector<From> values(data.size() / sizeof(From));
  if (!values.empty()) std::memcpy(values.data(), data.data(), data.size());
  std::vector<float> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), convert);
  return result;
}

}  // namespace

std::map<std::string, Tensor> in_fp32(std::map<std::string, Tensor> tensors, const std::string& source) {
  std::map<std::string, int> counts;
  for (auto& [name, tensor] : tensors) {
    const std::string dtype = tensor.dtype;
    if (dtype == "F16")
      tensor = Tensor::of(converted<std::uint16_t>(tensor.data, internal::Fp16::widen), tensor.shape);
    else if (dtype == "BF16")
      tensor = Tensor::of(converted<std::uint16_t>(tensor.data, internal::Bf16::widen), tensor.shape);
    else if (dtype == "F64")
      tensor = Tensor::of(converted<double>(tensor.data, [](double value) { return static_cast<float>(value); }),
                          tensor.shape);
    else
      continue;
    ++counts[dtype];
  }
  for (const auto& [dtype, count] : counts)
    print_note("note: {}: {} tensor{} of dtype {} converted to F32\n", source, count, count == 1 ? "" : "s", dtype);
  return tensors;
}

std::map<std::string, Tensor> with_current_names(std::map<std::string, Tensor> tensors) {
  for (const std::string prefix : {"", "adam.m.", "adam.s."})
    for (const char* name : {"kernel", "recurrent", "bias"}) {
      auto tensor = tensors.extract(prefix + "lstm." + name);
      if (tensor.empty()) continue;
      tensor.key() = prefix + "lstm.0." + name;
      tensors.insert(std::move(tensor));
    }
  return tensors;
}

}  // namespace attn::classifier
