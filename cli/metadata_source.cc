#include "twofour/cli/metadata_source.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/flags.h"
#include "twofour/emu/matrix/gemm.h"
#include "twofour/isa/error.h"

DECLARE_int64(selector);

namespace twofour::cli {

const isa::Instruction& metadata_instruction() {
  const bool type_given = !gflags::GetCommandLineFlagInfoOrDie("dtype").is_default;
  if (FLAGS_instruction.empty() && !type_given)
    fail("the element type is not known: give --dtype or --instruction");
  if (!FLAGS_instruction.empty()) {
    const isa::Instruction& i = isa::find_instruction(FLAGS_instruction);
    if (!i.is_sparse()) fail("--instruction: {} is not sparse", isa::ptx_name(i));
    if (type_given && isa::parse_element(FLAGS_dtype) != i.a)
      fail("--instruction: {} takes {}, --dtype is {}", isa::ptx_name(i), isa::name(i.a), FLAGS_dtype);
    return i;
  }
  const isa::ElementType type = isa::parse_element(FLAGS_dtype);
  if (isa::sparse_form(type) == isa::Sparsity::dense) fail("{} has no sparse instruction", FLAGS_dtype);
  const auto accumulator = isa::is_float(type) ? isa::ElementType::f32 : isa::ElementType::s32;
  return emu::choose_instruction(type, type, accumulator, true);
}

int metadata_selector(const isa::Instruction& i) {
  if (FLAGS_selector < 0 || FLAGS_selector >= i.selectors())
    fail("--selector {} is out of range: {} takes 0 to {}", FLAGS_selector, isa::ptx_name(i),
         i.selectors() - 1);
  return int(FLAGS_selector);
}

std::string selector_text(const isa::Instruction& i, int selector) {
  if (i.selectors() == 1) return fmt::format("selector {} (the only one)", selector);
  return fmt::format("selector {} (0 to {} are legal)", selector, i.selectors() - 1);
}

emu::MetadataCodes read_metadata(const std::string& file, const emu::MetadataForm& form) {
  constexpr std::int64_t most = 1'000'000'000'000;  // as .npy headers are read
  if (FLAGS_m < 0 || FLAGS_k < 0 || FLAGS_m > most || FLAGS_k > most)
    fail("--m {} --k {}: a matrix has 1 to {} rows and columns (0: taken from the file)", FLAGS_m, FLAGS_k,
         most);
  const int columns = isa::group_columns(form.instruction.sparsity);
  if (FLAGS_k % columns != 0)
    fail("--k {} is not a multiple of {}, the sparsity group of {}", FLAGS_k, columns,
         isa::name(form.instruction.a));
  const emu::IntegerArray array = emu::read_npy_integers(file);
  if (array.words.empty()) fail("{}: the array is empty ({} x {})", file, array.rows, array.cols);
  try {
    return emu::decode_metadata(array, form, FLAGS_m, FLAGS_k / columns);
  } catch (const Error& e) {
    fail("{}: {}", file, e.what());
  }
}

std::string matrix_text(const emu::MetadataCodes& codes, const isa::Instruction& i) {
  return fmt::format("{} x {} {}", codes.rows, codes.groups * isa::group_columns(i.sparsity), isa::name(i.a));
}

std::string counts_text(const emu::MetadataSurvey& survey) {
  std::string text;
  for (std::size_t kind = 0; kind < survey.count.size(); ++kind)
    if (kind == 0 || survey.count[kind] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", survey.count[kind],
                          isa::name(isa::CodeKind(kind)));
  return text;
}

}  // namespace twofour::cli
