// SPDX-License-Identifier: Apache-2.0
//
// Bytes as a safetensors file. What can be read can be written, and is then read as the same.
#include "classifier/checkpoint/safetensors.h"
#include "fuzz/fuzzed_file.h"

using namespace attn::classifier;

namespace {

bool equal(const TensorFile& a, const TensorFile& b) {
  const auto same = [](const auto& left, const auto& right) {
    return left.first == right.first && left.second.dtype == right.second.dtype &&
           left.second.shape == right.second.shape && left.second.data == right.second.data;
  };
  return a.metadata == b.metadata && a.tensors.size() == b.tensors.size() &&
         std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), same);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const TemporaryFolder folder;
  static const std::string path = folder / "input.safetensors", copy = folder / "copy.safetensors";
  write_file(path, as_text(bytes, count));
  read_or_refuse(path, [] {
    const TensorFile file = load_tensors(path);
    save_tensors(copy, file);
    if (!equal(load_tensors(copy), file)) std::abort();
  });
  return 0;
}
