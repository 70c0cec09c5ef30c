#include "twofour/nas/train/fake_quant.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "twofour/nas/train/rounding_kernels.h"

namespace twofour::nas {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Elements of one unit of parallel work; sums are taken unit by unit, so that they do not depend on the
/// thread count.
constexpr std::int64_t unit = 1 << 15;

template <class F>
void for_units(std::int64_t n, const F& f) {
  const std::int64_t units = (n + unit - 1) / unit;
  at::parallel_for(0, units, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t u = begin; u < end; ++u) f(u, u * unit, std::min(n, (u + 1) * unit));
  });
}

/// f(row) for all rows of k elements.
template <class F>
void for_rows(std::int64_t rows, std::int64_t k, const F& f) {
  at::parallel_for(0, rows, std::max<std::int64_t>(1, unit / k), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) f(r);
  });
}

struct InputQuantiser : torch::autograd::Function<InputQuantiser> {
  static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& step, std::int64_t levels) {
    const Tensor x = input.contiguous(input.suggest_memory_format());
    Tensor y = torch::empty_like(x);
    const float s = step.item<float>(), high = float(levels);
    const float* from = x.data_ptr<float>();
    float* to = y.data_ptr<float>();
    for_units(x.numel(), [=](std::int64_t, std::int64_t begin, std::int64_t end) {
      round_activations(from + begin, end - begin, s, high, to + begin);
    });
    ctx->save_for_backward({x, step});
    ctx->saved_data["levels"] = levels;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor x = saved[0];
    const Tensor g = grads[0].contiguous(x.suggest_memory_format());
    const float s = saved[1].item<float>(), high = float(ctx->saved_data["levels"].toInt());
    Tensor gx = torch::empty_like(x);
    const float *px = x.data_ptr<float>(), *pg = g.data_ptr<float>();
    float* to = gx.data_ptr<float>();
    std::vector<double> sums(std::size_t((x.numel() + unit - 1) / unit));
    for_units(x.numel(), [&](std::int64_t u, std::int64_t begin, std::int64_t end) {
      sums[std::size_t(u)] = activation_gradients(px + begin, pg + begin, end - begin, s, high, to + begin);
    });
    double total = 0;
    for (double sum : sums) total += sum;
    const double scale = 1 / std::sqrt(double(x.numel()) / double(x.size(0)) * high);
    return {gx, torch::full_like(saved[1], total * scale), Tensor()};
  }
};

Tensor rounded_tf32(const Tensor& input) {
  const Tensor x = input.contiguous(input.suggest_memory_format());
  Tensor y = torch::empty_like(x);
  const float* from = x.data_ptr<float>();
  float* to = y.data_ptr<float>();
  for_units(x.numel(), [=](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = round_tf32(from[i]);
  });
  return y;
}

Tensor rounded_float(const Tensor& x, Precision precision) {
  switch (precision) {
    case Precision::f16: return x.to(torch::kHalf).to(torch::kFloat);
    case Precision::bf16: return x.to(torch::kBFloat16).to(torch::kFloat);
    case Precision::tf32: return rounded_tf32(x);
    default: return x;
  }
}

/// Rounds to a float type and back, straight-through gradient.
struct FloatRounding : torch::autograd::Function<FloatRounding> {
  static Tensor forward(AutogradContext*, const Tensor& x, std::int64_t precision) {
    return rounded_float(x, static_cast<Precision>(precision));
  }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0], Tensor()}; }
};

