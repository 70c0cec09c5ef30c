#include "twofour/emu/matrix/metadata_layout.h"

#include <array>

#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/isa/error.h"
#include "twofour/isa/metadata_layout.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

constexpr std::array<std::string_view, 4> layout_names{"logical", "ptx", "cutlass", "pytorch"};

bool known_to_pytorch(ElementType type) {
  return isa::metadata_element_bits(type) == 16 || type == ElementType::s8;
}

std::string dtype_of(const MetadataForm& form) {
  switch (form.layout) {
    case MetadataLayout::logical: return "|u1";
    case MetadataLayout::ptx: return "<u4";
    default: break;
  }
  return fmt::format("<{}{}", form.layout == MetadataLayout::cutlass ? 'u' : 'i',
                     isa::metadata_element_bits(form.instruction.a) / 8);
}

void check_form(const MetadataForm& form) {
  const isa::Instruction& i = form.instruction;
  if (!i.is_sparse()) fail("{} is not sparse: it reads no metadata", isa::ptx_name(i));
  if (form.layout == MetadataLayout::ptx && (form.selector < 0 || form.selector >= i.selectors()))
    fail("selector {} is out of range: {} takes 0 to {}", form.selector, isa::ptx_name(i), i.selectors() - 1);
  if (form.layout == MetadataLayout::pytorch && !known_to_pytorch(i.a))
    fail(
        "PyTorch has no 2:4 metadata for {} (half, bfloat16, float and int8 it has); layout cutlass holds "
        "the same bits",
        isa::name(i.a));
}

/// The permutation of E works on whole blocks of rows and pairs of columns.
void check_reordered_size(ElementType type, std::int64_t rows, std::int64_t groups) {
  const int block = isa::metadata_row_block(type), pair = 2 * isa::codes_per_metadata_element(type);
  const int columns = isa::group_columns(isa::sparse_form(type));
  if (rows % block != 0 || groups % pair != 0)
    fail(
        "M = {} and K = {} do not fit: the CUTLASS and PyTorch layouts of {} need M a multiple of {} and K "
        "of {}; pad the matrix with zeros",
        rows, groups * columns, isa::name(type), block, pair * columns);
}

void check_tile_size(const isa::Instruction& i, std::int64_t groups) {
  if (groups % i.groups() != 0)
    fail("K = {} does not divide into tiles of {} (k {}); pad the matrix with zeros",
         groups * isa::group_columns(i.sparsity), isa::short_name(i), i.shape.k);
}

/// Calls visit(row, group, word of the array, shift) for every code.
template <class Visit>
void for_each_reordered(ElementType type, std::int64_t rows, std::int64_t groups, const Visit& visit) {
  const int codes = isa::codes_per_metadata_element(type);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t group = 0; group < groups; ++group)
      visit(row, group, std::size_t(isa::reordered_metadata_offset(type, rows, row, group / codes)),
            4 * int(group % codes));
}

IntegerArray encode_reordered(const MetadataCodes& m, const MetadataForm& form) {
  const ElementType type = form.instruction.a;
  check_reordered_size(type, m.rows, m.groups);
  const std::int64_t columns = m.groups / isa::codes_per_metadata_element(type);
  const bool flat = form.layout == MetadataLayout::cutlass;
  IntegerArray out{dtype_of(form), flat ? columns / 2 : m.rows, flat ? 2 * m.rows : columns,
                   std::vector<std::uint32_t>(std::size_t(m.rows * columns))};
  for_each_reordered(type, m.rows, m.groups,
                     [&](std::int64_t row, std::int64_t group, std::size_t word, int shift) {
                       out.words[word] |= std::uint32_t(m.code(row, group)) << shift;
                     });
  return out;
}

IntegerArray encode_ptx(const MetadataCodes& m, const MetadataForm& form) {
  const isa::Instruction& i = form.instruction;
  check_tile_size(i, m.groups);
  const std::int64_t tiles_m = (m.rows + i.shape.m - 1) / i.shape.m, tiles_k = m.groups / i.groups();
  IntegerArray out{dtype_of(form), tiles_m * tiles_k, 32, {}};
  for (std::int64_t t = 0; t < tiles_m; ++t)
    for (std::int64_t u = 0; u < tiles_k; ++u) {
      const auto words = metadata_registers(m.codes, m.rows, m.groups, i, t, u, form.selector);
      out.words.insert(out.words.end(), words.begin(), words.end());
    }
  return out;
}

MetadataCodes decode_logical(const IntegerArray& array) {
  MetadataCodes out{array.rows, array.cols, {}};
  out.codes.reserve(array.words.size());
  for (std::size_t at = 0; at < array.words.size(); ++at) {
    if (array.words[at] > 0xF)
      fail("row {}, group {}: {} is no 4-bit code", std::int64_t(at) / array.cols,
           std::int64_t(at) % array.cols, array.words[at]);
    out.codes.push_back(std::uint8_t(array.words[at]));
  }
  return out;
}

