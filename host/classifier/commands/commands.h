// SPDX-License-Identifier: Apache-2.0
//
// The command line of attn_train.
#pragma once

namespace CLI {
class App;
}

namespace attn::classifier {

// Parses the command line, runs its subcommand and returns the exit status of the program.
int run_program(int argc, char** argv);

// Each function adds a subcommand with its options, which runs after parsing and stores the program's exit status in
// `status`.
void add_train_command(CLI::App& program, int& status);
void add_eval_command(CLI::App& program, int& status);
void add_predict_command(CLI::App& program, int& status);
void add_explain_command(CLI::App& program, int& status);
void add_completion_command(CLI::App& program, int& status);

}  // namespace attn::classifier
