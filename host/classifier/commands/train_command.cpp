// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

#include "classifier/atomic_file.h"
#include "classifier/commands/attend.h"
#include "classifier/commands/commands.h"
#include "classifier/commands/options.h"
#include "classifier/commands/reviews.h"
#include "classifier/console.h"
#include "classifier/data/tokenizer.h"
#include "classifier/explain/wording.h"
#include "classifier/failure.h"
#include "classifier/train/initial_weights.h"
#include "classifier/train/interrupt.h"
#include "classifier/train/parameters.h"
#include "classifier/train/trainer.h"

namespace attn::classifier {
namespace {

namespace fs = std::filesystem;

struct TrainOptions {
  ModelConfig model;
  TrainConfig training;
  DataSource generated{"", 6000, 1000, 1, "", {}};
  DeviceOptions device;
  CacheOptions cache;
  DataOptions data;
  std::string init, resume, history, output = "attn_run";
  std::int64_t save_every = 200;
  bool overwrite = false;
  CLI::Option* epochs_given = nullptr;
  CLI::Option* output_given = nullptr;
};

void add_options(CLI::App& app, TrainOptions& o) {
  o.data.add_to(app,
                "Labelled reviews: an aclImdb folder; a folder LABEL/*.txt; a .csv, .tsv or .jsonl table, plain or "
                ".gz; a zip or tar "
                "archive of these [default: $ATTN_IMDB, then data/aclImdb*, else generated reviews]");
  app.add_option("--output", o.output, "Folder for model.safetensors, best.safetensors and history.csv")
      ->capture_default_str();
  o.output_given = app.get_option("--output");
  app.add_flag("--overwrite", o.overwrite, "Replace the run that --output holds");
  app.add_option("--history", o.history,
                 "File for losses and accuracies of each epoch, .csv or .json [default: history.csv in --output]");
  app.add_option("--save-every", o.save_every, "Steps between saves of the whole state")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI::Option* resume = app.add_option("--resume", o.resume, "Continue the run saved in this file, bit for bit");
  o.device.add_to(app);
  o.cache.add_to(app);
  o.epochs_given =
      app.add_option("--epochs", o.training.epochs, "Passes over the training reviews")->capture_default_str();

  // A resumed run takes these from its file.
  const auto fresh = [&](CLI::Option* option) { return option->excludes(resume)->capture_default_str(); };
  app.add_option("--init", o.init, "Start from the weights in this safetensors file")->excludes(resume);
  const std::string kTraining = "Training (defaults are the article's)";
  fresh(app.add_option("--batch", o.training.batch, "Reviews per step"))->group(kTraining);
  fresh(app.add_option("--learning-rate", o.training.rate, "Adam: step size"))->group(kTraining);
  fresh(app.add_option("--beta-1", o.training.beta_1, "Adam: decay of the mean gradient"))->group(kTraining);
  fresh(app.add_option("--beta-2", o.training.beta_2, "Adam: decay of the mean squared gradient"))->group(kTraining);
  fresh(app.add_option("--epsilon", o.training.epsilon, "Adam: added to the root"))->group(kTraining);
  fresh(app.add_option("--seed", o.training.seed, "Initial weights and order of the reviews"))
      ->check(CLI::NonNegativeNumber)
      ->group(kTraining);

  add_named_option(
      app, "--storage", o.training.storage, storage_names(),
      "Type of activations and their gradients: fp32, bf16, or fp16 with loss scaling; parameters are fp32")
      ->excludes(resume)
      ->group(kTraining);

  const std::string kModel = "Model (defaults are the article's)";
  add_named_option(app, "--attention", o.model.attention, attention_names(),
                   "pooling: tanh(x.w + b); additive: v.tanh(W_k x + W_q h), h learned")
      ->excludes(resume)
      ->group(kModel);
  app.add_flag("--mask", o.model.mask, "Pad at the end, and skip the padding in LSTM and attention")
      ->excludes(resume)
      ->group(kModel);
  fresh(app.add_option("--vocabulary", o.model.V, "Number of ids: the most frequent words and four reserved ids"))
      ->group(kModel);
  fresh(app.add_option("--length", o.model.T, "Words per review; longer reviews lose their beginning"))->group(kModel);
  fresh(app.add_option("--embedding", o.model.E, "Width of the word vectors"))->group(kModel);
  fresh(app.add_option("--hidden", o.model.H, "LSTM width, per direction"))->group(kModel);
  fresh(app.add_option("--attention-width", o.model.A, "additive: width of the tanh"))->group(kModel);
  fresh(app.add_option("--query-width", o.model.query, "additive: width of the learned query"))->group(kModel);

  const std::string kGenerated = "Generated reviews (where there is no data set)";
  fresh(app.add_option("--generated-train", o.generated.train, "Number of training reviews"))
      ->check(CLI::Range(std::int64_t{1}, kMostGenerated))
      ->group(kGenerated);
  fresh(app.add_option("--generated-test", o.generated.test, "Number of test reviews"))
      ->check(CLI::Range(std::int64_t{1}, kMostGenerated))
      ->group(kGenerated);
  fresh(app.add_option("--generated-seed", o.generated.seed, "Seed of the generator"))
      ->check(CLI::NonNegativeNumber)
      ->group(kGenerated);
}

ModelFile fresh_start(const TrainOptions& o) {
  ModelFile start;
  start.model = o.model;
  start.training = o.training;
  start.data = o.generated;
  const std::string path = find_data(o.data.path);
  if (!path.empty()) start.data = {fs::absolute(path).string(), 0, 0, 0, "", o.data.reading};
  return start;
}

ModelFile resumed_start(const TrainOptions& o, const Handle& handle) {
  ModelFile start = load_model(o.resume);
  if (!start.state)
    throw Failure(ATTN_INVALID_ARGUMENT,
                  o.resume + ": expected a file with the state of a run, got weights only; --init starts from weights");
  if (o.epochs_given->count() > 0) start.training.epochs = o.training.epochs;
  if (!o.data.path.empty()) start.data.path = fs::absolute(o.data.path).string();
  if (!(o.data.reading == ReadOptions())) start.data.options = o.data.reading;
  const std::vector<std::string> differences = start.environment.differences(Environment::of(handle));
  for (const std::string& line : differences) print_note("warning: {}\n", line);
  if (!differences.empty()) print_note("warning: the run continues, but not bit for bit as it would have been\n");
  return start;
}

// Whether the run writes to another folder than that of the run it resumes, or resumes none.
bool is_elsewhere(const TrainOptions& o) {
  if (o.resume.empty()) return true;
  std::error_code missing;
  const fs::path folder = fs::path(o.resume).parent_path();
  return o.output_given->count() > 0 && !fs::equivalent(o.output, folder.empty() ? "." : folder, missing);
}

TrainerFiles files_of(const TrainOptions& o) {
  const fs::path folder = is_elsewhere(o) ? fs::path(o.output) : fs::path(o.resume).parent_path();
  return {(folder / "model.safetensors").string(), (folder / "best.safetensors").string(),
          o.history.empty() ? (folder / "history.csv").string() : o.history, o.save_every};
}

std::vector<std::string> existing(const TrainerFiles& files) {
  std::vector<std::string> paths = {files.model, files.best, files.history};
  paths.erase(std::remove_if(paths.begin(), paths.end(), [](const auto& path) { return !fs::exists(path); }),
              paths.end());
  return paths;
}

// Finds out before the work whether its results can be written, and whose place they would take.
void require_output(const TrainOptions& o, const TrainerFiles& files, const ModelConfig& model) {
  const std::string folder = fs::path(files.model).parent_path().string();
  std::error_code error;
  if (!folder.empty() && !fs::is_directory(folder)) fs::create_directories(folder, error);
  if (error) reject("--output", "a folder or a new name", folder + ": " + error.message());
  const std::size_t bytes = ParameterLayout(model).block_size * sizeof(float);
  require_writable(files.model, 3 * bytes);  // weights and both moments of Adam
  require_writable(files.best, bytes);
  require_writable(files.history, 1);
  if (const std::vector<std::string> old = existing(files); is_elsewhere(o) && !o.overwrite && !old.empty())
    reject("--output", "a folder without a run, or --overwrite to replace it, or --resume to continue it", old.front());
}

void describe(const ModelFile& start, const EncodedCorpus& corpus, double seconds) {
  if (start.data.path.empty())
    print(
        "No data set was given or found, so these reviews are generated; they are good for a first look only.\n"
        "To train on real reviews, fetch IMDB (84 MB) with ./bootstrap.sh data, or name your own texts with --data.\n");
  print("{} training and {} test reviews ({}, {}), {} words in the vocabulary, ready in {:.1f} s\n",
        corpus.train.size(), corpus.test.size(), printable(corpus.label_names[0]), printable(corpus.label_names[1]),
        corpus.words.size(), seconds);
}

void describe(const TransferReport& transfer, const std::string& path, const EncodedCorpus& corpus) {
  const char* output = transfer.output == TransferReport::kKept      ? "its output"
                       : transfer.output == TransferReport::kSwapped ? "its output with the labels swapped"
                                                                     : "a new output for other labels";
  print("Starting from {}: {} of {} words, {}\n", path, transfer.words, corpus.words.size(), output);
}

void report(Trainer& trainer, const TrainerFiles& files) {
  const std::vector<EpochRecord>& history = trainer.state().history;
  const EpochRecord* best = &history.front();
  for (const EpochRecord& row : history)
    if (row.test_accuracy > best->test_accuracy) best = &row;
  print("Test loss: {:.4f}\nTest accuracy: {:.4f}\n", history.back().test_loss, history.back().test_accuracy);
  // The best epoch of a run that was resumed elsewhere may be in the folder of its first part.
  print("Best test accuracy: {:.4f} after epoch {}{}\n", best->test_accuracy, best->epoch,
        fs::exists(files.best) ? ", kept in " + files.best : "");
}

// The generator knows which tokens decide the label, so the attention on them can be measured.
void report_attention(const Handle& handle, const DataSource& source, const std::string& path) {
  const GeneratedCorpus made = generated(source);
  LoadedModel loaded(handle, path, 32);
  const MarkedShare share = marked_share(attend(loaded, made.corpus.test, true), made.test_decisive);
  print("Attention on the words that decide: {:.1f} % (they are {:.1f} % of the words)\n", 100 * share.attention,
        100 * share.tokens);
}

int train(const TrainOptions& o) {
  const Handle handle = o.device.handle();
  const bool resuming = !o.resume.empty();
  ModelFile start = resuming ? resumed_start(o, handle) : fresh_start(o);
  require_valid(start.model);
  require_valid(start.training);
  require_valid(start.data.options);
  require_utf8(start.data.path, "--data");  // which the model file names
  const TrainerFiles files = files_of(o);
  require_output(o, files, start.model);

  const auto before = std::chrono::steady_clock::now();
  CacheReport cache;
  const EncodedCorpus corpus = load_for_training(start.data, start.model.V, o.cache.resolved(), cache);
  if (!cache.problem.empty()) print_note("warning: the tokenised reviews could not be cached: {}\n", cache.problem);
  note_skipped(corpus.skipped);
  describe(start, corpus, std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count());
  const std::string found = fingerprint(corpus);
  if (resuming &&
      (found != start.data.fingerprint || corpus.words != start.words || corpus.label_names != start.label_names))
    throw Failure(ATTN_INVALID_ARGUMENT,
                  start.data.path + ": expected the reviews that the run started with, got others");
  start.data.fingerprint = found;
  start.words = corpus.words;
  start.label_names = corpus.label_names;

  const DataSource source = start.data;
  Trainer trainer(handle, corpus, std::move(start), files, o.resume);
  if (!o.init.empty()) describe(trainer.start_from(load_initial_weights(o.init)), o.init, corpus);
  print("{} parameters\n", trainer.model().parameters().trainable());

  if (is_elsewhere(o))
    for (const std::string& path : existing(files)) fs::remove(fs::canonical(path));
  const auto how_to_continue = [&] {
    return fmt::format("Interrupted after {} steps. Continue with: attn_train train --resume {}\n",
                       trainer.state().updates, files.model);
  };
  try {
    if (!trainer.run()) {
      const int status = InterruptGuard::exit_status();
      write_output(how_to_continue());
      return status;
    }
  } catch (const OutputError&) {
    write_note(how_to_continue());
    throw;
  }
  report(trainer, files);
  if (source.path.empty()) report_attention(handle, source, files.model);
  print("See what it attends to: attn_train explain --model {}\n", fs::exists(files.best) ? files.best : files.model);
  return 0;
}

}  // namespace

void add_train_command(CLI::App& program, int& status) {
  CLI::App* app = program.add_subcommand("train", "Train a classifier, on IMDB reviews or any labelled texts");
  app->option_defaults()->take_last();  // a script's options can be followed by the user's own
  const auto options = std::make_shared<TrainOptions>();
  add_options(*app, *options);
  app->callback([options, &status] { status = train(*options); });
}

}  // namespace attn::classifier
