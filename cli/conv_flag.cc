#include "twofour/cli/conv_flag.h"

#include <gflags/gflags.h>

#include <array>
#include <charconv>

#include "twofour/cli/flags.h"
#include "twofour/isa/error.h"

DECLARE_string(launch);
DEFINE_string(conv, "", "a convolution in place of --m, --n, --k: N,H,W,C,K,R,S,stride,pad");

namespace twofour::cli {

bool conv_is_given() {
  return !FLAGS_conv.empty();
}

emu::ConvProblem conv_from_flag() {
  return conv_from_flag(isa::parse_element(FLAGS_dtype));
}

emu::ConvProblem conv_from_flag(isa::ElementType type) {
  std::array<std::int64_t, 9> numbers{};
  const char *at = FLAGS_conv.data(), *end = at + FLAGS_conv.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [rest, error] = std::from_chars(at, end, numbers[i]);
    const bool last = i + 1 == numbers.size();
    if (error != std::errc() || (last ? rest != end : rest == end || *rest != ','))
      fail("--conv '{}': nine integers N,H,W,C,K,R,S,stride,pad are needed", FLAGS_conv);
    at = rest + 1;
  }
  const auto& [n, h, w, c, k, r, s, stride, pad] = numbers;
  emu::ConvProblem conv;
  conv.batch = n;
  conv.height = h;
  conv.width = w;
  conv.channels = c;
  conv.filters = k;
  conv.kernel_h = r;
  conv.kernel_w = s;
  conv.stride = stride;
  conv.padding = pad;
  conv.type = type;
  conv.sparse = FLAGS_sparse;
  conv.output_bits = emu::default_output_bits(conv.type);
  conv.launch = emu::parse_launch(FLAGS_launch);
  return conv;
}

}  // namespace twofour::cli
