#include "twofour/isa/architecture.h"

#include <array>

#include "twofour/isa/error.h"

namespace twofour::isa {
namespace {

using enum ElementType;
using enum Architecture;

constexpr std::array<std::string_view, 6> architecture_names{"volta", "turing", "ampere",
                                                             "ada",   "hopper", "blackwell"};

struct Row {
  Architecture architecture;
  ElementType input, accumulator;
  BlockRule rule;
};

constexpr auto rz = Rounding::toward_zero;
constexpr auto rne = Rounding::nearest_even;
constexpr auto hardware = Fidelity::hardware;

// Source: Khattak and Mikaitis, "Accurate Models of NVIDIA Tensor Cores", whose published words every row
// below is replayed against, except Turing's, which rest on the directed vectors derived from MMA-Sim's tests
// (Xie et al.). The E0 of the f16 accumulator is one step uncertain (-20 or -21 on Ampere): it matters only
// to a subnormal accumulator among zeros.
constexpr std::array rows{
    Row{volta, f16, f32, {4, 23, -131, rz, hardware}},
    Row{volta, f16, f16, {4, 23, -20, rne, hardware}},
    Row{turing, f16, f32, {8, 24, -132, rz, hardware}},
    Row{turing, f16, f16, {8, 24, -21, rne, hardware}},
    Row{ampere, f16, f32, {8, 24, -132, rz, hardware}},
    Row{ampere, f16, f16, {8, 24, -21, rne, hardware}},
    Row{ampere, bf16, f32, {8, 24, -132, rz, hardware}},
    Row{ampere, tf32, f32, {4, 24, -132, rz, hardware}},
    Row{ada, f16, f32, {8, 24, -132, rz, hardware}},
    Row{ada, f16, f16, {8, 24, -21, rne, hardware}},
    Row{ada, bf16, f32, {8, 24, -132, rz, hardware}},
    Row{ada, tf32, f32, {4, 24, -132, rz, hardware}},
    Row{hopper, f16, f32, {16, 25, -133, rz, hardware}},
    Row{hopper, f16, f16, {16, 25, -22, rne, hardware}},
    Row{hopper, bf16, f32, {16, 25, -133, rz, hardware}},
    Row{hopper, tf32, f32, {8, 25, -133, rz, hardware}},
    Row{blackwell, f16, f32, {16, 25, -133, rz, hardware}},
    Row{blackwell, f16, f16, {16, 25, -22, rne, hardware}},
    Row{blackwell, bf16, f32, {16, 25, -133, rz, hardware}},
    Row{blackwell, tf32, f32, {8, 25, -133, rz, hardware}},
};

}  // namespace

std::string_view name(Architecture a) {
  return architecture_names[static_cast<std::size_t>(a)];
}

Architecture parse_architecture(std::string_view wanted) {
  for (std::size_t i = 0; i < architecture_names.size(); ++i)
    if (architecture_names[i] == wanted) return static_cast<Architecture>(i);
  fail("unknown architecture '{}'; known: {}", wanted, fmt::join(architecture_names, ", "));
}

const BlockRule& block_rule(Architecture architecture, ElementType input, ElementType accumulator) {
  for (const Row& row : rows)
    if (row.architecture == architecture && row.input == input && row.accumulator == accumulator)
      return row.rule;
  fail("{} has no tensor-core rule for {} inputs with a {} accumulator", name(architecture), name(input),
       name(accumulator));
}

}  // namespace twofour::isa
