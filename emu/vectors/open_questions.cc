#include "twofour/emu/vectors/open_questions.h"

#include "twofour/emu/vectors/directed.h"
#include "twofour/emu/vectors/random_words.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

using enum isa::ElementType;
using isa::Architecture;

const FloatWords half(f16), single(f32), brain(bf16), tensor(tf32), dbl(f64);

/// Adds the cases of a question, if the architecture has the instruction.
class Questions {
 public:
  explicit Questions(Architecture architecture) : architecture_(architecture) {}

  template <class Ask>
  void ask(std::string_view instruction, const Ask& question) {
    if (!has_cases(isa::find_instruction(instruction), architecture_)) return;
    Directed d(instruction, architecture_);
    question(d, architecture_);
    cases_.push_back(d.finish());
  }
  std::vector<Case> take() { return std::move(cases_); }

 private:
  Architecture architecture_;
  std::vector<Case> cases_;
};

std::string model(std::string_view outcome) {
  return fmt::format("{}  (this model)", outcome);
}

/// Outcomes of a question about a parameter of the block rule, one line a value.
template <class Change>
void say_rules(Directed& d, Architecture architecture, int rows, std::string_view parameter,
               std::initializer_list<int> values, const Change& change) {
  const isa::BlockRule& ours = isa::block_rule(architecture, d.instruction().a, d.instruction().d);
  const std::string expected = d.outcome(rows);
  for (const int value : values) {
    isa::BlockRule rule = ours;
    change(rule, value);
    const std::string outcome = d.outcome(rows, rule);
    d.say(fmt::format("  {} {:>3}: {}", parameter, value, outcome == expected ? model(outcome) : outcome));
  }
}

// 2^-25 is half of the least f16; a little more gives 0001. Its factors are chosen so that its raw exponent
// is -22, at or below every candidate for E0, so that the zeros decide the window.
void half_and_more(Directed& d, int rows, int first) {
  for (int row = 0; row < rows; ++row) {
    d.product(row, 0, half.number(false, -17), half.number(false, -8));
    d.product(row, 1, half.number(false, 24 - first - row), half.number(false, -24));
  }
}

void half_zero_exponent(Directed& d, Architecture architecture) {
  constexpr int rows = 6, first = 43;
  d.say("question: E0, the exponent of zero terms in the window of the f16 accumulator");
  d.say(fmt::format("row r of column 0: 2^-25 + 2^-({} + r) + zeros, 0001 while the second is seen", first));
  half_and_more(d, rows, first);
  say_rules(d, architecture, rows, "E0 =", {-19, -20, -21, -22},
            [](isa::BlockRule& rule, int value) { rule.zero_exponent = value; });
}

void half_subnormal_accumulator(Directed& d, Architecture) {
  constexpr int rows = 12, first = 36;
  d.say("question: the raw exponent of a subnormal f16 accumulator");
  d.say(
      fmt::format("row r of column 0: c = 2^-23, + 2^-25 + 2^-({} + r): 0003 while the last is seen", first));
  half_and_more(d, rows, first);
  for (int row = 0; row < rows; ++row) {
    d.product(row, 0, half.number(false, -17), half.number(false, -8));
    d.accumulator(row, half.subnormal(false, 2));
  }
  d.say("  raw exponent -14: " + model(d.outcome(rows)));
  d.say("  more of 0003: a lower exponent, such as c's own or E0");
}

void single_zero_exponent(Directed& d, Architecture architecture) {
  constexpr int rows = 8, first = 3;
  d.say("question: E0, the exponent of zero terms in the window of the f32 accumulator");
  d.say(fmt::format("row r of column 0: 2^-150 (1 + 2^-k) + 2^-150 (1 - 2^-k), k = {} + r: 1 while exact",
                    first));
  for (int row = 0; row < rows; ++row) {
    const int k = first + row;
    const std::uint64_t all = ~std::uint64_t(0) << (11 - k);  // 1 - 2^-k is 2^-1 times 1.11..1
    d.product(row, 0, tensor.number(false, -75, std::uint64_t(1) << (10 - k)), tensor.number(false, -75));
    d.product(row, 1, tensor.number(false, -76, all), tensor.number(false, -75));
  }
  say_rules(d, architecture, rows, "E0 =", {-131, -132, -133, -134},
            [](isa::BlockRule& rule, int value) { rule.zero_exponent = value; });
}

