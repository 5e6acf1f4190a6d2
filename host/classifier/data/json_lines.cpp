// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>
#include <string_view>

#include "classifier/data/source.h"
#include "classifier/data/tokenizer.h"
#include "classifier/failure.h"

namespace attn::classifier {
namespace {

using nlohmann::json;

// The member with that name, or with one of the usual ones if it is empty.
const json& member(const json& object, const std::string& name, const std::vector<std::string>& usual,
                   const std::string& where, const char* what) {
  if (!name.empty() && object.contains(name)) return object.at(name);
  if (name.empty())
    for (const std::string& candidate : usual)
      if (object.contains(candidate)) return object.at(candidate);
  reject(where, std::string("a member for the ") + what + (name.empty() ? "" : " named \"" + name + "\""), "none");
}

std::string text_of(const json& value, const std::string& where, const char* what) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  reject(where, std::string("a ") + what, value.type_name());
}

json parsed(std::string_view line, const std::string& where) {
  // No text needs nested values, and the parser's memory grows with them.
  constexpr int kDeepest = 8;
  const auto bounded = [&](int depth, json::parse_event_t, json&) {
    if (depth > kDeepest) reject(where, "at most " + std::to_string(kDeepest) + " nested values", "more");
    return true;
  };
  try {
    return json::parse(line, bounded);
  } catch (const json::parse_error& error) {
    reject(where, "a JSON object", "an error at byte " + std::to_string(error.byte));
  }
}

}  // namespace

std::vector<Sample> read_json_lines(const Table& table, const ReadOptions& options) {
  const std::string content = decoded(table.content, options.encoding, table.where);
  std::vector<Sample> samples;
  std::string_view rest = content;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = without_mark(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (is_blank(line)) continue;
    const std::string where = table.where + ":" + std::to_string(number);
    const json object = parsed(line, where);
    if (!object.is_object()) reject(where, "a JSON object", object.type_name());
    Sample sample{table.part,
                  trimmed(text_of(member(object, options.label_column, kLabelColumns, where, "label"), where, "label")),
                  text_of(member(object, options.text_column, kTextColumns, where, "text"), where, "text"),
                  table.name + ":" + std::to_string(number)};
    require_label(sample.label, where);
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace attn::classifier
