#pragma once
#include <string>

#include "twofour/nas/graph/network_zoo.h"

namespace twofour::nas {

/// The sizes with the published ones filled in. Throws Error for illegal ones.
NetworkSizes filled(NetworkSizes sizes, int width, int stem_stride);

/// "resnet18-w32-s1": the name with what was asked for besides.
std::string full_name(std::string name, const NetworkSizes& given);

}  // namespace twofour::nas
