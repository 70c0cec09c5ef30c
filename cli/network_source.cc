#include "twofour/cli/network_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gflags/gflags.h>

#include <charconv>
#include <map>

#include "twofour/cli/flags.h"
#include "twofour/isa/error.h"
#include "twofour/nas/graph/onnx_import.h"
#include "twofour/nas/graph/workload_builtin.h"

DECLARE_int64(batch);
DEFINE_int64(sequence, 128, "tokens of a sequence");
DEFINE_int64(image, 224, "height and width of the images");
DEFINE_string(
    onnx, "",
    "ONNX file: to read the network from (--batch sets the batch that it leaves open), or to write");
DEFINE_string(dim, "",
              "sizes that an ONNX file leaves open: NAME=SIZE or INPUT:AXIS=SIZE, separated by commas");
DEFINE_bool(skip_unsupported, false, "count nodes of unknown operators of an ONNX file as nothing");

namespace twofour::cli {
namespace {

NetworkSource load_builtin(std::string_view command, const std::string& name) {
  for (const char* flag : {"dim", "skip_unsupported"})
    if (flag_given(flag))
      fail("{}: --{} is for --onnx", command, flag == std::string_view("dim") ? "dim" : "skip-unsupported");
  std::string_view item = "images";
  for (const auto& known : nas::builtin_workloads()) {
    if (known.name != name) continue;
    if (!known.has_images) item = "sequences";
    if (known.has_images && flag_given("sequence"))
      fail("{}: {} takes images; --sequence is for tokens", command, known.name);
    if (!known.has_images && flag_given("image"))
      fail("{}: {} takes tokens; --image is for images", command, known.name);
  }
  return {nas::builtin_workload(name, {FLAGS_batch, FLAGS_image, FLAGS_sequence}), item, {}};
}

/// "sequence=128,x:2=224"
std::map<std::string, std::int64_t> sizes_from(std::string_view command, std::string_view text) {
  std::map<std::string, std::int64_t> sizes;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const auto equals = part.rfind('=');
    const std::string_view digits = equals == part.npos ? "" : part.substr(equals + 1);
    std::int64_t size = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (digits.empty() || equals == 0 || error != std::errc() || end != digits.data() + digits.size())
      fail("{}: --dim has '{}'; write NAME=SIZE or INPUT:AXIS=SIZE, separated by commas", command, part);
    if (!sizes.emplace(part.substr(0, equals), size).second)
      fail("{}: --dim names '{}' twice", command, part.substr(0, equals));
  }
  return sizes;
}

NetworkSource load_onnx(std::string_view command) {
  for (const char* flag : {"image", "sequence"})
    if (flag_given(flag))
      fail("{}: --{} is for built-in networks; an ONNX file's sizes are set with --dim", command, flag);
  if (flag_given("batch") && FLAGS_batch < 1)
    fail("{}: --batch is {}; it must be at least 1", command, FLAGS_batch);
  auto import = nas::import_onnx(FLAGS_onnx, {.batch = flag_given("batch") ? FLAGS_batch : 0,
                                              .dims = sizes_from(command, FLAGS_dim),
                                              .skip_unsupported = FLAGS_skip_unsupported});
  return {std::move(import.workload), "items", std::move(import.skipped)};
}

}  // namespace

NetworkSource load_network(std::string_view command, std::span<const std::string> words) {
  if (words.empty() == FLAGS_onnx.empty())
    fail("{}: name a network or give --onnx FILE; `twofour time network --list` lists the networks", command);
  return FLAGS_onnx.empty() ? load_builtin(command, words.front()) : load_onnx(command);
}

std::string skipped_text(const NetworkSource& source) {
  if (source.skipped.empty()) return "";
  return fmt::format("not counted  {} nodes of unknown operators: {}\n", source.skipped.size(),
                     fmt::join(source.skipped, ", "));
}

}  // namespace twofour::cli