void satfinite(Directed& d, Architecture) {
  const auto& i = d.instruction();
  const int k = i.stored_k(), rows = i.shape.m, high = (1 << (isa::bits(i.a) - 1)) - 1;
  constexpr std::uint32_t limit = 0x7fffffff;
  d.say("question: does .satfinite clamp once, after the exact sum, or after every step of the hardware?");
  d.say(
      fmt::format("row r of column 0: c = 2^31 - 11, {0} * {0} at product r K/16, -{1} * {0} half of K away",
                  high, high + 1));
  d.satfinite();
  for (int row = 0; row < rows; ++row) {
    const int up = row * k / rows, down = (up + k / 2) % k;
    d.product(row, up, std::uint64_t(high), std::uint64_t(high));
    d.product(row, down, std::uint64_t(high) + 1, std::uint64_t(high));
    d.accumulator(row, limit - 10);
  }
  d.say(fmt::format("  once: {:08x} in every row  (this model)", limit - 10 - std::uint32_t(high)));
  d.say(fmt::format("  {:08x}: clamped between the two products", limit - std::uint32_t(high * (high + 1))));
}

/// in: words of A and B; least: 2 to it times 2 to it underflows to zero.
void sign_of_underflow(Directed& d, const FloatWords& in, int least) {
  const int k = d.instruction().stored_k();
  const std::uint64_t negative_zero = std::uint64_t(1) << (isa::bits(d.instruction().d) - 1);
  d.say("question: the sign of a negative sum that underflows, and of zeros");
  d.say(fmt::format(
      "rows 0 to 4 of column 0: -2^{0}, -2^{1}, 2^{0}, 2^{1} - 2^{1}, all products -0 with c = -0", 2 * least,
      2 * least + 1));
  for (int row = 0; row < 4; ++row)
    d.product(row, 0, in.number(row != 2 && row != 3, row % 2 == 0 ? least : least + 1),
              in.number(false, least));
  d.product(3, 1, in.number(true, least + 1), in.number(false, least));
  for (int kept = 0; kept < k; ++kept) d.tiles().a.set_bits(4, kept, in.zero(true));
  d.accumulator(4, negative_zero);
  d.say("  " + model(d.outcome(5)));
  d.say("  rows 0, 1 all zeros: an underflow loses its sign; row 4 with the sign: -0 survives");
}

void grouping(Directed& d, const FloatWords& in, Architecture architecture) {
  const auto& i = d.instruction();
  const int k = i.stored_k(), rows = std::min(k, i.shape.m);
  d.say("question: which kept products share a block of mma.sp?");
  d.say("row r of column 0: c = -2^14, 2^14 at kept product r, 2^-12 at all others; D counts in 2^-12 the");
  d.say("  products of later blocks than the one that holds 2^14");
  for (int row = 0; row < rows; ++row) {
    for (int kept = 0; kept < k; ++kept)
      d.product(row, kept, in.number(false, kept == row ? 14 : -12), in.number(false, 0));
    d.accumulator(row, single.number(true, 14));
  }
  say_rules(d, architecture, rows, "products a block, in order:", {2, 4, 8, 16},
            [](isa::BlockRule& rule, int value) { rule.products = value; });
  d.say("  none of these: the blocks are not of consecutive kept products; equal words are one block");
}

