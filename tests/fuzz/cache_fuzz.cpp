// SPDX-License-Identifier: Apache-2.0
//
// The header of a safetensors file, the end of a line, and data, as the cache of an encoded corpus. A damaged cache is no
// error: it counts as absent. Ids and offsets of one that is accepted are used as indices.
#include "classifier/data/cache.h"
#include "fuzz/fuzzed_file.h"

using namespace attn::classifier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  constexpr std::int32_t V = 16, T = 8;
  static const TemporaryFolder folder;
  static const std::string path = folder / "input.safetensors";
  write_file(path, safetensors_file(as_text(bytes, count)));
  const std::optional<EncodedCorpus> corpus = load_cache(path, "key", V);
  if (!corpus) return 0;
  if (corpus->label_names.size() != 2) std::abort();
  const Vocabulary vocabulary(corpus->words, V);
  for (const EncodedReviews* part : {&corpus->train, &corpus->test})
    for (std::int64_t i = 0; i < part->size(); ++i) {
      std::string memory(Batch::bytes(1, T), '\0');
      const Batch batch = make_batch(*part, {i}, T, Padding::kEnd, memory.data());
      for (std::int64_t t = 0; t < batch.T; ++t) vocabulary.word(batch.ids[t]);
    }
  return 0;
}
