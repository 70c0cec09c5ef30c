#include "twofour/nas/deploy/json_field.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace twofour::nas {

JsonField JsonField::at(const std::string& name) const {
  if (!json_.is_object()) refuse("must be an object");
  const auto member = json_.find(name);
  if (member == json_.end()) refuse("has no '{}'", name);
  return {*member, file_, path_.empty() ? name : path_ + "." + name};
}

void JsonField::only(std::initializer_list<std::string_view> names) const {
  if (!json_.is_object()) refuse("must be an object");
  for (const auto& [name, value] : json_.items())
    if (std::find(names.begin(), names.end(), name) == names.end())
      refuse("unknown '{}'; it may have: {}", name, fmt::join(names, ", "));
}

std::vector<JsonField> JsonField::elements() const {
  if (!json_.is_array()) refuse("must be an array");
  std::vector<JsonField> out;
  for (std::size_t i = 0; i < json_.size(); ++i)
    out.emplace_back(json_[i], file_, fmt::format("{}[{}]", path_, i));
  return out;
}

std::string JsonField::text() const {
  if (!json_.is_string()) refuse("must be a string");
  return json_.get<std::string>();
}

std::int64_t JsonField::integer(std::int64_t least, std::int64_t most) const {
  const bool fits = json_.is_number_integer() &&
                    !(json_.is_number_unsigned() && json_.get<std::uint64_t>() > std::uint64_t(INT64_MAX));
  if (!fits || json_.get<std::int64_t>() < least || json_.get<std::int64_t>() > most)
    refuse("must be an integer from {} to {}", least, most);
  return json_.get<std::int64_t>();
}

double JsonField::number() const {
  if (!json_.is_number()) refuse("must be a number");
  return json_.get<double>();
}

std::vector<std::int32_t> JsonField::integers(std::int64_t least, std::int64_t most) const {
  std::vector<std::int32_t> out;
  for (const JsonField& e : elements()) out.push_back(std::int32_t(e.integer(least, most)));
  return out;
}

std::vector<double> JsonField::numbers() const {
  std::vector<double> out;
  for (const JsonField& e : elements()) out.push_back(e.number());
  return out;
}

}  // namespace twofour::nas
