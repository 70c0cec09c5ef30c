#include "twofour/cli/flags.h"

#include <gflags/gflags.h>

DEFINE_bool(json, false, "print the result as JSON");
DEFINE_string(output, "", "write the result to this file");
DEFINE_string(format, "",
              "form of the result; layout: text (default), svg, json; time table: csv (default), json, "
              "ofa-yaml, haq-npy");
DEFINE_string(machine, "a100-sxm4-80gb", "machine: a built-in name or the path of a .toml file");
DEFINE_string(dtype, "f16",
              "element type: f16 bf16 tf32 f64 s8 u8 s4 u4 b1; gemm and time: w1a1 to w8a8 too");
DEFINE_bool(sparse, false, "the A operand is 2:4 sparse (1:2 for tf32, 4:8 in pairs for 4-bit types)");
DEFINE_int64(m, 0, "rows of A and of the result");
DEFINE_int64(n, 0, "columns of B and of the result");
DEFINE_int64(k, 0, "columns of A, rows of B (as if A were dense)");
DEFINE_string(arch, "ampere", "architecture: volta turing ampere ada hopper blackwell");
DEFINE_string(instruction, "", "instruction by short or PTX name; empty: chosen by type");
DEFINE_string(family, "", "only this family: mma, mma.sp, mma.sp::ordered_metadata, wmma.load, ...");
DEFINE_int64(seed, 1, "seed of random operands");
DEFINE_bool(strict, false,
            "refuse answers whose fidelity is `inferred`, and codes that are not ordered metadata");

namespace twofour::cli {

bool flag_given(const char* flag) {
  return !gflags::GetCommandLineFlagInfoOrDie(flag).is_default;
}

}  // namespace twofour::cli
