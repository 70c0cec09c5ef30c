#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "twofour/isa/instruction.h"

/// Pruning and rounding of one layer with compensation, without training: Optimal Brain Surgeon on the
/// layer's own outputs. Frantar and Alistarh, "Optimal Brain Compression", NeurIPS 2022; "SparseGPT", 2023
/// (masks group by group); "GPTQ", 2022 (rounding in a fixed order by a Cholesky factor).
namespace twofour::nas {

/// Second moments of what a layer reads, over samples (columns of its im2col matrix).
struct InputMoments {
  std::int64_t columns = 0;  ///< K
  std::vector<float> gram;   ///< K x K, symmetric: mean of x x^T
  std::vector<float> mean;   ///< K
};

/// The moments of x - mean(x): right where a shift of a layer's mean output costs nothing, because the bias
/// (or the batch normalisation after it) is set anew.
InputMoments centred(InputMoments moments);

struct ObsSettings {
  isa::Sparsity form = isa::Sparsity::dense;
  int bits = 0;  ///< weight codes: 2 to 8: -(2^(bits-1) - 1) .. 2^(bits-1) - 1; 1: -1 and 1; 0: not rounded
  double damping = 0.01;            ///< added to the diagonal of the moments, as a part of its mean
  std::vector<float> steps{};       ///< one a row; empty: searched for the least error
  std::function<bool()> stop = {};  ///< may be empty; any thread asks it; true: fails with Error
};

struct ObsResult {
  std::vector<float> weights;      ///< Cout x K: code * step, or the pruned weights when not rounded
  std::vector<std::int8_t> codes;  ///< empty when not rounded
  std::vector<float> steps;        ///< one a row; empty when not rounded
  double error = 0;                ///< mean over the samples of |W x - W^ x|^2
  double pruned_error = 0;         ///< of the pruned weights before they are rounded
  double plain_error = 0;          ///< of magnitude pruning and rounding to the nearest code
};

/// Masks: group after group of columns, for every row the one that adds least to the error when all later
/// columns compensate. Kept weights: the exact least-squares solution for the row's mask. Codes: one column
/// after the other, the columns not yet rounded compensate. Pruned weights stay zero. weights: rows x K, K of
/// the moments. Throws Error for sizes that do not fit, K in no whole groups, moments that are not finite.
ObsResult compress_weights(const std::vector<float>& weights, std::int64_t rows, const InputMoments& moments,
                           const ObsSettings& settings);

/// Magnitude pruning (the rule of emu::prune) and rounding to the nearest code, by the steps of least square
/// error of the weights: what compress_weights is compared with.
ObsResult round_weights(const std::vector<float>& weights, std::int64_t rows, const InputMoments& moments,
                        const ObsSettings& settings);

}  // namespace twofour::nas
