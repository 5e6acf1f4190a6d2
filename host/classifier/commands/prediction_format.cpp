// SPDX-License-Identifier: Apache-2.0
#include "classifier/commands/prediction_format.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "classifier/explain/letters.h"

namespace attn::classifier {
namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for_each_letter(text, [&](gunichar letter, std::string_view bytes) {
    if (letter == '\t')
      result += "\\t";
    else if (letter == '\r')
      result += "\\r";
    else if (letter == '\n')
      result += "\\n";
    else if (letter == '\\')
      result += "\\\\";
    else if (is_control(letter))
      result += letter < 0x100 ? fmt::format("\\x{:02x}", letter) : fmt::format("\\u{:04x}", letter);
    else
      result += bytes;
  });
  return result;
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + '"';
}

std::string tsv(const Prediction& p) {
  if (p.label.empty()) return fmt::format("\t\t{}\n", escaped(p.text));
  return fmt::format("{}\t{:.4f}\t{}\n", escaped(p.label), p.probability, escaped(p.text));
}

std::string csv(const Prediction& p) {
  if (p.label.empty()) return fmt::format("{},,,\n", quoted(p.text));
  return fmt::format("{},{},{:.4f},{:.4f}\n", quoted(p.text), quoted(p.label), 1 - p.positive, p.positive);
}

std::string json_line(const Prediction& p, const std::vector<std::string>& label_names) {
  nlohmann::ordered_json line;
  line["text"] = p.text;
  line["label"] = nullptr;
  if (!p.label.empty()) {
    line["label"] = p.label;
    line["probabilities"] = {{label_names[0], 1 - p.positive}, {label_names[1], p.positive}};
  }
  return line.dump() + "\n";
}

}  // namespace

const std::map<std::string, PredictionFormat>& prediction_formats() {
  static const std::map<std::string, PredictionFormat> formats = {
      {"tsv", PredictionFormat::kTsv}, {"csv", PredictionFormat::kCsv}, {"jsonl", PredictionFormat::kJsonLines}};
  return formats;
}

std::string header_of(PredictionFormat format, const std::vector<std::string>& label_names) {
  if (format != PredictionFormat::kCsv) return "";
  return fmt::format("text,label,{},{}\n", quoted(label_names[0]), quoted(label_names[1]));
}

std::string line_of(PredictionFormat format, const Prediction& prediction,
                    const std::vector<std::string>& label_names) {
  switch (format) {
    case PredictionFormat::kTsv:
      return tsv(prediction);
    case PredictionFormat::kCsv:
      return csv(prediction);
    default:
      return json_line(prediction, label_names);
  }
}

}  // namespace attn::classifier
