// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "classifier/atomic_file.h"
#include "classifier/commands/attend.h"
#include "classifier/commands/commands.h"
#include "classifier/commands/line_reader.h"
#include "classifier/commands/options.h"
#include "classifier/commands/reviews.h"
#include "classifier/console.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"
#include "classifier/random.h"

namespace attn::classifier {
namespace {

struct ExplainOptions {
  ModelOptions model;
  DeviceOptions device;
  std::vector<std::string> texts;
  DataOptions data;
  std::string input, html, png, colour = "auto";
  std::int64_t count = 6;
  std::int64_t over = 1000;
  std::uint64_t seed = 1;
  bool no_files = false;
};

bool given_texts(const ExplainOptions& o) { return !o.texts.empty() || !o.input.empty(); }

// The given texts, or `over` test reviews in random order.
std::vector<Review> reviews_to_explain(const ExplainOptions& o, const ModelFile& file) {
  std::vector<Review> reviews;
  for (std::size_t i = 0; i < o.texts.size(); ++i)
    reviews.push_back(checked_review(o.texts[i], fmt::format("text {}", i + 1)));
  if (!o.input.empty()) {
    LineReader lines(o.input);
    std::size_t number = 0;
    for (std::vector<std::string> texts = lines.next(kMostLines); !texts.empty(); texts = lines.next(kMostLines))
      for (const std::string& text : texts)
        if (++number, !is_blank(text))
          reviews.push_back(checked_review(text, fmt::format("{}:{}", lines.name(), number)));
    if (reviews.empty()) reject(lines.name(), "texts, one per line", "none");
  }
  if (!reviews.empty()) return reviews;

  reviews = load_test_reviews(file, o.data.path, o.data.reading);
  Random random(o.seed);
  random.shuffle(reviews);
  if (static_cast<std::int64_t>(reviews.size()) > o.over) reviews.resize(static_cast<std::size_t>(o.over));
  return reviews;
}

std::string in_folder_of(const std::string& model, const std::string& name) {
  return (std::filesystem::path(model).parent_path() / name).string();
}

// The most attended words are listed for test reviews only; over one or two given texts they would be noise.
ExplanationReport report_of(const ExplainOptions& o, const ModelFile& file, std::vector<Explanation> explanations) {
  ExplanationReport report;
  report.model = std::filesystem::path(o.model.file()).filename().string();
  report.label_names = file.label_names;
  report.reviews_counted = explanations.size();
  if (!given_texts(o)) {
    constexpr std::size_t kLeastCount = 5, kTopWords = 20;
    report.top_words = top_words(explanations, report.label_names[1], kLeastCount, kTopWords);
    const auto right = std::count_if(explanations.begin(), explanations.end(),
                                     [](const Explanation& e) { return e.label == e.prediction; });
    report.model += fmt::format(", right on {} of {} test reviews", right, explanations.size());
    explanations.resize(std::min(explanations.size(), static_cast<std::size_t>(o.count)));
  }
  report.reviews = std::move(explanations);
  return report;
}

// The file to write: the one that was asked for, which must be writable, otherwise one next to the model if there can be
// one. Empty: none.
std::string destination(const ExplainOptions& o, const std::string& asked_for, const std::string& usual) {
  const std::string path = asked_for.empty() ? in_folder_of(o.model.file(), usual) : asked_for;
  if (o.no_files) return "";
  try {
    require_writable(path, 1);
  } catch (const Failure& failure) {
    if (!asked_for.empty()) throw;
    print_note("note: {}\n", failure.what());
    return "";
  }
  return path;
}

int explain(const ExplainOptions& o) {
  require_valid(o.data.reading);
  const Handle handle = o.device.handle();
  LoadedModel loaded(handle, o.model.file(), 32);
  const std::string html = destination(o, o.html, "attention.html"), png = destination(o, o.png, "attention.png");
  const std::vector<Review> reviews = reviews_to_explain(o, loaded.file);
  const ExplanationReport report = report_of(o, loaded.file, attend(loaded, reviews, !given_texts(o)));

  for (const Explanation& review : report.reviews)
    print("{}\n", to_terminal(review, use_colour(o.colour), terminal_width()));
  if (!html.empty()) write_html(html, report);
  if (!png.empty()) write_png(png, report);
  for (const std::string& path : {html, png})
    if (!path.empty()) print("Written: {}\n", path);
  return 0;
}

}  // namespace

void add_explain_command(CLI::App& program, int& status) {
  CLI::App* app =
      program.add_subcommand("explain", "Shade the words of reviews by their attention: page, picture, terminal");
  const auto options = std::make_shared<ExplainOptions>();
  CLI::Option* texts = app->add_option("text", options->texts, "Texts to explain [default: test reviews]");
  app->add_option("--input", options->input, "File with one text per line to explain; - is standard input")
      ->excludes(texts);
  options->model.add_to(*app);
  options->data.add_to(
      *app, "Labelled reviews, as for train, of which the test part is used [default: those of the training]");
  app->add_option("--count", options->count, "Number of reviews to show")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--over", options->over, "Number of test reviews for the list of most attended words")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app->add_option("--seed", options->seed, "Other seeds show other reviews")->capture_default_str();
  app->add_option("--html", options->html, "Page to write [default: attention.html next to the model]");
  app->add_option("--png", options->png, "Picture to write [default: attention.png next to the model]");
  app->add_flag("--no-files", options->no_files, "Write neither page nor picture");
  add_colour_option(*app, options->colour);
  options->device.add_to(*app);
  app->callback([options, &status] { status = explain(*options); });
}

}  // namespace attn::classifier
