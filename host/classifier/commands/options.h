// SPDX-License-Identifier: Apache-2.0
//
// Options that several subcommands share, and the values derived from them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "attn_cuda/attn_cuda.hpp"

namespace attn::classifier {

struct DeviceOptions {
  std::string device = "auto";
  int threads = 0;  // 0: one per core

  void add_to(CLI::App& app);
  // Creates the handle and prints what it computes on; with "auto" also why CUDA is not used.
  Handle handle() const;
};

struct ModelOptions {
  std::string path = "attn_run/model.safetensors";

  void add_to(CLI::App& app);
};

struct CacheOptions {
  std::string folder;  // empty: the user's cache folder
  bool off = false;

  void add_to(CLI::App& app);
  std::string resolved() const;  // empty: no cache
};

// The first of --data, $ATTN_IMDB, and the file that ./bootstrap.sh data leaves in data/; empty if there is none.
std::string find_data(const std::string& given);

// Whether to use colours on standard output. `choice` is always, never, or auto: if it is a terminal and NO_COLOR is
// not set.
bool use_colour(const std::string& choice);
CLI::Option* add_colour_option(CLI::App& app, std::string& choice);

// The width of the terminal on standard output in columns; 100 if it is not a terminal.
int terminal_width();

}  // namespace attn::classifier
