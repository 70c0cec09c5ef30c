#pragma once
// Forms and operands for the tests of w_p a_q products; values are made and read here, element by element.
#include <fmt/format.h>

#include <random>
#include <vector>

#include "twofour/emu/arbitrary/bit_form.h"
#include "twofour/emu/matrix/packed_matrix.h"

namespace twofour::emu {

/// Every legal form: 64 of unsigned and of signed weights, 8 of bipolar weights, one bipolar.
inline std::vector<BitForm> all_forms() {
  std::vector<BitForm> forms;
  for (int p = 1; p <= 8; ++p)
    for (int q = 1; q <= 8; ++q) {
      forms.push_back({p, q, BitEncoding::unsigned_weights});
      forms.push_back({p, q, BitEncoding::signed_weights});
      if (p == 1) forms.push_back({p, q, BitEncoding::bipolar_weights});
    }
  forms.push_back({1, 1, BitEncoding::bipolar});
  return forms;
}

inline std::string describe(const BitForm& f) {
  return fmt::format("w{}a{} {}", f.weight_bits, f.activation_bits, name(f.encoding));
}

/// All values of an operand, stated again.
inline std::vector<int> weight_values(const BitForm& f) {
  std::vector<int> v;
  const int count = 1 << f.weight_bits;
  if (f.encoding == BitEncoding::unsigned_weights)
    for (int i = 0; i < count; ++i) v.push_back(i);
  else if (f.encoding == BitEncoding::signed_weights)
    for (int i = 0; i < count; ++i) v.push_back(i - count / 2);
  else
    v = {-1, 1};
  return v;
}
inline std::vector<int> activation_values(const BitForm& f) {
  if (f.encoding == BitEncoding::bipolar) return {-1, 1};
  std::vector<int> v;
  for (int i = 0; i < 1 << f.activation_bits; ++i) v.push_back(i);
  return v;
}

/// Rows x cols integers and the same packed: u8 where a value is above 127, else s8.
struct Values {
  std::int64_t rows, cols;
  std::vector<int> at;

  std::span<const int> row(std::int64_t r) const {
    return std::span(at).subspan(std::size_t(r * cols), std::size_t(cols));
  }
  PackedMatrix packed() const {
    bool wide = false;
    for (const int v : at) wide = wide || v > 127;
    PackedMatrix m(wide ? isa::ElementType::u8 : isa::ElementType::s8, rows, cols);
    for (std::size_t i = 0; i < at.size(); ++i)
      m.set_integer(std::int64_t(i) / cols, std::int64_t(i) % cols, at[i]);
    return m;
  }
};

inline Values random_values(const std::vector<int>& from, std::int64_t rows, std::int64_t cols,
                            std::mt19937& random) {
  Values v{rows, cols, {}};
  for (std::int64_t i = 0; i < rows * cols; ++i) v.at.push_back(from[random() % from.size()]);
  return v;
}

}  // namespace twofour::emu
