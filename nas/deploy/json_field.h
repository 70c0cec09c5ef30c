#pragma once
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "twofour/isa/error.h"

namespace twofour::nas {

/// A place in a JSON file while it is read. Every accessor throws Error that begins "FILE: layers[3].shape:
/// ".
class JsonField {
 public:
  JsonField(const nlohmann::json& json, std::string file, std::string path)
      : json_(json), file_(std::move(file)), path_(std::move(path)) {}

  /// A member of this object; refuses where there is none.
  JsonField at(const std::string& name) const;
  /// Refuses members of this object that are not in the list.
  void only(std::initializer_list<std::string_view> names) const;
  /// The elements of this array.
  std::vector<JsonField> elements() const;

  std::string text() const;
  std::int64_t integer(std::int64_t least, std::int64_t most) const;
  double number() const;
  std::vector<std::int32_t> integers(std::int64_t least, std::int64_t most) const;
  std::vector<double> numbers() const;

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) const {
    fail("{}: {}: {}", file_, path_.empty() ? "the document" : path_,
         fmt::format(text, std::forward<Args>(args)...));
  }

 private:
  const nlohmann::json& json_;
  std::string file_, path_;
};

}  // namespace twofour::nas
