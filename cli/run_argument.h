#pragma once
// --arg NAME=VALUE of `twofour run KERNEL.ptx`, as text: nothing is read or allocated yet.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "twofour/isa/element.h"

namespace twofour::cli {

/// How elements of an array lie in memory and in a .npy file.
struct ArrayType {
  std::string_view name, dtype;  ///< "s32", "<i4"
  int bits;
  bool packed() const { return bits < 8; }  ///< a byte an element in the file
};
/// Throws Error that lists the known names.
const ArrayType& parse_array_type(std::string_view name);

struct RunArgument {
  enum class Kind : std::uint8_t { number, bytes, in, inout, out };
  std::string name;   ///< before the =
  std::string value;  ///< after it
  Kind kind = Kind::number;
  std::string bytes;   ///< bytes
  std::string input;   ///< in, inout: file to read
  std::string output;  ///< inout, out: file to write
  /// in, inout: the elements are converted to this type, as the other commands read them; none: the file's
  /// bytes.
  std::optional<isa::ElementType> element;
  const ArrayType* type = nullptr;  ///< out
  std::vector<std::int64_t> shape;  ///< out

  bool is_array() const { return kind == Kind::in || kind == Kind::inout || kind == Kind::out; }
  /// "--arg NAME=VALUE", for messages.
  std::string text() const { return "--arg " + name + "=" + value; }
};

/// Forms of VALUE: a number; hex:BYTES; FILE.npy[:TYPE]; inout:FILE.npy[:TYPE][:OUT.npy];
/// out:TYPE[SHAPE][:OUT.npy]. Without OUT.npy results go to NAME.npy. Throws Error.
RunArgument parse_run_argument(std::string_view text);

}  // namespace twofour::cli
