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
constexpr auto inferred = Fidelity::inferred;

// Parameters: Khattak and Mikaitis, "Accurate Models of NVIDIA Tensor Cores"; Xie et al., "MMA-Sim". The E0
// of the f16 accumulator is one step uncertain (-20 or -21 on Ampere): it matters only to a subnormal
// accumulator among zeros.
constexpr std::string_view a100_words = "words of A100 and A2 (Khattak and Mikaitis), and directed vectors";
constexpr std::string_view ada_words = "words of an Ada GPU (Khattak and Mikaitis)";
constexpr std::string_view h100_words = "words of H100 and H200 (Khattak and Mikaitis)";
constexpr std::string_view b200_words = "words of a B200 (Khattak and Mikaitis)";
constexpr std::string_view v100_words = "words of a V100 (Khattak and Mikaitis), and directed vectors";
constexpr std::string_view turing_words = "directed vectors of Turing (after Xie et al.)";
constexpr std::string_view ada_fp8 = "published model of Ada's fp8 (Xie et al.); its words are not published";
constexpr BlockRule fp8_rule{16, 13, -132, rz, inferred, ada_fp8, 13};
constexpr BlockRule ampere_f32{8, 24, -132, rz, hardware, a100_words};
constexpr BlockRule ada_f32{8, 24, -132, rz, hardware, ada_words};
constexpr BlockRule hopper_f32{16, 25, -133, rz, hardware, h100_words};
constexpr BlockRule blackwell_f32{16, 25, -133, rz, hardware, b200_words};

constexpr std::array rows{
    Row{volta, f16, f32, {4, 23, -131, rz, hardware, v100_words}},
    Row{volta, f16, f16, {4, 23, -20, rne, hardware, v100_words}},
    Row{turing, f16, f32, {8, 24, -132, rz, hardware, turing_words}},
    Row{turing, f16, f16, {8, 24, -21, rne, hardware, turing_words}},
    Row{ampere, f16, f32, ampere_f32},
    Row{ampere, f16, f16, {8, 24, -21, rne, hardware, a100_words}},
    Row{ampere, bf16, f32, ampere_f32},
    Row{ampere, tf32, f32, {4, 24, -132, rz, hardware, a100_words}},
    Row{ada, f16, f32, ada_f32},
    Row{ada, f16, f16, {8, 24, -21, rne, hardware, ada_words}},
    Row{ada, bf16, f32, ada_f32},
    Row{ada, tf32, f32, {4, 24, -132, rz, hardware, ada_words}},
    Row{ada, e4m3, f32, fp8_rule},
    Row{ada, e5m2, f32, fp8_rule},
    Row{hopper, f16, f32, hopper_f32},
    Row{hopper, f16, f16, {16, 25, -22, rne, hardware, h100_words}},
    Row{hopper, bf16, f32, hopper_f32},
    Row{hopper, tf32, f32, {8, 25, -133, rz, hardware, h100_words}},
    Row{blackwell, f16, f32, blackwell_f32},
    Row{blackwell, f16, f16, {16, 25, -22, rne, hardware, b200_words}},
    Row{blackwell, bf16, f32, blackwell_f32},
    Row{blackwell, tf32, f32, {8, 25, -133, rz, hardware, b200_words}},
};

}  // namespace

std::string_view name(Fidelity f) {
  switch (f) {
    case Fidelity::hardware: return "hardware";
    case Fidelity::defined: return "defined";
    case Fidelity::inferred: return "inferred";
  }
  return "";
}

int compute_capability(Architecture a) {
  return std::array{70, 75, 80, 89, 90, 100}[static_cast<std::size_t>(a)];
}

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
