#include "twofour/cli/gemm_flags.h"

#include <gflags/gflags.h>

#include "twofour/cli/flags.h"

DEFINE_int64(batch, 1, "GEMMs of that shape in one kernel");
DEFINE_string(launch, "as-measured", "what is counted around the kernel: graph, stream, kernel, as-measured");

namespace twofour::cli {

emu::GemmProblem gemm_from_flags() {
  return gemm_from_flags(isa::parse_element(FLAGS_dtype));
}

emu::GemmProblem gemm_from_flags(isa::ElementType type) {
  emu::GemmProblem problem;
  problem.m = FLAGS_m;
  problem.n = FLAGS_n;
  problem.k = FLAGS_k;
  problem.type = type;
  problem.sparse = FLAGS_sparse;
  problem.output_bits = emu::default_output_bits(problem.type);
  problem.batch = FLAGS_batch;
  problem.launch = emu::parse_launch(FLAGS_launch);
  return problem;
}

nlohmann::ordered_json gemm_json(const emu::GemmProblem& p) {
  return {{"m", p.m},
          {"n", p.n},
          {"k", p.k},
          {"dtype", isa::name(p.type)},
          {"sparse", p.sparse},
          {"batch", p.batch},
          {"launch", name(p.launch)}};
}

}  // namespace twofour::cli
