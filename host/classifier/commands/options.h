// SPDX-License-Identifier: Apache-2.0
//
// Options that several subcommands share, and what they lead to.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "attn_cuda/attn_cuda.hpp"

namespace attn::classifier {

struct DeviceOptions {
  std::string device = "auto";
  int threads = 0;  // 0: as many as the machine has cores

  void add_to(CLI::App& app);
  // Says on what, and where "auto" finds no CUDA why.
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

// --data, else $ATTN_IMDB, else what ./bootstrap.sh data leaves under data/; empty: none.
std::string find_data(const std::string& given);

// Colours on standard output: `choice` is auto (a terminal, and NO_COLOR not set), always or never.
bool use_colour(const std::string& choice);
CLI::Option* add_colour_option(CLI::App& app, std::string& choice);

// Columns of the terminal on standard output, 100 where there is none.
int terminal_width();

}  // namespace attn::classifier
