// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <numeric>
#include <sstream>

#include "attn_cuda/version.h"
#include "classifier/commands/commands.h"
#include "classifier/console.h"
#include "classifier/explain/wording.h"

namespace attn::classifier {
namespace {

// Leaves out which options exclude each other, which most of them do with --resume.
class BriefFormatter : public CLI::Formatter {
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string text = CLI::Formatter::make_option_opts(option);
    return text.substr(0, text.find(" Excludes:"));
  }
};

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] != b[j] ? 1 : 0);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

// The subcommand that `word` is probably meant to be; empty if it is close to none.
std::string nearest_subcommand(const CLI::App& program, const std::string& word) {
  std::string nearest;
  std::size_t least = 3;
  for (const CLI::App* subcommand : program.get_subcommands([](const CLI::App*) { return true; }))
    if (const std::size_t distance = edit_distance(word, subcommand->get_name()); distance < least) {
      least = distance;
      nearest = subcommand->get_name();
    }
  return nearest;
}

// Prints the help or version that was asked for, or the error, and returns the exit status.
int report(const CLI::App& program, const CLI::ParseError& error, const std::string& first) {
  std::ostringstream output, notes;
  const int status = program.exit(error, output, notes);
  write_output(output.str());
  write_note(notes.str());
  const std::string nearest = status == 0 ? "" : nearest_subcommand(program, first);
  if (!nearest.empty() && nearest != first)
    print_note("There is no subcommand {}; did you mean {}?\n", printable(first), nearest);
  return status;
}

int parse_and_run(int argc, char** argv) {
  CLI::App program(
      "Trains a text classifier (embedding, bidirectional LSTM, additive attention) and shows what it attends to.\n"
      "Start with:  attn_train train        without a data set it generates one\n"
      "then:        attn_train explain      shades words by the attention they got\n"
      "             attn_train predict \"a film I would see again\"",
      "attn_train");
  program.set_version_flag("--version", attn_version());
  program.require_subcommand(1);
  program.formatter(std::make_shared<BriefFormatter>());
  program.get_formatter()->column_width(34);
  program.set_config("--config", "", "Read options from this INI or TOML file, with a section for each subcommand");

  int status = 0;
  add_train_command(program, status);
  add_eval_command(program, status);
  add_predict_command(program, status);
  add_explain_command(program, status);
  add_completion_command(program, status);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report(program, error, argc > 1 ? argv[1] : "");
  }
  return status;
}

void say_out_of_memory() noexcept { write_note("attn_train: out of memory\n"); }

// An exception that nothing catches because it leaves a function that is noexcept, such as CLI11's search for an option, or
// a thread.
[[noreturn]] void end_program() {
  try {
    if (const std::exception_ptr error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    say_out_of_memory();
    std::_Exit(1);
  } catch (const std::exception& error) {
    write_note(error.what());
  } catch (...) {
  }
  std::abort();
}

}  // namespace

int run_program(int argc, char** argv) {
  prepare_standard_streams();
  std::set_terminate(end_program);
  try {
    return parse_and_run(argc, argv);
  } catch (const std::bad_alloc&) {
    say_out_of_memory();
  } catch (const std::exception& error) {
    print_note("attn_train: {}\n", printable(error.what()));
  }
  return 1;
}

}  // namespace attn::classifier
