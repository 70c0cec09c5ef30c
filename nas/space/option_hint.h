#pragma once
#include <string>
#include <string_view>

namespace twofour::nas {

/// What a person who wrote an unknown option may have meant, as a sentence part ("INT1 has no sparse form;
/// ..."), or empty.
std::string option_hint(std::string_view text);

}  // namespace twofour::nas
