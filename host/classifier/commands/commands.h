// SPDX-License-Identifier: Apache-2.0
//
// The subcommands of attn_train. Each function adds a subcommand with its options, which runs after parsing and stores
// the program's exit status in `status`.
#pragma once

namespace CLI {
class App;
}

namespace attn::classifier {

void add_train_command(CLI::App& program, int& status);
void add_eval_command(CLI::App& program, int& status);
void add_predict_command(CLI::App& program, int& status);
void add_explain_command(CLI::App& program, int& status);

}  // namespace attn::classifier
