#include "twofour/nas/train/mixed_quant.h"

#include <algorithm>
#include <cmath>

#include "twofour/nas/train/mixed_rounding.h"

namespace twofour::nas {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Values of one unit of parallel work; sums are taken unit by unit, so that they do not depend on the
/// thread count.
constexpr std::int64_t unit = 1 << 15;

/// Pull on masked weights: SR-STE (Zhou et al., ICLR 2021, arXiv 2102.04010), as in fake_quant.h.
constexpr float masked_decay = 2e-4f;

std::vector<std::int64_t> packed(const std::vector<Quantiser>& quantisers) {
  std::vector<std::int64_t> all;
  for (Quantiser q : quantisers)
    for (int field : {int(q.precision), int(q.sparse), q.weight_bits, q.activation_bits})
      all.push_back(field);
  return all;
}

std::vector<Quantiser> unpacked(const std::vector<std::int64_t>& fields) {
  std::vector<Quantiser> all;
  for (std::size_t i = 0; i < fields.size(); i += 4)
    all.push_back(
        {static_cast<Precision>(fields[i]), fields[i + 1] != 0, int(fields[i + 2]), int(fields[i + 3])});
  return all;
}

/// f(first, count) for blocks of [begin, end).
template <class F>
void for_blocks(std::int64_t begin, std::int64_t end, const F& f) {
  for (std::int64_t i = begin; i < end; i += rounding_block)
    f(i, int(std::min<std::int64_t>(rounding_block, end - i)));
}

/// One part of a mixture with its share; parts of share 0 take no part.
struct Part {
  std::size_t index;
  Rounding rounding;
  float share;
};

std::vector<Part> input_parts(const Tensor& shares, const Tensor& steps,
                              const std::vector<Quantiser>& forms) {
  std::vector<Part> parts;
  for (std::size_t q = 0; q < forms.size(); ++q)
    parts.push_back({q, input_rounding(forms[q], steps.data_ptr<float>()[q]), shares.data_ptr<float>()[q]});
  return parts;
}

struct InputMixture : torch::autograd::Function<InputMixture> {
  static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& shares, const Tensor& steps,
                        const std::vector<Quantiser>& forms) {
    const Tensor x = input.contiguous(input.suggest_memory_format());
    Tensor y = torch::empty_like(x);
    const std::vector<Part> parts = input_parts(shares, steps, forms);
    const float* from = x.data_ptr<float>();
    float* to = y.data_ptr<float>();
    at::parallel_for(0, x.numel(), unit, [&](std::int64_t begin, std::int64_t end) {
      for_blocks(begin, end, [&](std::int64_t i, int n) {
        std::fill_n(to + i, n, 0.0f);
        for (const Part& p : parts)
          if (p.share != 0) add_rounded(p.rounding, p.share, from + i, n, to + i);
      });
    });
    ctx->save_for_backward({x, shares, steps});
    ctx->saved_data["forms"] = packed(forms);
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor x = saved[0], shares = saved[1], steps = saved[2];
    const Tensor g = grads[0].contiguous(x.suggest_memory_format());
    const std::vector<Part> parts =
        input_parts(shares, steps, unpacked(ctx->saved_data["forms"].toIntVector()));
    Tensor gx = torch::empty_like(x);
    const std::vector<RoundingGradient> sums = sum_units(parts, x, g, gx);
    Tensor of_shares = torch::zeros_like(shares), of_steps = torch::zeros_like(steps);
    const double elements = double(x.numel()) / double(x.size(0));
    for (std::size_t q = 0; q < parts.size(); ++q) {
      of_shares.data_ptr<float>()[q] = float(sums[q].share);
      if (parts[q].rounding.precision == Precision::integer)
        of_steps.data_ptr<float>()[q] = float(double(parts[q].share) * sums[q].step /
                                              std::sqrt(elements * double(parts[q].rounding.high)));
    }
    return {gx, of_shares, of_steps, Tensor()};
  }

 private:
  /// Writes the gradient of x; returns the sums by part.
  static std::vector<RoundingGradient> sum_units(const std::vector<Part>& parts, const Tensor& x,
                                                 const Tensor& g, Tensor& gx) {
    const std::int64_t n = x.numel(), units = (n + unit - 1) / unit;
    const float *px = x.data_ptr<float>(), *pg = g.data_ptr<float>();
    float* to = gx.data_ptr<float>();
    std::vector<RoundingGradient> by_unit(std::size_t(units) * parts.size());
    at::parallel_for(0, units, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t u = first; u < last; ++u)
        for_blocks(u * unit, std::min(n, (u + 1) * unit), [&](std::int64_t i, int count) {
          std::fill_n(to + i, count, 0.0f);
          for (std::size_t q = 0; q < parts.size(); ++q) {
            const RoundingGradient part =
                add_backward(parts[q].rounding, parts[q].share, px + i, pg + i, count, to + i);
            RoundingGradient& sum = by_unit[std::size_t(u) * parts.size() + q];
            sum.share += part.share;
            sum.step += part.step;
          }
          for (int j = 0; j < count; ++j) to[i + j] *= pg[i + j];
        });
    });
    std::vector<RoundingGradient> sums(parts.size());
    for (std::size_t i = 0; i < by_unit.size(); ++i) {
      sums[i % parts.size()].share += by_unit[i].share;
      sums[i % parts.size()].step += by_unit[i].step;
    }
    return sums;
  }
};

