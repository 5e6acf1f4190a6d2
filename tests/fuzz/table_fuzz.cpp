// SPDX-License-Identifier: Apache-2.0
//
// A byte that selects the format and the encoding, and a table of labelled texts, whose words are then counted.
#include <array>

#include "classifier/data/encoded.h"
#include "fuzz/fuzzed_file.h"

using namespace attn::classifier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const TemporaryFolder folder;
  static const std::array<std::string, 4> names = {"input.csv", "input.tsv", "input.jsonl", "input.csv.gz"};
  static const std::array<std::string, 3> encodings = {"utf-8", "latin-1", "utf-16"};
  if (count == 0) return 0;
  const std::string path = folder / names[bytes[0] % names.size()];
  ReadOptions options;
  options.encoding = encodings[bytes[0] / names.size() % encodings.size()];
  options.text_limit = 1 << 16;
  options.total_limit = 1 << 20;
  write_file(path, as_text(bytes + 1, count - 1));
  read_or_refuse(path, [&] { encode_corpus(load_corpus(path, options), 16); });
  return 0;
}
