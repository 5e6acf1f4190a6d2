// SPDX-License-Identifier: Apache-2.0

#include <memory>

#include "classifier/commands/attend.h"
#include "classifier/commands/commands.h"
#include "classifier/commands/options.h"
#include "classifier/commands/reviews.h"
#include "classifier/console.h"
#include "classifier/train/evaluate.h"
#include "classifier/train/interrupt.h"

namespace attn::classifier {
namespace {

struct EvalOptions {
  ModelOptions model;
  DeviceOptions device;
  DataOptions data;
  std::int64_t batch = 32;
};

int evaluate_model(const EvalOptions& o) {
  require_valid(o.data.reading);
  const Handle handle = o.device.handle();
  LoadedModel loaded(handle, o.model.file(), o.batch);
  const EncodedReviews test = encode(load_test_reviews(loaded.file, o.data.path, o.data.reading), loaded.vocabulary);

  const InterruptGuard guard;
  const std::optional<Score> score = evaluate(loaded.model, test, o.batch, "Test");
  if (!score) {
    print("Interrupted\n");
    return InterruptGuard::exit_status();
  }
  print("Test loss: {:.4f}\nTest accuracy: {:.4f}\n", score->loss(), score->accuracy());
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& program, int& status) {
  CLI::App* app = program.add_subcommand("eval", "Loss and accuracy of a saved model on test reviews");
  const auto options = std::make_shared<EvalOptions>();
  options->model.add_to(*app);
  options->data.add_to(
      *app, "Labelled reviews, as for train, of which the test part is used [default: those of the training]");
  app->add_option("--batch", options->batch, "Reviews per step")->check(CLI::Range(1, 65536))->capture_default_str();
  options->device.add_to(*app);
  app->callback([options, &status] { status = evaluate_model(*options); });
}

}  // namespace attn::classifier
