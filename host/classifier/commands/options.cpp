// SPDX-License-Identifier: Apache-2.0
#include "classifier/commands/options.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "attn_cuda/encoder.h"
#include "classifier/console.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// "NVIDIA H200 (sm_90), cuDNN 9.19.0, cuBLAS 13.1.0" or "CPU (AVX2), 2 threads, oneDNN 2.6.3".
std::string described(const Handle& handle) {
  const std::string threads = handle.backend() == ATTN_BACKEND_CPU
                                  ? fmt::format(", {} thread{}", handle.threads(), handle.threads() == 1 ? "" : "s")
                                  : std::string();
  return fmt::format("{}{}, {}", handle.device_name(), threads, attn_encoder_libraries(handle.get()));
}

Handle cuda_handle() {
  Handle handle(ATTN_BACKEND_CUDA);
  if (std::string(attn_encoder_libraries(handle.get())).empty())
    throw Failure(ATTN_UNSUPPORTED, "this build has neither cuDNN nor cuBLAS");
  return handle;
}

}  // namespace

void DeviceOptions::add_to(CLI::App& app) {
  app.add_option("--device", device, "Where to compute: cpu, cuda, or auto, which uses CUDA if it works")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
      ->capture_default_str();
  app.add_option("--threads", threads,
                 "CPU threads; 0 means all cores; with --device auto another number selects the CPU")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

Handle DeviceOptions::handle() const {
  std::string why;
  if (device == "cuda" || (device == "auto" && threads == 0)) {
    try {
      Handle handle = cuda_handle();
      print_note("On {}\n", described(handle));
      return handle;
    } catch (const std::exception& failure) {
      if (device == "cuda") throw Failure(ATTN_UNSUPPORTED, std::string("--device cuda: ") + failure.what());
      const auto* error = dynamic_cast<const Error*>(&failure);
      why = error != nullptr && error->status() == ATTN_CUDA_ERROR ? "; no usable GPU" : "; built without CUDA";
    }
  }
  Handle handle(ATTN_BACKEND_CPU);
  if (threads > 0) handle.set_threads(threads);
  print_note("On {}{}\n", described(handle), why);
  return handle;
}

void ModelOptions::add_to(CLI::App& app) {
  app.add_option("--model", path, "A model that attn_train saved, or the folder of a run, whose best model is taken")
      ->capture_default_str();
}

std::string ModelOptions::file() const {
  namespace fs = std::filesystem;
  if (!fs::is_directory(path)) return path;
  const fs::path best = fs::path(path) / "best.safetensors";
  return (fs::exists(best) ? best : fs::path(path) / "model.safetensors").string();
}

void DataOptions::add_to(CLI::App& app, const std::string& help) {
  app.add_option("--data", path, help);
  const std::string kReading = "Reading of --data";
  app.add_option("--text-column", reading.text_column, "Name of the column with the texts, in a table's header")
      ->group(kReading);
  app.add_option("--label-column", reading.label_column, "Name of the column with the labels")->group(kReading);
  app.add_option_function<std::string>(
         "--separator",
         [this](const std::string& text) { reading.separator = text == "tab" || text == "\\t" ? "\t" : text; },
         "Character between the columns of a table, or tab [default: tab for .tsv, comma for .csv]")
      ->group(kReading);
  const auto add_limit = [&](const char* name, std::int64_t& bytes, const char* what) {
    app.add_option_function<std::int64_t>(
           name, [&bytes](std::int64_t megabytes) { bytes = megabytes << 20; }, what)
        ->check(CLI::Range(1, 1 << 30))
        ->group(kReading);
  };
  add_limit("--text-limit", reading.text_limit, "MB that a text may have [default: 64]");
  add_limit("--total-limit", reading.total_limit, "MB that all texts may have once they are unpacked [default: 16384]");
  app.add_option("--encoding", reading.encoding, "utf-8, latin-1, or utf-16 with a byte order mark")
      ->capture_default_str()
      ->group(kReading);
}

void CacheOptions::add_to(CLI::App& app) {
  app.add_option("--cache", folder, "Folder for tokenised reviews [default: attn_cuda in the user's cache folder]");
  app.add_flag("--no-cache", off, "Tokenise the reviews again and write no cache");
}

std::string CacheOptions::resolved() const {
  if (off) return "";
  if (!folder.empty()) return folder;
  const std::string base = environment_variable("XDG_CACHE_HOME");
  if (!base.empty()) return base + "/attn_cuda";
  const std::string home = environment_variable("HOME");
  return home.empty() ? "" : home + "/.cache/attn_cuda";
}

std::string find_data(const std::string& given) {
  if (!given.empty()) return given;
  const std::string from_environment = environment_variable("ATTN_IMDB");
  if (!from_environment.empty()) return from_environment;
  for (const char* usual : {"data/aclImdb", "data/aclImdb_v1.tar.gz", "data/aclImdb.tar.xz"})
    if (std::filesystem::exists(usual)) return usual;
  return "";
}

bool use_colour(const std::string& choice) {
  if (choice != "auto") return choice == "always";
  return isatty(STDOUT_FILENO) != 0 && environment_variable("NO_COLOR").empty() &&
         environment_variable("TERM") != "dumb";
}

CLI::Option* add_colour_option(CLI::App& app, std::string& choice) {
  return app.add_option("--color", choice, "Shade words in colour: auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
}

int terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 100;
}

}  // namespace attn::classifier
