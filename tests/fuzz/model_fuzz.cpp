// SPDX-License-Identifier: Apache-2.0
//
// The header of a safetensors file, the end of a line, and data, as a model or checkpoint of attn_train. What can be read
// can be written and read again, and initialises another model.
#include "classifier/train/initial_weights.h"
#include "classifier/train/model_file.h"
#include "fuzz/fuzzed_file.h"

using namespace attn::classifier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const TemporaryFolder folder;
  static const std::string path = folder / "input.safetensors", copy = folder / "copy.safetensors";
  write_file(path, safetensors_file(as_text(bytes, count)));
  read_or_refuse(path, [] {
    save_model(copy, load_model(path));
    load_model(copy);
  });
  read_or_refuse(path, [] { load_initial_weights(path); });
  return 0;
}
