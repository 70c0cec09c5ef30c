#include "twofour/nas/compress/obs.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "twofour/isa/error.h"
#include "twofour/nas/compress/obs_mask.h"

namespace twofour::nas {
namespace {

using Eigen::Index;
using Eigen::MatrixXf;
using Eigen::VectorXf;

using GivenRows = Eigen::Map<const RowMatrix>;

constexpr int step_candidates = 25;        ///< of compensated rounding
constexpr int plain_step_candidates = 80;  ///< of rounding to the nearest

struct Codes {
  int bits;

  float levels() const { return bits == 1 ? 1.0f : float((1 << (bits - 1)) - 1); }
  /// Half a code rounds up, as fake quantisation does.
  float round(float x) const {
    if (bits == 1) return x >= 0 ? 1.0f : -1.0f;
    return std::clamp(std::floor(x + 0.5f), -levels(), levels());
  }
  /// Candidate i of n: from the one that does not clip downwards; of one bit, around the mean magnitude.
  float candidate(const VectorXf& row, int i, int n, float least) const {
    const float part = least + (1 - least) * float(n - i) / float(n);
    if (bits == 1) return std::max(row.cwiseAbs().mean() * 2 * part, 1e-12f);
    return std::max(row.cwiseAbs().maxCoeff() / levels() * part, 1e-12f);
  }
};

void check(const std::vector<float>& weights, std::int64_t rows, const InputMoments& m,
           const ObsSettings& s) {
  const std::int64_t k = m.columns;
  if (k < 1 || rows < 1 || std::int64_t(weights.size()) != rows * k || std::int64_t(m.gram.size()) != k * k)
    fail("compensated pruning: {} weights and {} moments for {} rows of {}", weights.size(), m.gram.size(),
         rows, k);
  if (s.form != isa::Sparsity::dense && k % isa::group_columns(s.form) != 0)
    fail("compensated pruning: {} columns are not whole groups of {}", k, isa::group_columns(s.form));
  if (s.bits < 0 || s.bits > 8) fail("compensated rounding: {} bits; use 1 to 8, or 0 for none", s.bits);
  if (s.bits == 1 && s.form != isa::Sparsity::dense)
    fail("compensated rounding: one-bit weights have no zero");
  if (!s.steps.empty() && std::int64_t(s.steps.size()) != rows)
    fail("compensated rounding: {} steps for {} rows", s.steps.size(), rows);
  const auto finite = [](const std::vector<float>& v) {
    return std::all_of(v.begin(), v.end(), [](float x) { return std::isfinite(x); });
  };
  if (!finite(weights) || !finite(m.gram)) fail("compensated pruning: weights or moments are not finite");
}

MatrixXf damped(const InputMoments& m, double damping) {
  MatrixXf h = Eigen::Map<const MatrixXf>(m.gram.data(), m.columns, m.columns);
  const float mean = h.diagonal().mean();
  h.diagonal().array() += mean > 0 ? float(damping) * mean : 1.0f;
  return h;
}

double output_error(const GivenRows& before, const RowMatrix& after, const InputMoments& m) {
  const RowMatrix e = before - after;
  const RowMatrix product = e * Eigen::Map<const MatrixXf>(m.gram.data(), m.columns, m.columns);
  return product.cwiseProduct(e).cast<double>().sum();
}

/// The kept weights of a row, last rounded first: those with the largest moments, which cost most, are
/// rounded while all others can still compensate.
std::vector<int> kept_columns(const Mask& mask, Index row, const MatrixXf& hessian) {
  std::vector<int> kept;
  for (Index c = 0; c < mask.cols(); ++c)
    if (mask(row, c)) kept.push_back(int(c));
  std::stable_sort(kept.begin(), kept.end(), [&](int a, int b) { return hessian(a, a) < hessian(b, b); });
  return kept;
}

/// H of the kept columns and its Cholesky factor, in place.
struct Factor {
  explicit Factor(MatrixXf h) : l(std::move(h)) {
    const Eigen::LLT<Eigen::Ref<MatrixXf>> llt(l);
    if (llt.info() != Eigen::Success)
      fail("the moments of a layer's inputs are not positive definite; use more damping");
  }
  VectorXf solve(VectorXf x) const {
    l.triangularView<Eigen::Lower>().solveInPlace(x);
    l.triangularView<Eigen::Lower>().transpose().solveInPlace(x);
    return x;
  }
  MatrixXf l;
};

struct Rounded {
  VectorXf codes;
  double error = INFINITY;
};

/// With H = L L^T the error is |L^T e|^2, whose element j holds e_j .. e_n-1 only: from the last column to
/// the first, each is rounded to what is best for all that are rounded already.
Rounded round_in_order(const VectorXf& w, const MatrixXf& l, float step, const Codes& codes, double give_up) {
  const Index n = w.size();
  Rounded out{VectorXf(n), 0};
  VectorXf e(n);
  const float inverse = 1 / step;
  for (Index j = n - 1; j >= 0 && out.error < give_up; --j) {
    const Index behind = n - 1 - j;
    const float target = w(j) + l.col(j).tail(behind).dot(e.tail(behind)) / l(j, j);
    out.codes(j) = codes.round(target * inverse);
    e(j) = w(j) - out.codes(j) * step;
    const double term = double(l(j, j)) * double(target - out.codes(j) * step);
    out.error += term * term;
  }
  return out;
}

/// One layer at work; results are written row by row.
class Compression {
 public:
  Compression(const std::vector<float>& weights, std::int64_t rows, const InputMoments& moments,
              const ObsSettings& settings)
      : w_(weights.data(), rows, moments.columns),
        moments_(moments),
        settings_(settings),
        codes_{settings.bits} {
    if (settings.bits == 0) return;
    result_.codes.resize(weights.size());
    result_.steps.resize(std::size_t(rows));
  }

