#include "twofour/isa/metadata_check.h"

#include "twofour/isa/error.h"

namespace twofour::isa {

std::string_view name(CodeKind kind) {
  switch (kind) {
    case CodeKind::ordered: return "ordered";
    case CodeKind::descending: return "descending";
    case CodeKind::duplicate: return "duplicate";
    case CodeKind::mixed: return "mixed";
  }
  return "";
}

std::vector<MetadataFinding> check_metadata(const Instruction& i, std::span<const std::uint32_t, 32> words,
                                            int selector) {
  if (!i.is_sparse()) fail("{} is not sparse: it reads no metadata", ptx_name(i));
  if (selector < 0 || selector >= i.selectors())
    fail("selector {} is out of range: {} takes 0 to {}", selector, ptx_name(i), i.selectors() - 1);
  std::vector<MetadataFinding> findings;
  for (int row = 0; row < i.shape.m; ++row)
    for (int group = 0; group < i.groups(); ++group) {
      const MetadataPlace at = metadata_place(i, row, group, selector);
      const auto code = std::uint8_t(words[std::size_t(at.lane)] >> at.shift & 0xF);
      const CodeKind kind = code_kind(i.sparsity, code);
      if (kind != CodeKind::ordered) findings.push_back({row, group, at.lane, at.shift, code, kind});
    }
  return findings;
}

std::string kept_columns_text(Sparsity s, std::uint8_t code, std::int64_t first_column) {
  const int count = stored_columns(s);
  std::string text = count == 1 ? "column" : "columns";
  for (int stored = 0; stored < count; ++stored) {
    const bool last = count > 1 && stored == count - 1;
    text += fmt::format("{}{}", stored == 0 ? " " : (last ? " and " : ", "),
                        first_column + logical_column(s, code, stored));
  }
  return text;
}

std::string code_text(Sparsity s, std::uint8_t code, std::int64_t first_column) {
  const CodeKind kind = code_kind(s, code);
  const std::string_view verdict = kind == CodeKind::ordered ? ""
                                   : is_undefined(kind)      ? ": undefined"
                                                             : ": not legal for ::ordered_metadata";
  return fmt::format("code 0x{:X} keeps {} ({}{})", code, kept_columns_text(s, code, first_column),
                     name(kind), verdict);
}

std::string place_text(MetadataPlace place) {
  return fmt::format("lane {} bits {}-{}", place.lane, place.shift, place.shift + 3);
}

std::string describe(const Instruction& i, const MetadataFinding& f) {
  const std::int64_t first = std::int64_t(f.group) * group_columns(i.sparsity);
  return fmt::format("row {} group {}: {}; {}", f.row, f.group, code_text(i.sparsity, f.code, first),
                     place_text({f.lane, f.shift}));
}

}  // namespace twofour::isa
