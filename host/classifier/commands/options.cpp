// SPDX-License-Identifier: Apache-2.0
#include "classifier/commands/options.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "api/failure.h"

namespace attn {
namespace {

std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

void DeviceOptions::add_to(CLI::App& app) {
  app.add_option("--device", device, "Where to compute: cpu, cuda, or auto, which takes CUDA where it can")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
      ->capture_default_str();
  app.add_option("--threads", threads, "CPU threads; 0 means all cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

Handle DeviceOptions::handle() const {
  // The encoder library computes on the CPU only so far, so "auto" has one choice.
  if (device == "cuda")
    throw Failure(ATTN_UNSUPPORTED, "--device: expected cpu or auto, since this build has no CUDA encoder, got cuda");
  Handle handle(ATTN_BACKEND_CPU);
  if (threads > 0) handle.set_threads(threads);
  return handle;
}

void ModelOptions::add_to(CLI::App& app) {
  app.add_option("--model", path, "A model that attn_train saved")->capture_default_str();
}

void CacheOptions::add_to(CLI::App& app) {
  app.add_option("--cache", folder, "Folder for tokenised reviews [default: attn_cuda in the user's cache folder]");
  app.add_flag("--no-cache", off, "Tokenise anew, write no cache");
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
  return isatty(STDOUT_FILENO) != 0 && environment_variable("NO_COLOR").empty();
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

}  // namespace attn
