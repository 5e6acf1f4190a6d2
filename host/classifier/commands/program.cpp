// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <sstream>

#include "attn_cuda/version.h"
#include "classifier/commands/commands.h"
#include "classifier/console.h"

namespace attn::classifier {
namespace {

// Prints the help or version that was asked for, or the error, and returns the exit status.
int report(const CLI::App& program, const CLI::ParseError& error) {
  std::ostringstream output, notes;
  const int status = program.exit(error, output, notes);
  write_output(output.str());
  write_note(notes.str());
  return status;
}

}  // namespace

int run_program(int argc, char** argv) {
  prepare_standard_streams();
  CLI::App program(
      "Trains a text classifier (embedding, bidirectional LSTM, additive attention) and shows what it attends to.\n"
      "Start with:  attn_train train        without a data set it generates one\n"
      "then:        attn_train explain      shades words by the attention they got\n"
      "             attn_train predict \"a film I would see again\"",
      "attn_train");
  program.set_version_flag("--version", attn_version());
  program.require_subcommand(1);
  program.get_formatter()->column_width(34);

  int status = 0;
  add_train_command(program, status);
  add_eval_command(program, status);
  add_predict_command(program, status);
  add_explain_command(program, status);
  try {
    try {
      program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return report(program, error);
    }
  } catch (const std::exception& error) {
    print_note("attn_train: {}\n", error.what());
    return 1;
  }
  return status;
}

}  // namespace attn::classifier
