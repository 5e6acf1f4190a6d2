// SPDX-License-Identifier: Apache-2.0
//
// Options that several subcommands share, and the values derived from them.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "attn_cuda/attn_cuda.hpp"
#include "classifier/data/corpus.h"

namespace attn::classifier {

struct DeviceOptions {
  std::string device = "auto";
  int threads = 0;  // 0: one per core

  void add_to(CLI::App& app);
  // Creates the handle and prints what it computes on; with "auto" also why CUDA is not used.
  Handle handle() const;
};

struct ModelOptions {
  std::string path = "attn_run";

  void add_to(CLI::App& app);
  // The file; of a folder, best.safetensors, or model.safetensors if that does not exist.
  std::string file() const;
};

// --data, and how it is read.
struct DataOptions {
  std::string path;
  ReadOptions reading;

  void add_to(CLI::App& app, const std::string& help);
};

struct CacheOptions {
  std::string folder;  // empty: the user's cache folder
  bool off = false;

  void add_to(CLI::App& app);
  std::string resolved() const;  // empty: no cache
};

// An option whose value is one of the names, in any case. Its help ends with the default.
template <class Enum>
CLI::Option* add_named_option(CLI::App& app, const std::string& name, Enum& value,
                              const std::map<std::string, Enum>& names, std::string help) {
  const auto parse = [&value, &names, name](std::string text) {
    std::string known;
    for (const auto& [candidate, meaning] : names) {
      known += (known.empty() ? "" : ", ") + candidate;
      if (CLI::detail::to_lower(text) == candidate) return void(value = meaning);
    }
    throw CLI::ValidationError(name, "expected one of " + known + ", got " + text);
  };
  for (const auto& [candidate, meaning] : names)
    if (meaning == value) help += " [default: " + candidate + "]";
  return app.add_option_function<std::string>(name, parse, help);
}

// The first of --data, $ATTN_IMDB, and the file that ./bootstrap.sh data leaves in data/; empty if there is none.
std::string find_data(const std::string& given);

// Whether to use colours on standard output. `choice` is always, never, or auto: if it is a terminal and NO_COLOR is
// not set.
bool use_colour(const std::string& choice);
CLI::Option* add_colour_option(CLI::App& app, std::string& choice);

// The width of the terminal on standard output in columns; 100 if it is not a terminal.
int terminal_width();

}  // namespace attn::classifier