/// one, two, ..: words of 1, 2, 3, 4 and 5.
template <class Number>
void undefined_codes(Directed& d, const Number& number) {
  Tiles& t = d.tiles();
  const auto sparsity = t.instruction.sparsity;
  const int units = isa::group_columns(sparsity) == 2 ? 2 : 4, width = isa::group_columns(sparsity) / units;
  for (int row = 0; row < 16; ++row) {
    for (int group = 0; group < t.instruction.groups(); ++group) t.code(row, group) = std::uint8_t(row);
    t.a.set_bits(row, 0, number(1));
    if (units == 4) t.a.set_bits(row, width, number(5));
  }
  for (int unit = 0; unit < units; ++unit) t.b.set_bits(0, unit * width, number(unit + 1));
  d.say(
      "question: what do metadata codes select that PTX leaves undefined? (defined: ordered and, but for "
      "tf32, descending)");
  d.say(units == 4 ? "row r of column 0 has code r; D = x + 5 y: the first kept element met row x - 1 of B's "
                     "group, the"
                   : "row r of column 0 has code r; D = x: the kept element met row x - 1 of B's group");
  if (units == 4) d.say("  second row y - 1 (in units of two rows for 4-bit types); 0: none");
  d.say("  each index selects on its own: " + model(d.outcome(16)));
}

void deselected(Directed& d, Architecture) {
  d.say("question: do NaN and infinity in rows of B that the metadata deselects matter?");
  SplitMix64 random(0);
  d.product(0, 0, half.number(false, 0), half.number(false, 0));
  for (int k = 2; k < d.instruction().shape.k; k += 4) {
    d.tiles().b.set_bits(0, k, half.nan(random));
    d.tiles().b.set_bits(0, k + 1, half.infinity(false));
  }
  d.say("row 0 of column 0: no: " + model(d.outcome(1)) + ", yes: 7fffffff");
}

void tf32_low_bits(Directed& d, Architecture) {
  d.say("question: what are the low 13 bits of a tf32 operand?");
  const std::uint64_t words[] = {0x7f800001, 0x3f800001, 0x3f801fff, 0x00001fff};
  for (int row = 0; row < 4; ++row) d.product(row, 0, words[row], tensor.number(false, 0));
  d.say("rows 0 to 3 of column 0: a = 7f800001, 3f800001, 3f801fff, 00001fff, times 1");
  d.say("  dropped first: " + model(d.outcome(4)));
  d.say("  NaN in row 0: a NaN is recognised before; bits in the others: they are not dropped, or rounded");
}

void double_nan(Directed& d, Architecture) {
  d.say("question: which NaN does the f64 instruction return?");
  d.say("rows 0 to 3 of column 0: a = 7ff8000000000001, c = fff8000000000005, c = 7ff0000000000001, Inf * 0");
  d.product(0, 0, 0x7ff8000000000001, dbl.number(false, 0));
  d.accumulator(1, 0xfff8000000000005);
  d.accumulator(2, 0x7ff0000000000001);
  d.product(3, 1, dbl.infinity(false), 0);
  d.say("  one canonical word: " + model(d.outcome(4)));
  d.say("  the operands' payloads, quieted: a NaN is handed on");
}

void double_order(Directed& d, Architecture) {
  d.say("question: in which order does the f64 instruction add?");
  d.say("rows 0 to 4 of column 0, of X = 2^53: X 1 1 -X, 1 1 X -X, 1 X 1 -X, X -X 1 1, -X 1 1 X");
  constexpr int x = 53;
  const int terms[5][4] = {{x, 0, 0, -x}, {0, 0, x, -x}, {0, x, 0, -x}, {x, -x, 0, 0}, {-x, 0, 0, x}};
  for (int row = 0; row < 5; ++row)
    for (int k = 0; k < 4; ++k)
      d.product(row, k, dbl.number(terms[row][k] < 0, std::abs(terms[row][k])), dbl.number(false, 0));
  d.say("  one fused multiply-add after the other, k ascending: " + model(d.outcome(5)));
  d.say("  4000000000000000 (2) everywhere: one rounding of the exact sum; else another order");
}