/// Weights of floats: the mask, then the rounding.
struct FloatWeights : torch::autograd::Function<FloatWeights> {
  static Tensor forward(AutogradContext* ctx, const Tensor& w, const Tensor& mask, std::int64_t precision,
                        double share, double decay) {
    ctx->save_for_backward({w, mask});
    ctx->saved_data["share"] = share;
    ctx->saved_data["decay"] = decay;
    return rounded_float(w * mask, static_cast<Precision>(precision));
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor w = saved[0], mask = saved[1], g = grads[0];
    const Tensor pruned = g * ctx->saved_data["share"].toDouble() + w * ctx->saved_data["decay"].toDouble();
    return {torch::where(mask > 0, g, pruned), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

/// Row r of the weights, of K = numel / Cout.
WeightRow weight_row(const Tensor& w, const Tensor& mask, const Tensor& step, std::int64_t r, int bits) {
  const std::int64_t k = w.numel() / w.size(0);
  const Quantiser q = integer_quantiser(bits, bits);
  return {w.data_ptr<float>() + r * k,
          mask.defined() ? mask.data_ptr<float>() + r * k : nullptr,
          k,
          step.data_ptr<float>()[r],
          float(weight_levels(q)),
          bits == 1};
}

/// Weights of integers. w and mask (or undefined) are channels last, so that rows are contiguous.
struct IntegerWeights : torch::autograd::Function<IntegerWeights> {
  static Tensor forward(AutogradContext* ctx, const Tensor& weight, const Tensor& step,
                        const c10::optional<Tensor>& kept, std::int64_t bits, double share, double decay) {
    const Tensor mask = kept.value_or(Tensor());
    const Tensor w = weight.contiguous(torch::MemoryFormat::ChannelsLast);
    Tensor y = torch::empty_like(w);
    const std::int64_t k = w.numel() / w.size(0);
    for_rows(w.size(0), k, [&](std::int64_t r) {
      const WeightRow row = weight_row(w, mask, step, r, int(bits));
      float* to = y.data_ptr<float>() + r * k;
      weight_row_codes(row, to);
      for (std::int64_t i = 0; i < k; ++i) to[i] *= row.step;
    });
    ctx->save_for_backward({w, step, mask});
    ctx->saved_data["bits"] = bits;
    ctx->saved_data["share"] = share;
    ctx->saved_data["decay"] = decay;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor w = saved[0], step = saved[1], mask = saved[2],
                 g = grads[0].contiguous(torch::MemoryFormat::ChannelsLast);
    const int bits = int(ctx->saved_data["bits"].toInt());
    const float share = float(ctx->saved_data["share"].toDouble()),
                decay = float(ctx->saved_data["decay"].toDouble());
    const std::int64_t k = w.numel() / w.size(0);
    Tensor gw = torch::empty_like(w), gs = torch::empty_like(step);
    for_rows(w.size(0), k, [&](std::int64_t r) {
      const WeightRow row = weight_row(w, mask, step, r, bits);
      const double sum =
          weight_row_gradients(row, g.data_ptr<float>() + r * k, share, decay, gw.data_ptr<float>() + r * k);
      gs.data_ptr<float>()[r] = float(sum / std::sqrt(double(k) * double(row.levels)));
    });
    return {gw, gs, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

float round_tf32(float x) {
  if (std::isnan(x)) return x;
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x1000u) & ~0x1fffu;
  std::memcpy(&x, &bits, sizeof bits);
  return x;
}

void weight_codes(const float* row, std::int64_t k, float step, Quantiser q, float* codes) {
  const std::vector<float> masked = masked_row(row, k, q);
  if (is_integer(q))
    return weight_row_codes({masked.data(), nullptr, k, step, float(weight_levels(q)), q.weight_bits == 1},
                            codes);
  const Tensor values = torch::from_blob(const_cast<float*>(masked.data()), {k}, torch::kFloat);
  const Tensor rounded = rounded_float(values, q.precision);
  std::copy_n(rounded.data_ptr<float>(), k, codes);
}

Tensor weight_mask(const Tensor& weight, Quantiser q) {
  const Tensor w = weight.detach().contiguous(torch::MemoryFormat::ChannelsLast);
  Tensor mask = torch::empty_like(w);
  const std::int64_t k = w.numel() / w.size(0);
  for_rows(w.size(0), k, [&](std::int64_t r) {
    magnitude_mask(w.data_ptr<float>() + r * k, k, sparse_form(q), mask.data_ptr<float>() + r * k);
  });
  return mask;
}

Tensor quantise_input(const Tensor& x, const Tensor& step, Quantiser q) {
  if (q.precision == Precision::f32) return x;
  if (!is_integer(q)) return FloatRounding::apply(x, static_cast<std::int64_t>(q.precision));
  return InputQuantiser::apply(x, step, std::int64_t(activation_levels(q)));
}

Tensor quantise_weight(const Tensor& w, const Tensor& step, Quantiser q, const Pruning& pruning) {
  c10::optional<Tensor> mask;
  if (q.sparse) mask = pruning.mask.defined() ? pruning.mask : weight_mask(w, q);
  const double share = pruning.gradient.share, decay = pruning.gradient.decay;
  if (is_integer(q)) return IntegerWeights::apply(w, step, mask, std::int64_t(q.weight_bits), share, decay);
  const auto precision = static_cast<std::int64_t>(q.precision);
  if (q.sparse) return FloatWeights::apply(w, *mask, precision, share, decay);
  return q.precision == Precision::f32 ? w : FloatRounding::apply(w, precision);
}

}  // namespace twofour::nas
