// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "classifier/commands/attend.h"
#include "classifier/commands/commands.h"
#include "classifier/commands/line_reader.h"
#include "classifier/commands/options.h"
#include "classifier/commands/prediction_format.h"
#include "classifier/commands/reviews.h"
#include "classifier/console.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

constexpr std::int64_t kBatch = 32;

struct PredictOptions {
  ModelOptions model;
  DeviceOptions device;
  std::vector<std::string> texts;
  std::string input = "-";
  PredictionFormat format = PredictionFormat::kTsv;
  double threshold = 0.5;
  bool attention = false;
  std::string colour = "auto";
};

class Predictor {
 public:
  Predictor(const Handle& handle, const PredictOptions& o) : options_(&o), loaded_(handle, o.model.file(), kBatch) {
    write_output(header_of(o.format, label_names()));
  }

  // Prints one line for each text. If one is not UTF-8, prints those before it and throws Failure.
  void predict(const std::vector<std::string>& texts, const std::string& origin) {
    std::vector<Review> reviews;
    try {
      for (const std::string& text : texts)
        reviews.push_back(checked_review(text, fmt::format("{}{}", origin, ++number_)));
    } catch (const Failure&) {
      print_lines(reviews);
      throw;
    }
    print_lines(reviews);
  }

  // Says how many texts the model could hardly read.
  void warn_of_unknown_words() const {
    if (unfamiliar_ > 0)
      print_note("warning: more than half of the words are unknown to the model in {} of {} texts, first in {}\n",
                 unfamiliar_, number_, first_unfamiliar_);
  }

 private:
  const std::vector<std::string>& label_names() const { return loaded_.file.label_names; }

  void print_lines(const std::vector<Review>& reviews) {
    std::vector<Review> readable;
    for (const Review& review : reviews)
      if (!is_blank(review.text)) readable.push_back(review);
    const std::vector<Explanation> explanations = attend(loaded_, readable, false);
    std::string lines;
    auto explanation = explanations.begin();
    for (const Review& review : reviews) {
      if (is_blank(review.text)) {
        lines += line_of(options_->format, {review.text, "", 0, 0}, label_names());
        continue;
      }
      lines += line_of(options_->format, prediction_of(*explanation, review.text), label_names());
      if (options_->attention)
        lines += to_terminal(*explanation, use_colour(options_->colour), terminal_width()) + "\n";
      count_unknown(*explanation++);
    }
    write_output(lines);
  }

  Prediction prediction_of(const Explanation& explanation, const std::string& text) const {
    const bool predicted_positive = explanation.prediction == label_names()[1];
    const double positive = predicted_positive ? explanation.probability : 1 - explanation.probability;
    const bool is_positive = options_->threshold == 0.5 ? predicted_positive : positive >= options_->threshold;
    return {text, label_names()[is_positive ? 1 : 0], is_positive ? positive : 1 - positive, positive};
  }

  void count_unknown(const Explanation& explanation) {
    const auto unknown = std::count_if(explanation.words.begin(), explanation.words.end(),
                                       [](const WeightedWord& word) { return !word.known; });
    if (2 * static_cast<std::size_t>(unknown) <= explanation.words.size()) return;
    if (unfamiliar_++ == 0) first_unfamiliar_ = explanation.title;
  }

  const PredictOptions* options_;
  LoadedModel loaded_;
  std::size_t number_ = 0, unfamiliar_ = 0;
  std::string first_unfamiliar_;
};

int predict(const PredictOptions& o) {
  const Handle handle = o.device.handle();
  Predictor predictor(handle, o);
  if (!o.texts.empty()) {
    predictor.predict(o.texts, "text ");
  } else {
    LineReader lines(o.input);
    if (o.input == "-" && isatty(STDIN_FILENO) != 0) print_note("Enter one text per line; Ctrl-D ends the input:\n");
    for (std::vector<std::string> texts = lines.next(kMostLines); !texts.empty(); texts = lines.next(kMostLines))
      predictor.predict(texts, lines.name() + ":");
  }
  predictor.warn_of_unknown_words();
  return 0;
}

}  // namespace

void add_predict_command(CLI::App& program, int& status) {
  CLI::App* app = program.add_subcommand("predict", "Label texts, one line for each: label, probability and text");
  const auto options = std::make_shared<PredictOptions>();
  CLI::Option* texts = app->add_option("text", options->texts, "Texts to label [default: the lines of --input]");
  app->add_option("--input", options->input, "File with one text per line; - is standard input")
      ->excludes(texts)
      ->capture_default_str();
  add_named_option(*app, "--format", options->format, prediction_formats(),
                   "tsv: label, probability, text; csv and jsonl: text, label, probability of each label");
  app->add_option("--threshold", options->threshold, "Least probability of the second label that is enough for it")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  options->model.add_to(*app);
  app->add_flag("--attention", options->attention, "Also shade the words by their attention");
  add_colour_option(*app, options->colour);
  options->device.add_to(*app);
  app->callback([options, &status] { status = predict(*options); });
}

}  // namespace attn::classifier
