#include "twofour/cli/bit_flags.h"

#include <gflags/gflags.h>

#include "twofour/cli/flags.h"
#include "twofour/isa/error.h"

DEFINE_string(encoding, "",
              "--dtype w_p a_q: unsigned, signed, bipolar-weights or bipolar (-1 and 1); default signed, w1: "
              "bipolar-weights");

namespace twofour::cli {

std::optional<emu::BitForm> bit_form_by_flags() {
  const auto widths = emu::parse_bit_widths(FLAGS_dtype);
  if (!widths) {
    if (flag_given("encoding")) fail("--encoding: is for --dtype w1a1 to w8a8, not for {}", FLAGS_dtype);
    return {};
  }
  emu::BitForm form{widths->weight, widths->activation};
  if (form.weight_bits == 1) form.encoding = emu::BitEncoding::bipolar_weights;
  if (!FLAGS_encoding.empty()) form.encoding = emu::parse_bit_encoding(FLAGS_encoding);
  emu::check(form);
  return form;
}

void refuse_with_bit_form(std::string_view command, std::initializer_list<const char*> flags) {
  for (const char* flag : flags)
    if (flag_given(flag)) fail("{} --dtype {}: takes no --{}", command, FLAGS_dtype, flag);
}

}  // namespace twofour::cli
