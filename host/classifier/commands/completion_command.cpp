// SPDX-License-Identifier: Apache-2.0
//
// attn_train completion: prints a function with which bash, or zsh after bashcompinit, completes subcommands and options.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "classifier/commands/commands.h"
#include "classifier/console.h"

namespace attn::classifier {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// Words that are not options are completed as file names, which most options take.
std::string completion_script(const CLI::App& program) {
  std::vector<std::string> subcommands;
  std::string cases;
  for (const CLI::App* subcommand : program.get_subcommands([](const CLI::App*) { return true; })) {
    subcommands.push_back(subcommand->get_name());
    cases +=
        fmt::format("    {}) words=\"{}\" ;;\n", subcommand->get_name(), fmt::join(option_names(*subcommand), " "));
  }
  return fmt::format(R"(_attn_train() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} words
  case ${{COMP_WORDS[1]}} in
{}    *) words="{} {}" ;;
  esac
  if [[ $COMP_CWORD == 1 || $word == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=()
  fi
}}
complete -o default -F _attn_train attn_train
)",
                     cases, fmt::join(subcommands, " "), fmt::join(option_names(program), " "));
}

}  // namespace

void add_completion_command(CLI::App& program, int& status) {
  CLI::App* app = program.add_subcommand("completion", "Completion for bash: source <(attn_train completion)");
  app->callback([&program, &status] {
    write_output(completion_script(program));
    status = 0;
  });
}

}  // namespace attn::classifier
