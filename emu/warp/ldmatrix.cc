#include "twofour/emu/warp/ldmatrix.h"

#include <cstring>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

constexpr int rows = 8, row_bytes = 16;

void check_row(const isa::Instruction& i, int lane, std::uint64_t address, std::size_t bytes) {
  if (address % row_bytes != 0)
    fail("{}: lane {} gives address {}, which is not a multiple of {}", isa::ptx_name(i), lane, address,
         row_bytes);
  if (address > bytes || bytes - address < row_bytes)
    fail("{}: the row at address {} of lane {} lies outside the {} bytes of shared memory", isa::ptx_name(i),
         address, lane, bytes);
}

/// The matrix whose row i starts at addresses[i], four lanes a row.
LaneRegister load_matrix(std::span<const std::byte> shared, const std::uint64_t* addresses) {
  LaneRegister out{};
  for (std::size_t row = 0; row < rows; ++row)
    std::memcpy(out.data() + 4 * row, shared.data() + addresses[row], row_bytes);
  return out;
}

}  // namespace

LaneRegister movmatrix(const LaneRegister& a) {
  std::uint16_t in[rows * rows], out[rows * rows];  // a row is four words, low halves first
  std::memcpy(in, a.data(), sizeof in);
  for (int row = 0; row < rows; ++row)
    for (int col = 0; col < rows; ++col) out[col * rows + row] = in[row * rows + col];
  LaneRegister result;
  std::memcpy(result.data(), out, sizeof out);
  return result;
}

Fragment ldmatrix(const isa::Instruction& i, std::span<const std::byte> shared,
                  std::span<const std::uint64_t, warp_lanes> addresses) {
  if (i.family != isa::Family::ldmatrix) fail("{} is no ldmatrix", isa::ptx_name(i));
  const int matrices = i.movement.matrices;
  for (int lane = 0; lane < rows * matrices; ++lane)
    check_row(i, lane, addresses[std::size_t(lane)], shared.size());
  Fragment f;
  for (int j = 0; j < matrices; ++j) {
    const LaneRegister matrix = load_matrix(shared, addresses.data() + rows * j);
    f.word[std::size_t(j)] = i.movement.transposed ? movmatrix(matrix) : matrix;
  }
  return f;
}

}  // namespace twofour::emu