/// Which pattern prunes sparse weights: quantisers of one pattern share a mask.
std::size_t mask_pattern(Quantiser q) {
  return q.precision == Precision::tf32 ? 0 : is_integer(q) && q.weight_bits == 4 ? 1 : 2;
}

/// The masked forms of one row of weights that a list of options needs.
class MaskedRow {
 public:
  MaskedRow(const float* row, std::int64_t k, const std::vector<Quantiser>& options) : row_(row) {
    for (Quantiser q : options) {
      if (!q.sparse) continue;
      std::vector<float>& values = masked_[mask_pattern(q)];
      if (values.empty()) values = masked_row(row, k, q);
    }
  }
  const float* values(Quantiser q) const { return q.sparse ? masked_[mask_pattern(q)].data() : row_; }

 private:
  const float* row_;
  std::vector<float> masked_[3];
};

struct WeightMixture : torch::autograd::Function<WeightMixture> {
  static Tensor forward(AutogradContext* ctx, const Tensor& weight, const Tensor& shares, const Tensor& steps,
                        const std::vector<Quantiser>& options) {
    const Tensor w = weight.contiguous(torch::MemoryFormat::ChannelsLast);
    Tensor y = torch::empty_like(w);
    const std::int64_t rows = w.size(0), k = w.numel() / rows;
    at::parallel_for(0, rows, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t r = first; r < last; ++r) {
        const MaskedRow masked(w.data_ptr<float>() + r * k, k, options);
        float* to = y.data_ptr<float>() + r * k;
        std::fill_n(to, k, 0.0f);
        for (std::size_t o = 0; o < options.size(); ++o) {
          const float share = shares.data_ptr<float>()[o];
          const Rounding rounding = row_rounding(steps, options, o, r);
          if (share == 0) continue;
          for_blocks(0, k, [&](std::int64_t i, int n) {
            add_rounded(rounding, share, masked.values(options[o]) + i, n, to + i);
          });
        }
      }
    });
    ctx->save_for_backward({w, shares, steps});
    ctx->saved_data["options"] = packed(options);
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor w = saved[0], shares = saved[1], steps = saved[2],
                 g = grads[0].contiguous(torch::MemoryFormat::ChannelsLast);
    const std::vector<Quantiser> options = unpacked(ctx->saved_data["options"].toIntVector());
    const std::int64_t rows = w.size(0), k = w.numel() / rows;
    Tensor gw = torch::zeros_like(w), of_shares = torch::zeros_like(shares),
           of_steps = torch::zeros_like(steps);
    std::vector<double> share_sums(std::size_t(rows) * options.size());
    at::parallel_for(0, rows, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t r = first; r < last; ++r)
        row_backward(r, k, w.data_ptr<float>() + r * k, g.data_ptr<float>() + r * k, shares, steps, options,
                     gw.data_ptr<float>() + r * k, &share_sums[std::size_t(r) * options.size()], of_steps);
    });
    for (std::size_t o = 0; o < options.size(); ++o) {
      double sum = 0;
      for (std::size_t r = 0; r < std::size_t(rows); ++r) sum += share_sums[r * options.size() + o];
      of_shares.data_ptr<float>()[o] = float(sum);
    }
    return {gw, of_shares, of_steps, Tensor()};
  }

 private:
  static Rounding row_rounding(const Tensor& steps, const std::vector<Quantiser>& options, std::size_t o,
                               std::int64_t row) {
    return weight_rounding(options[o], steps.data_ptr<float>()[std::int64_t(o) * steps.size(1) + row]);
  }

  static void row_backward(std::int64_t r, std::int64_t k, const float* w, const float* g,
                           const Tensor& shares, const Tensor& steps, const std::vector<Quantiser>& options,
                           float* gw, double* share_sums, Tensor& of_steps) {
    const MaskedRow masked(w, k, options);
    std::vector<float> decay(std::size_t(k), 0.0f);
    for (std::size_t o = 0; o < options.size(); ++o) {
      const float share = shares.data_ptr<float>()[o];
      const Rounding rounding = row_rounding(steps, options, o, r);
      const float* values = masked.values(options[o]);
      RoundingGradient sum;
      for_blocks(0, k, [&](std::int64_t i, int n) {
        const RoundingGradient part = add_backward(rounding, share, values + i, g + i, n, gw + i);
        sum.share += part.share;
        sum.step += part.step;
      });
      share_sums[o] = sum.share;
      if (is_integer(options[o]))
        of_steps.data_ptr<float>()[std::int64_t(o) * steps.size(1) + r] =
            float(double(share) * sum.step / std::sqrt(double(k) * double(rounding.high)));
      if (options[o].sparse)
        for (std::int64_t i = 0; i < k; ++i) decay[std::size_t(i)] += share * (w[i] - values[i]);
    }
    for (std::int64_t i = 0; i < k; ++i) gw[i] = gw[i] * g[i] + masked_decay * decay[std::size_t(i)];
  }
};

}  // namespace

Tensor mix_inputs(const Tensor& x, const Tensor& shares, const Tensor& steps,
                  const std::vector<Quantiser>& forms) {
  return InputMixture::apply(x, shares, steps, forms);
}

Tensor mix_weights(const Tensor& w, const Tensor& shares, const Tensor& steps,
                   const std::vector<Quantiser>& options) {
  return WeightMixture::apply(w, shares, steps, options);
}

}  // namespace twofour::nas
