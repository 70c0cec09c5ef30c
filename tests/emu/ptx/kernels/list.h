#pragma once
// examples/kernels/kernels.json, and the data that its entries run on.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "twofour/emu/matrix/sparse_matrix.h"

namespace twofour::emu::ptx::kernels {

/// kind: input, inout, output, scalar, compressed (the stored half of a random sparse matrix), codes (of the
/// matrix `of`, a byte a code), words (its `e` registers for `instruction` and `selector`), metadata (the `e`
/// registers of a random matrix, by itself).
struct Parameter {
  std::string name, kind, type;
  std::int64_t rows = 0, cols = 0;  ///< elements; of a compressed matrix: logical
  std::string fill;                 ///< random, range (low .. high), zero
  std::uint64_t seed = 0;
  double scale = 1;                           ///< of random f16 values, a power of two
  std::int64_t low = 0, high = 0, value = 0;  ///< value: of a scalar
  std::string of, instruction;
  int selector = 0;
  std::string after, freed;  ///< filled by that entry; that entry's buffer is freed before this one runs
};

/// What a correct kernel must equal. kind: matrix, conv, host.
struct Check {
  std::string kind, instruction, reference;
  bool satfinite = false;
  std::int64_t pad_k = 0, batch = 0;
};

/// What is wrong with a broken kernel. Empty tool: nothing, it prepares another one.
struct Broken {
  std::string tool, error, space;
  std::string instruction;  ///< as the PTX spells it
  std::vector<std::uint32_t> block_index;  ///< empty: any
  int warp = -1;
  std::vector<int> lanes;
};

struct Kernel {
  std::string file, entry;
  std::vector<Parameter> parameters;
  std::vector<std::uint32_t> grid, block;
  std::uint64_t shared = 0;  ///< dynamic, bytes
  bool is_broken = false;
  Check check;
  Broken broken;
};

/// Throws on anything unexpected in the file.
std::vector<Kernel> load_kernels();
/// Path of a file of examples/kernels.
std::string kernel_path(const std::string& file);

/// What a pointer parameter points to.
struct Buffer {
  std::string type;
  std::int64_t rows = 0, cols = 0;
  std::vector<std::byte> bytes;

  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(bytes.data());
  }
};
/// The same as a matrix of its element type.
PackedMatrix matrix(const Buffer& buffer);
Buffer buffer(const PackedMatrix& matrix);

/// A kernel and its data. Outputs start with a pattern that no kernel writes everywhere.
struct Case {
  const Kernel* kernel = nullptr;
  std::map<std::string, Buffer> buffers;
  std::map<std::string, std::int64_t> scalars;
  std::map<std::string, SparseMatrix> sparse;
};
Case make_case(const Kernel& kernel);

}  // namespace twofour::emu::ptx::kernels