void fp8_precision(Directed& d, Architecture architecture) {
  constexpr int rows = 7, first = 9;
  const FloatWords in(e4m3);
  d.say("question: how many bits does a sum of fp8 products keep?");
  d.say(fmt::format("row r of column 0: 1 + 2^-({} + r)", first));
  for (int row = 0; row < rows; ++row) {
    d.product(row, 0, in.number(false, 0), in.number(false, 0));
    d.product(row, 1, in.number(false, 6 - first - row), in.number(false, -6));
  }
  say_rules(d, architecture, rows, "fraction bits:", {10, 12, 13, 14, 23},
            [](isa::BlockRule& rule, int value) {
              rule.fraction_bits = value + 1;
              rule.result_fraction_bits = value;
            });
}

}  // namespace

std::vector<Case> open_questions(Architecture architecture) {
  Questions q(architecture);
  q.ask("m16n8k8.f16.f16.f16.f16", half_zero_exponent);
  q.ask("m16n8k8.f16.f16.f16.f16", half_subnormal_accumulator);
  q.ask("m16n8k4.f32.tf32.tf32.f32", single_zero_exponent);
  for (const auto name : {"m16n8k16.s32.s8.s8.s32", "m16n8k32.s32.s8.s8.s32", "m16n8k64.s32.s4.s4.s32",
                          "sp.m16n8k64.s32.s8.s8.s32", "sp.m16n8k128.s32.s4.s4.s32"})
    q.ask(name, satfinite);
  q.ask("m16n8k8.f16.f16.f16.f16", [](Directed& d, Architecture) { sign_of_underflow(d, half, -14); });
  q.ask("m16n8k8.f32.bf16.bf16.f32", [](Directed& d, Architecture) { sign_of_underflow(d, brain, -76); });
  q.ask("m16n8k4.f32.tf32.tf32.f32", [](Directed& d, Architecture) { sign_of_underflow(d, tensor, -76); });
  for (const auto name : {"sp.m16n8k16.f32.f16.f16.f32", "sp.m16n8k32.f32.f16.f16.f32"})
    q.ask(name, [](Directed& d, Architecture a) { grouping(d, half, a); });
  q.ask("sp.m16n8k32.f32.bf16.bf16.f32", [](Directed& d, Architecture a) { grouping(d, brain, a); });
  q.ask("sp.m16n8k16.f32.tf32.tf32.f32", [](Directed& d, Architecture a) { grouping(d, tensor, a); });
  const auto float_code = [](const FloatWords& f) {
    return [&f](Directed& d, Architecture) {
      constexpr std::uint64_t quarter[] = {0, 0, 0, 2, 0, 1};  // 3 = 2 (1 + 2/4), 5 = 4 (1 + 1/4)
      undefined_codes(d, [&](int n) {
        return f.number(false, n == 1 ? 0 : n < 4 ? 1 : 2, quarter[n] << (f.fraction_bits() - 2));
      });
    };
  };
  const auto integer_code = [](Directed& d, Architecture) {
    undefined_codes(d, [](int n) { return std::uint64_t(n); });
  };
  q.ask("sp.m16n8k16.f32.f16.f16.f32", float_code(half));
  q.ask("sp.m16n8k8.f32.tf32.tf32.f32", float_code(tensor));
  q.ask("sp.m16n8k32.s32.s8.s8.s32", integer_code);
  q.ask("sp.m16n8k64.s32.s4.s4.s32", integer_code);
  q.ask("sp.m16n8k32.f32.f16.f16.f32", deselected);
  q.ask("m16n8k4.f32.tf32.tf32.f32", tf32_low_bits);
  q.ask("m8n8k4.f64.f64.f64.f64", double_nan);
  q.ask("m8n8k4.f64.f64.f64.f64", double_order);
  q.ask("m16n8k32.f32.e4m3.e4m3.f32", fp8_precision);
  return q.take();
}

}  // namespace twofour::emu
