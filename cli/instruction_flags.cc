#include "twofour/cli/instruction_flags.h"

#include <gflags/gflags.h>

#include "twofour/cli/flags.h"
#include "twofour/emu/matrix/gemm.h"
#include "twofour/isa/error.h"

DEFINE_string(accumulator, "", "accumulator type: f16 or f32 for f16 inputs; chosen if not given");
DEFINE_string(op, "xor", "b1: and, xor");

namespace twofour::cli {

using isa::ElementType;

const isa::Instruction& instruction_by_type() {
  const ElementType type = isa::parse_element(FLAGS_dtype);
  ElementType accumulator = ElementType::s32;
  if (isa::is_float(type)) accumulator = type == ElementType::f64 ? ElementType::f64 : ElementType::f32;
  if (!FLAGS_accumulator.empty()) accumulator = isa::parse_element(FLAGS_accumulator);
  isa::BitOp op = isa::BitOp::none;
  if (type == ElementType::b1) {
    if (FLAGS_op != "and" && FLAGS_op != "xor") fail("flag --op: '{}' is neither and nor xor", FLAGS_op);
    op = FLAGS_op == "and" ? isa::BitOp::and_popc : isa::BitOp::xor_popc;
  }
  return emu::choose_instruction(type, type, accumulator, FLAGS_sparse, op);
}

}  // namespace twofour::cli
