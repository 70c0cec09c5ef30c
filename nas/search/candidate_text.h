#pragma once
#include <string>
#include <string_view>

#include "twofour/nas/space/space.h"

namespace twofour::nas {

/// "3,0,12": the indices, as journals and messages between ranks have them. candidate_from() throws Error for
/// any other text.
std::string candidate_text(const Candidate& candidate);
Candidate candidate_from(std::string_view text);

}  // namespace twofour::nas
