#include <fmt/format.h>
#include <gflags/gflags_declare.h>

#include "twofour/cli/commands.h"
#include "twofour/isa/error.h"
#include "twofour/nas/deploy/export_json.h"
#include "twofour/nas/deploy/export_onnx.h"

DECLARE_string(onnx);

namespace twofour::cli {
namespace {

int run(std::span<const std::string> words) {
  if (FLAGS_onnx.empty()) fail("deploy export: say what to write: --onnx FILE");
  nas::write_onnx(FLAGS_onnx, nas::read_deployed(words[0]));
  fmt::print(stderr, "{} written\n", FLAGS_onnx);
  return exit_ok;
}

}  // namespace

Command deploy_export_command() {
  return {"deploy export",
          "NETWORK.json",
          "write a deployed network as ONNX, quantised weights and scales in QDQ format",
          "Integer layers become QuantizeLinear, DequantizeLinear and Conv with a scale an output channel; "
          "4-bit\n"
          "and 1-bit codes are stored in int8. fp16 layers keep float16 weights. metadata_props names each\n"
          "layer's option and its sparse form. The model takes float images, batch x C x H x W.\n"
          "Example: twofour deploy export network.json --onnx network.onnx\n"
          "Exit status: 0 done, 2 the input was refused.",
          {"onnx"},
          1,
          1,
          run};
}

}  // namespace twofour::cli
