#pragma once
#include <string>
#include <string_view>

#include "twofour/nas/space/space.h"

namespace twofour::nas {

/// Reads a search space as TOML for a backbone. Keys:
///   schema = 1; kind = "msps" (options alone) or "asps" (kernels and widths too); backbone = the network's
///   name that the file is for, or "any" (the default); menu = options of the inner layers; edge_menu =
///   options of the layers that read the image and of the last one (default fp16, int8; dense, one native
///   type of 8 bits or more); tie = lists of layers that share one option; asps alone: kernels = odd sides,
///   widths = factors of the backbone's channels; [layers."NAME"] with menu, kernels, widths of that layer.
/// Menus for all are used where they are legal: 2:4 needs input channels in multiples of 16 and output
/// channels in multiples of 8 in every form, depthwise layers take dense fp16, bf16, tf32 and int8. An option
/// listed for one layer must be legal there. Kernels are searched in inner layers whose backbone kernel is
/// square, 3x3 or larger, odd and padded by half; smaller ones only where the layer lists them. Widths are
/// searched for tensors between layers: those that a residual adds, or that a depthwise layer writes, share
/// one width. Channels are factor * backbone, rounded to the nearest multiple of 16 (halves up), at least 16;
/// the image and the scores keep theirs. Throws Error that names file, line and key and says what to do.
Space read_space(const std::string& path, const Network& backbone);
/// The same for text in memory; `file` is the name that errors show.
Space parse_space(std::string_view text, const std::string& file, const Network& backbone);

/// A commented file to start from: kind "msps" or "asps". Throws Error for another kind.
std::string default_space_text(std::string_view kind);

/// Channels of a width factor by the rule of read_space().
int scaled_channels(std::int64_t channels, double factor);

}  // namespace twofour::nas