MetadataCodes decode_ptx(const IntegerArray& array, const MetadataForm& form, std::int64_t rows,
                         std::int64_t groups) {
  const isa::Instruction& i = form.instruction;
  if (array.cols != 32) fail("{} columns: the ptx layout has one column for each of 32 lanes", array.cols);
  if (groups == 0) fail("the ptx layout does not tell K: give --k");
  check_tile_size(i, groups);
  const std::int64_t tiles_k = groups / i.groups(), tiles_m = array.rows / tiles_k;
  if (array.rows % tiles_k != 0)
    fail("{} tiles do not make whole rows of {} tiles (K = {} in tiles of {})", array.rows, tiles_k,
         groups * isa::group_columns(i.sparsity), i.shape.k);
  if (rows == 0) rows = tiles_m * i.shape.m;
  if ((rows + i.shape.m - 1) / i.shape.m != tiles_m)
    fail("M = {} needs {} row tiles, the file holds {}", rows, (rows + i.shape.m - 1) / i.shape.m, tiles_m);
  MetadataCodes out{rows, groups, std::vector<std::uint8_t>(std::size_t(rows * groups))};
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t group = 0; group < groups; ++group) {
      const std::int64_t tile = row / i.shape.m * tiles_k + group / i.groups();
      const auto at = isa::metadata_place(i, int(row % i.shape.m), int(group % i.groups()), form.selector);
      out.codes[std::size_t(row * groups + group)] =
          array.words[std::size_t(tile * 32 + at.lane)] >> at.shift & 0xF;
    }
  return out;
}

MetadataCodes decode_reordered(const IntegerArray& array, const MetadataForm& form) {
  const ElementType type = form.instruction.a;
  const bool flat = form.layout == MetadataLayout::cutlass;
  const std::int64_t rows = flat ? array.cols / 2 : array.rows;
  const std::int64_t columns = flat ? 2 * array.rows : array.cols;
  if (flat && array.cols % 2 != 0) fail("{} columns: a row of the cutlass layout holds 2M", array.cols);
  MetadataCodes out{rows, columns * isa::codes_per_metadata_element(type), {}};
  check_reordered_size(type, out.rows, out.groups);
  out.codes.resize(std::size_t(out.rows * out.groups));
  for_each_reordered(type, out.rows, out.groups,
                     [&](std::int64_t row, std::int64_t group, std::size_t word, int shift) {
                       out.codes[std::size_t(row * out.groups + group)] = array.words[word] >> shift & 0xF;
                     });
  return out;
}

MetadataCodes decode(const IntegerArray& array, const MetadataForm& form, std::int64_t rows,
                     std::int64_t groups) {
  switch (form.layout) {
    case MetadataLayout::logical: return decode_logical(array);
    case MetadataLayout::ptx: return decode_ptx(array, form, rows, groups);
    default: return decode_reordered(array, form);
  }
}

}  // namespace

std::string_view name(MetadataLayout layout) {
  return layout_names[std::size_t(layout)];
}

MetadataLayout parse_metadata_layout(std::string_view text) {
  for (std::size_t at = 0; at < layout_names.size(); ++at)
    if (layout_names[at] == text) return MetadataLayout(at);
  fail("unknown metadata layout '{}'; known: {}", text, fmt::join(layout_names, " "));
}

IntegerArray encode_metadata(const MetadataCodes& m, const MetadataForm& form) {
  check_form(form);
  switch (form.layout) {
    case MetadataLayout::logical: return {dtype_of(form), m.rows, m.groups, {m.codes.begin(), m.codes.end()}};
    case MetadataLayout::ptx: return encode_ptx(m, form);
    default: return encode_reordered(m, form);
  }
}

MetadataCodes decode_metadata(const IntegerArray& array, const MetadataForm& form, std::int64_t rows,
                              std::int64_t groups) {
  check_form(form);
  const std::string wanted = dtype_of(form);
  if (array.dtype.back() != wanted.back())
    fail("dtype '{}': the {} layout of {} holds '{}'", array.dtype, name(form.layout),
         isa::name(form.instruction.a), wanted);
  const MetadataCodes out = decode(array, form, rows, groups);
  const int columns = isa::group_columns(form.instruction.sparsity);
  if (rows != 0 && out.rows != rows) fail("the array holds M = {}, not {}", out.rows, rows);
  if (groups != 0 && out.groups != groups)
    fail("the array holds K = {}, not {}", out.groups * columns, groups * columns);
  return out;
}

}  // namespace twofour::emu
