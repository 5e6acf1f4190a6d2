// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include "classifier/commands/attend.h"
#include "classifier/commands/commands.h"
#include "classifier/commands/options.h"
#include "classifier/commands/reviews.h"

namespace attn::classifier {
namespace {

struct PredictOptions {
  ModelOptions model;
  DeviceOptions device;
  std::vector<std::string> texts;
  bool attention = false;
  std::string colour = "auto";
};

void predict_one(LoadedModel& loaded, const PredictOptions& o, const std::string& text, const std::string& origin) {
  const Explanation explanation = attend(loaded, {checked_review(text, origin)}, false).front();
  fmt::print("{}\t{:.4f}\t{}\n", explanation.prediction, explanation.probability, text);
  if (o.attention) fmt::print("{}\n", to_terminal(explanation, use_colour(o.colour), terminal_width()));
  std::fflush(stdout);
}

int predict(const PredictOptions& o) {
  const Handle handle = o.device.handle();
  LoadedModel loaded(handle, o.model.path, 1);
  for (std::size_t i = 0; i < o.texts.size(); ++i) predict_one(loaded, o, o.texts[i], fmt::format("text {}", i + 1));
  if (!o.texts.empty()) return 0;

  if (isatty(STDIN_FILENO) != 0) fmt::print(stderr, "Enter one text per line; Ctrl-D ends the input:\n");
  std::string line;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number)
    if (!line.empty()) predict_one(loaded, o, line, fmt::format("standard input:{}", number));
  return 0;
}

}  // namespace

void add_predict_command(CLI::App& program, int& status) {
  CLI::App* app =
      program.add_subcommand("predict", "Label texts: prints label, probability and text, separated by tabs");
  const auto options = std::make_shared<PredictOptions>();
  app->add_option("text", options->texts, "Texts to label [default: lines of standard input]");
  options->model.add_to(*app);
  app->add_flag("--attention", options->attention, "Also shade the words by their attention");
  add_colour_option(*app, options->colour);
  options->device.add_to(*app);
  app->callback([options, &status] { status = predict(*options); });
}

}  // namespace attn::classifier
