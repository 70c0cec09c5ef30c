#pragma once
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "twofour/emu/kernel/run_kernel.h"
#include "twofour/emu/matrix/gemm.h"
#include "twofour/emu/matrix/random.h"
#include "twofour/isa/error.h"

namespace twofour::emu {

/// Random operands of a kernel, and the same filled up with zeros to whole k-chunks for emu::gemm.
struct RandomProblem {
  KernelProblem problem;
  PackedMatrix a, b, c;
  std::optional<SparseMatrix> sparse;

  RandomProblem(const isa::Instruction& i, std::int64_t m, std::int64_t n, std::int64_t k, bool with_c,
                unsigned seed) {
    std::mt19937_64 random(seed);
    problem.instruction = &i;
    problem.m = m, problem.n = n, problem.k = k;
    problem.c = with_c;
    problem.epilogue.output = i.d;
    a = random_matrix(i.a, m, k, random);
    b = random_matrix(i.b, n, k, random);
    c = with_c ? random_matrix(i.c, m, n, random) : PackedMatrix(i.c, m, n);
    if (i.is_sparse()) sparse = compress(prune(a));
  }

  /// One element in `every` gets random bits: NaN, infinities, subnormals. Not for sparse instructions.
  void set_random_bits(int every) {
    std::mt19937_64 random(99);
    for (PackedMatrix* x : {&a, &b})
      for (std::int64_t r = 0; r < x->rows(); ++r)
        for (std::int64_t k = 0; k < x->cols(); ++k)
          if (random() % unsigned(every) == 0) x->set_bits(r, k, random());
  }

  KernelOperands operands() const {
    KernelOperands x;
    x.a = sparse ? &sparse->values : &a;
    x.sparse = sparse ? &*sparse : nullptr;
    x.b_transposed = &b;
    x.c = problem.c ? &c : nullptr;
    return x;
  }

  /// Columns first .. last - 1 multiplied by emu::gemm, from C where `from_c`.
  PackedMatrix product(std::int64_t first, std::int64_t last, bool from_c) const {
    const isa::Instruction& i = *problem.instruction;
    const PackedMatrix part_b = columns(b, first, last);
    const PackedMatrix part_a = columns(sparse ? decompress(*sparse) : a, first, last);
    const PackedMatrix* start = from_c ? &c : nullptr;
    return sparse ? gemm(i, compress(part_a), part_b, start) : gemm(i, part_a, part_b, start);
  }

  /// emu::gemm over K filled up to whole k-chunks.
  PackedMatrix product(int chunk_k) const {
    return product(0, (problem.k + chunk_k - 1) / chunk_k * chunk_k, true);
  }

 private:
  static PackedMatrix columns(const PackedMatrix& x, std::int64_t first, std::int64_t last) {
    PackedMatrix part(x.type(), x.rows(), last - first);
    for (std::int64_t r = 0; r < x.rows(); ++r)
      for (std::int64_t k = first; k < std::min(last, x.cols()); ++k)
        part.set_bits(r, k - first, x.bits(r, k));
    return part;
  }
};

inline Schedule schedule_of(int m, int n, int k_bytes, int stages, int warps_m, int warps_n,
                            int alignment = 16) {
  Schedule s;
  s.tile = {m, n, k_bytes, stages, warps_m, warps_n};
  s.alignment = alignment;
  return s;
}

}  // namespace twofour::emu
