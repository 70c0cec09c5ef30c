#include "twofour/nas/space/space_file.h"

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/space/space_settings.h"

namespace twofour::nas {
namespace {

constexpr std::string_view head =
    R"(# A search space: what may vary, layer by layer. Plain TOML; every key but schema, kind and menu may be left out.
schema = 1

)";

constexpr std::string_view msps =
    R"(# msps: matrix type and precision of each layer; kernels and widths are the backbone's.
kind = "msps"
)";

constexpr std::string_view asps = R"(# asps: matrix type and precision, kernel side and width of each layer.
kind = "asps"
)";

constexpr std::string_view options = R"(
# The network that the file is for, by name; "any" fits every network.
backbone = "any"

# What the inner layers choose from. Known: fp16, fp16-2:4, bf16, bf16-2:4, tf32, tf32-1:2, int8, int8-2:4, int4,
# int4-4:8, int1, and w1a2 to w8a8 (weights and activations of so many bits, computed from int1 products).
# 2:4 is used where input channels are multiples of 16 and output channels multiples of 8.
menu = ["fp16", "fp16-2:4", "int8", "int8-2:4", "int4", "int4-4:8", "w1a2", "int1"]

# The first layer and the classifier stay dense, with 8 bits or more.
edge_menu = ["fp16", "int8"]
)";

constexpr std::string_view shapes = R"(
# Sides of square kernels, for inner layers of 3x3 and larger; padding keeps the image's size.
kernels = [1, 3, 5, 7]

# Channels as factors of the backbone's, rounded to multiples of 16 and at least 16; above 1 the layer grows.
# Layers that a residual connects share one width. The scores keep theirs.
widths = [0.3, 0.5, 0.75, 1.0, 1.25, 1.5]
)";

constexpr std::string_view tail = R"(
# Layers that share one option:
# tie = [["stage1.block1.conv1", "stage1.block1.conv2"]]

# A layer with choices of its own; these must be legal there:
# [layers."stage1.block1.conv1"]
# menu = ["int8", "int8-2:4"]
)";

constexpr std::string_view shape_tail = R"(# kernels = [3, 5]
# widths = [0.5, 1.0]
)";

}  // namespace

Space parse_space(std::string_view text, const std::string& file, const Network& backbone) {
  return build_space(parse_settings(text, file), backbone);
}

Space read_space(const std::string& path, const Network& backbone) {
  return parse_space(isa::read_file(path), path, backbone);
}

std::string default_space_text(std::string_view kind) {
  if (kind != "msps" && kind != "asps")
    fail("there is no kind of space '{}'; use msps (options) or asps (options, kernels, widths)", kind);
  const bool shaped = kind == "asps";
  std::string text;
  for (const std::string_view part :
       {head, shaped ? asps : msps, options, shaped ? shapes : std::string_view(), tail,
        shaped ? shape_tail : std::string_view()})
    text += part;
  return text;
}

}  // namespace twofour::nas
