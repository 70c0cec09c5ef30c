#pragma once
#include <fstream>
#include <memory>
#include <string>

namespace twofour::cli {

/// A file to read from, or standard input for "-".
class Input {
 public:
  /// Throws Error that names the file and the reason.
  explicit Input(const std::string& path);
  const std::string& name() const { return name_; }
  std::istream& stream() const { return *in_; }

 private:
  std::string name_;  ///< for messages
  std::unique_ptr<std::ifstream> file_;
  std::istream* in_;
};

}  // namespace twofour::cli
