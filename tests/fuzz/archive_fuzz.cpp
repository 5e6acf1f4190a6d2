// SPDX-License-Identifier: Apache-2.0
//
// Bytes as an archive of labelled texts: tar, plain or compressed.
#include "classifier/data/corpus.h"
#include "fuzz/fuzzed_file.h"

using namespace attn::classifier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  static const TemporaryFolder folder;
  static const std::string path = folder / "input.tar";
  ReadOptions options;
  options.text_limit = 1 << 16;
  options.total_limit = 1 << 20;
  write_file(path, as_text(bytes, count));
  read_or_refuse(path, [&] { load_corpus(path, options); });
  return 0;
}
