// SPDX-License-Identifier: Apache-2.0
//
// Bytes as a text. Tokens are in its order and do not overlap, and their words are UTF-8 and split no further.
#include "classifier/data/tokenizer.h"
#include "fuzz/fuzzed_file.h"

using namespace attn::classifier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  const std::string text = as_text(bytes, count);
  std::size_t end = 0;
  for (const Token& token : tokenize(text)) {
    if (token.begin < end || token.end <= token.begin || token.end > text.size()) std::abort();
    end = token.end;
    require_utf8(token.word, "word");
    const std::vector<Token> again = tokenize(token.word);
    if (again.size() != 1 || again[0].word != token.word) std::abort();
  }
  return 0;
}
