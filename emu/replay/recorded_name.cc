#include "twofour/emu/replay/recorded_name.h"

#include <filesystem>
#include <regex>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

std::optional<isa::Architecture> architecture_of(const std::string& gpu) {
  using enum isa::Architecture;
  for (const auto a : {volta, turing, ampere, ada, hopper, blackwell})
    if (gpu == isa::name(a)) return a;
  if (gpu.find_first_not_of("0123456789", 1) != std::string::npos || gpu.size() < 2) return std::nullopt;
  switch (gpu[0]) {
    case 'v': return volta;
    case 't': return turing;
    case 'a': return ampere;
    case 'l': return ada;
    case 'h': return hopper;
    case 'b': return blackwell;
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<RecordedName> recorded_name(const std::string& path) {
  static const std::regex form("([a-z0-9]+)_(fp16|bf16|tf32)_k([0-9]+)_(f16|f32)\\.hex");
  const std::string file = std::filesystem::path(path).filename();
  std::smatch part;
  if (!std::regex_match(file, part, form)) return std::nullopt;
  const auto architecture = architecture_of(part[1]);
  if (!architecture) return std::nullopt;
  const std::string type = part[2] == "fp16" ? "f16" : part[2].str(), k = part[3], out = part[4];
  const bool quad_pair = type == "f16" && k == "4";  // only m8n8k4 has so few products
  return RecordedName{
      *architecture, fmt::format("{}k{}.{}.{}.{}.{}", quad_pair ? "m8n8" : "m16n8", k, out, type, type, out)};
}

}  // namespace twofour::emu