  ObsResult compensated() {
    hessian_ = damped(moments_, settings_.damping);
    mask_ = obs_masks(w_, hessian_, settings_.form);
    pruned_ = out_ = RowMatrix::Zero(w_.rows(), w_.cols());
    if (settings_.form == isa::Sparsity::dense) {
      const auto columns = kept_columns(mask_, 0, hessian_);
      const Factor shared(hessian_(columns, columns));
      each_row([&](Index row) { finish_row(row, columns, shared); });
    } else {
      each_row([&](Index row) {
        const auto columns = kept_columns(mask_, row, hessian_);
        finish_row(row, columns, Factor(hessian_(columns, columns)));
      });
    }
    return take();
  }

  ObsResult plain() {
    mask_ = magnitude_masks(w_, settings_.form);
    pruned_ = mask_.select(w_, RowMatrix::Zero(w_.rows(), w_.cols()));
    out_ = pruned_;
    if (codes_.bits > 0) each_row([&](Index row) { round_plainly(row); });
    return take();
  }

 private:
  template <class F>
  void each_row(const F& f) {
    std::atomic<bool> stopped = false;
    std::string problem;
#pragma omp parallel for schedule(dynamic)
    for (Index row = 0; row < w_.rows(); ++row) {
      if (stopped) continue;
      try {
        f(row);
      } catch (const Error& e) {
#pragma omp critical
        problem = e.what();
        stopped = true;
      }
      if (settings_.stop && settings_.stop()) stopped = true;
    }
    if (!problem.empty()) fail("{}", problem);
    if (stopped) fail("compensated pruning was stopped");
  }

  /// Least squares for the kept weights, then their codes.
  void finish_row(Index row, const std::vector<int>& kept, const Factor& factor) {
    VectorXf w = w_.row(row)(kept).transpose();
    VectorXf lost = w_.row(row).transpose();
    lost(kept).setZero();
    w += factor.solve((hessian_ * lost)(kept));
    pruned_.row(row)(kept) = w.transpose();
    if (codes_.bits == 0) {
      out_.row(row) = pruned_.row(row);
      return;
    }
    float step = 0;
    const Rounded rounded = settings_.steps.empty()
                                ? search_step(w, factor.l, step)
                                : round_in_order(w, factor.l, step = given_step(row), codes_, INFINITY);
    store(row, kept, rounded.codes, step);
  }

  float given_step(Index row) const {
    const float step = settings_.steps[std::size_t(row)];
    if (!(step > 0)) fail("compensated rounding: step {} of row {}; steps are positive", step, row);
    return step;
  }

  Rounded search_step(const VectorXf& w, const MatrixXf& l, float& step) const {
    Rounded best;
    for (int i = 0; i < step_candidates; ++i) {
      const float s = codes_.candidate(w, i, step_candidates, 0.4f);
      Rounded r = round_in_order(w, l, s, codes_, best.error);
      if (r.error >= best.error) continue;
      best = std::move(r);
      step = s;
    }
    return best;
  }

  void round_plainly(Index row) {
    const VectorXf w = pruned_.row(row).transpose();
    VectorXf best;
    float step = 0, least = INFINITY;
    for (int i = 0; i < plain_step_candidates; ++i) {
      const float s =
          settings_.steps.empty() ? codes_.candidate(w, i, plain_step_candidates, 0) : given_step(row);
      const VectorXf c = w.unaryExpr([&](float x) { return codes_.round(x / s); });
      const float error = (c * s - w).squaredNorm();
      if (error >= least) continue;
      least = error;
      best = c;
      step = s;
    }
    std::vector<int> all(std::size_t(w.size()));
    std::iota(all.begin(), all.end(), 0);
    store(row, all, best, step);
  }

  void store(Index row, const std::vector<int>& columns, const VectorXf& codes, float step) {
    result_.steps[std::size_t(row)] = step;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const float code = codes(Index(i));
      result_.codes[std::size_t(row * w_.cols() + columns[i])] = static_cast<std::int8_t>(code);
      out_(row, columns[i]) = code * step;
    }
  }

  ObsResult take() {
    result_.weights.assign(out_.data(), out_.data() + out_.size());
    result_.error = output_error(w_, out_, moments_);
    result_.pruned_error = output_error(w_, pruned_, moments_);
    return std::move(result_);
  }

  GivenRows w_;
  const InputMoments& moments_;
  const ObsSettings& settings_;
  Codes codes_;
  MatrixXf hessian_;
  Mask mask_;
  RowMatrix pruned_, out_;
  ObsResult result_;
};

}  // namespace

InputMoments centred(InputMoments m) {
  for (std::int64_t i = 0; i < m.columns; ++i)
    for (std::int64_t j = 0; j < m.columns; ++j)
      m.gram[std::size_t(i * m.columns + j)] -= m.mean[std::size_t(i)] * m.mean[std::size_t(j)];
  return m;
}

ObsResult round_weights(const std::vector<float>& weights, std::int64_t rows, const InputMoments& moments,
                        const ObsSettings& settings) {
  check(weights, rows, moments, settings);
  ObsResult result = Compression(weights, rows, moments, settings).plain();
  result.plain_error = result.error;
  return result;
}

ObsResult compress_weights(const std::vector<float>& weights, std::int64_t rows, const InputMoments& moments,
                           const ObsSettings& settings) {
  check(weights, rows, moments, settings);
  ObsResult result = Compression(weights, rows, moments, settings).compensated();
  result.plain_error = round_weights(weights, rows, moments, settings).error;
  return result;
}

}  // namespace twofour::nas
