#pragma once
#include "list.h"

namespace twofour::emu::ptx::kernels {

/// Compares what a kernel left in its buffers with what the data it began with asks for:
///   matrix, conv  with the whole-matrix path of the instruction, bit for bit
///   host          with a plain function of that name, bit for bit; attention within a bound
///   (host.cc)
/// Empty if equal, else the first difference. Throws Error for an unknown reference.
std::string mismatch(const Case& before, const Case& after);

/// The same for a host reference alone.
std::string host_mismatch(const std::string& reference, const Case& before, const Case& after);

/// "d[3][5] is 0x.., expected 0x..", or empty.
std::string difference(const std::string& name, const Buffer& got, const Buffer& expected);

}  // namespace twofour::emu::ptx::kernels
