#include "twofour/emu/vectors/generate.h"

#include "twofour/emu/vectors/themes.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

/// FNV-1a of a name, so that a case does not depend on the table's order.
std::uint64_t hash(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : name) h = (h ^ std::uint8_t(c)) * 0x100000001b3;
  return h;
}

/// Ordered codes, which every kind of mma.sp allows, or all sixteen.
std::vector<std::uint8_t> codes_of(isa::Sparsity sparsity, bool invalid) {
  std::vector<std::uint8_t> codes;
  for (std::uint8_t code = 0; code < 16; ++code)
    if (invalid || isa::is_ordered_code(sparsity, code)) codes.push_back(code);
  return codes;
}

/// Every code in turn along rows and groups at the boundary level, else any code. What the selector does not
/// name holds codes too, which must not matter.
void fill_metadata(Tiles& t, SplitMix64& random, int number, bool in_turn, bool invalid) {
  const isa::Instruction& i = t.instruction;
  const auto codes = codes_of(i.sparsity, invalid);
  const int last = int(codes.size()) - 1;
  for (int row = 0; row < i.shape.m; ++row)
    for (int group = 0; group < i.groups(); ++group)
      t.code(row, group) =
          codes[std::size_t(in_turn ? (row + group + number) % (last + 1) : random.between(0, last))];
  for (int nibble = 0; nibble < 8; ++nibble)
    t.other_metadata = t.other_metadata << 4 | codes[std::size_t(random.between(0, last))];
}

}  // namespace

Case generate_case(const isa::Instruction& i, int number, const GenerateOptions& options) {
  const bool both = options.level == CaseLevel::all;
  const bool boundary = both ? number % 2 == 0 : options.level == CaseLevel::boundary;
  const int turn = both ? number / 2 : number;
  const auto themes = boundary ? boundary_themes(i) : random_themes(i);
  const int count = int(themes.size()), qualifier = turn + turn / count;
  const Theme& theme = themes[std::size_t(turn % count)];

  const std::string name = isa::ptx_name(i);
  SplitMix64 mixer(options.seed ^ hash(name));
  SplitMix64 random(mixer.next() + 2 * std::uint64_t(turn) + boundary);
  Tiles tiles(i);
  theme.fill(tiles, random);
  if (i.is_sparse()) fill_metadata(tiles, random, number, boundary, options.invalid_metadata);
  Case c = to_case(tiles, i.is_sparse() ? qualifier % i.selectors() : 0);
  c.options.satfinite = i.has_satfinite() && qualifier % 2 == 1;
  if (i.has_rounding()) c.options.rounding = isa::Rounding((qualifier + 1) % 4);
  c.note = fmt::format("{} {}: {}\n", boundary ? "boundary" : "random", turn, theme.name);
  return c;
}

std::vector<isa::Instruction> select_instructions(std::string_view names, std::string_view family,
                                                  isa::Architecture architecture) {
  std::vector<isa::Instruction> rows;
  if (!names.empty())
    for (const auto name : split(names, ',')) {
      const auto& row = isa::find_instruction(name);
      if (!has_cases(row)) fail("{} is no mma or mma.sp of the Tensor Core: it has no cases", name);
      rows.push_back(row);
    }
  else
    for (const auto& row : isa::instructions())
      if (has_cases(row, architecture) && (family.empty() || family == isa::name(row.family)))
        rows.push_back(row);
  if (rows.empty())
    fail("no instruction of {} has cases{}; families with cases: mma, mma.sp, mma.sp::ordered_metadata",
         isa::name(architecture), family.empty() ? "" : fmt::format(" in family '{}'", family));
  return rows;
}

}  // namespace twofour::emu
