#include "twofour/cli/gemm_print.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/emu/matrix/random.h"
#include "twofour/isa/evidence.h"

DECLARE_bool(check);

namespace twofour::cli {

void print_lines(const GemmRun& r, const isa::Machine& machine, const char* peak) {
  const auto evidence = isa::evidence(r.instruction, isa::parse_architecture(FLAGS_arch));
  fmt::print("  result    checksum {:016x}; emulated in {:.3f} s\n", emu::checksum(r.d), r.seconds);
  if (FLAGS_check)
    fmt::print("  check     {} of {} elements compared with {}: {} differ\n", r.verification.compared,
               r.d.rows() * r.d.cols(), r.verification.against, r.verification.differing);
  fmt::print("  fidelity  {}: {}\n", isa::name(evidence.fidelity), evidence.source);
  fmt::print("  latency   {:.2f} us on {}, {} bound, {:.0f} % of {} (timing {})\n", r.latency.microseconds,
             machine.name, emu::name(r.latency.bound), 100 * r.latency.peak_fraction, peak,
             emu::name(r.latency.fidelity));
  if (!FLAGS_output.empty()) fmt::print("  written   {}\n", FLAGS_output);
}

void print_document(const GemmRun& r, const isa::Machine& machine, const nlohmann::ordered_json& form) {
  const auto evidence = isa::evidence(r.instruction, isa::parse_architecture(FLAGS_arch));
  nlohmann::ordered_json check = nullptr;
  if (FLAGS_check)
    check = {{"against", r.verification.against},
             {"compared", r.verification.compared},
             {"differing", r.verification.differing}};
  nlohmann::ordered_json fields{{"m", r.m}, {"n", r.n}, {"k", r.k}};
  fields.update(form);
  fields.update({{"instruction", isa::ptx_name(r.instruction)},
                 {"architecture", FLAGS_arch},
                 {"checksum", fmt::format("{:016x}", emu::checksum(r.d))},
                 {"seconds", r.seconds},
                 {"check", check},
                 {"fidelity", isa::name(evidence.fidelity)},
                 {"evidence", evidence.source},
                 {"latency",
                  {{"machine", machine.name},
                   {"microseconds", r.latency.microseconds},
                   {"cycles", r.latency.cycles},
                   {"bound", emu::name(r.latency.bound)},
                   {"peak_fraction", r.latency.peak_fraction},
                   {"fidelity", emu::name(r.latency.fidelity)}}},
                 {"output", FLAGS_output}});
  print_json("gemm", fields);
}

}  // namespace twofour::cli
