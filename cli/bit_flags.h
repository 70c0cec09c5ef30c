#pragma once
#include <optional>
#include <string_view>

#include "twofour/emu/arbitrary/bit_form.h"

namespace twofour::cli {

/// The form of --dtype w_p a_q ("w2a3") and --encoding; nothing for other types. Without --encoding weights
/// are signed, those of one bit bipolar. Throws Error for an encoding that the widths have not.
std::optional<emu::BitForm> bit_form_by_flags();

/// Throws Error if one of the flags is given: `command` takes none of them with --dtype w_p a_q.
void refuse_with_bit_form(std::string_view command, std::initializer_list<const char*> flags);

/// `twofour gemm` with such a form; returns the exit status.
int run_bit_gemm(const emu::BitForm& form);

}  // namespace twofour::cli
