#include "twofour/emu/replay/dot_line.h"

#include <algorithm>
#include <charconv>

#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/evidence.h"

namespace twofour::emu {
namespace {

/// "; K = 8 is that of m16n8k8.f32.f16.f16.f32" if a dense instruction of the same types takes k products.
std::string taken_by(const isa::Instruction& i, std::size_t k) {
  for (const auto& row : isa::instructions())
    if (row.family == isa::Family::mma && std::size_t(row.shape.k) == k && row.a == i.a && row.b == i.b &&
        row.c == i.c && row.d == i.d && row.op == i.op && row.a_major == isa::Major::row &&
        row.b_major == isa::Major::col)
      return fmt::format("; K = {} is that of {}", k, isa::short_name(row));
  return "";
}

}  // namespace

DotLine::DotLine(const Lines& lines, std::string_view text, isa::Architecture architecture,
                 std::string_view instruction)
    : lines_(lines), architecture_(architecture) {
  auto fields = split(text, '|');
  int products = 0;
  if (fields.size() == 5) {
    products = read_prefix(fields[0], instruction);
    fields.erase(fields.begin());
  } else if (fields.size() != 4) {
    lines_.refuse("line",
                  fmt::format("{} fields between bars, 4 or 5 are needed: a.. | b.. | c | d", fields.size()));
  }
  if (instruction.empty())
    lines_.refuse("line", "names no instruction, nor does the file's name; give --arch and --instruction");
  find(instruction);
  read_words(fields, products);
}

std::optional<Mismatch> DotLine::compare() const {
  NumericOptions options;
  options.architecture = architecture_;
  const int width = isa::bits(instruction_.d);
  const std::uint64_t computed = dot(instruction_, a_, b_, c_, options);
  const std::uint64_t magnitude = computed & ((std::uint64_t(1) << (width - 1)) - 1);
  if (any_zero_ ? magnitude == 0 : computed == d_) return std::nullopt;
  Mismatch m;
  m.line = lines_.number(), m.instruction = isa::short_name(instruction_);
  m.expected = d_, m.computed = computed, m.digits = width / 4;
  return m;
}

int DotLine::read_prefix(std::string_view text, std::string_view& instruction) {
  const auto words = split(text, ' ');
  int products = 0;
  if (words.size() != 3 ||
      std::from_chars(words[2].data(), words[2].data() + words[2].size(), products).ec != std::errc() ||
      products < 1)
    lines_.refuse("first field", "'ARCH INSTRUCTION K' is needed");
  try {
    architecture_ = isa::parse_architecture(words[0]);
  } catch (const Error& e) {
    lines_.refuse("architecture", e.what());
  }
  instruction = words[1];
  return products;
}

void DotLine::find(std::string_view name) {
  try {
    instruction_ = isa::find_instruction(name);
  } catch (const Error& e) {
    lines_.refuse("instruction", e.what());
  }
  if (!instruction_.is_mma() || instruction_.is_sparse())
    lines_.refuse("instruction",
                  "a dot product has no metadata and no steps: replay takes dense mma instructions");
  try {
    isa::evidence(instruction_, architecture_);
  } catch (const Error& e) {
    lines_.refuse("instruction", e.what());
  }
}

std::vector<std::uint64_t> DotLine::operand(std::string_view text, std::string_view field,
                                            isa::ElementType type, int products) const {
  std::vector<std::uint64_t> out;
  for (const auto part : split(text, ' '))
    out.push_back(hex_word(lines_, field, part, isa::bits(type), isa::name(type)));
  const int k = instruction_.shape.k, wanted = products > 0 ? products : k;
  if (int(out.size()) != wanted || wanted > k)
    lines_.refuse(field, fmt::format("{} words, but {} takes {}{}", out.size(), isa::short_name(instruction_),
                                     products > 0 ? std::min(products, k) : k,
                                     products > 0 ? "" : taken_by(instruction_, out.size())));
  out.resize(std::size_t(k), 0);
  return out;
}

void DotLine::read_words(const std::vector<std::string_view>& fields, int products) {
  const auto accumulator = [&](std::string_view field, std::string_view text, isa::ElementType type) {
    return hex_word(lines_, field, text, isa::bits(type), isa::name(type));
  };
  a_ = operand(fields[0], "a", instruction_.a, products);
  b_ = operand(fields[1], "b", instruction_.b, products);
  c_ = accumulator("c", fields[2], instruction_.c);
  any_zero_ = fields[3] == "z";
  if (!any_zero_) d_ = accumulator("d", fields[3], instruction_.d);
}

}  // namespace twofour::emu
