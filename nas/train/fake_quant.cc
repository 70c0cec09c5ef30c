#include "twofour/nas/train/fake_quant.h"

#include <algorithm>
#include <cmath>
#include <cstring>

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

struct InputQuantiser : torch::autograd::Function<InputQuantiser> {
  static Tensor forward(AutogradContext* ctx, const Tensor& input, const Tensor& step, std::int64_t levels) {
    const Tensor x = input.contiguous(input.suggest_memory_format());
    Tensor y = torch::empty_like(x);
    const float s = step.item<float>(), inverse = 1 / s, high = float(levels);
    const float* from = x.data_ptr<float>();
    float* to = y.data_ptr<float>();
    for_units(x.numel(), [=](std::int64_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = activation_code(from[i], inverse, high) * s;
    });
    ctx->save_for_backward({x, step});
    ctx->saved_data["levels"] = levels;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor x = saved[0];
    const Tensor g = grads[0].contiguous(x.suggest_memory_format());
    const float inverse = 1 / saved[1].item<float>(), high = float(ctx->saved_data["levels"].toInt());
    Tensor gx = torch::empty_like(x);
    const float *px = x.data_ptr<float>(), *pg = g.data_ptr<float>();
    float* to = gx.data_ptr<float>();
    std::vector<double> sums(std::size_t((x.numel() + unit - 1) / unit));
    for_units(x.numel(), [&](std::int64_t u, std::int64_t begin, std::int64_t end) {
      float sum = 0;
      for (std::int64_t i = begin; i < end; ++i) {
        const float v = px[i] * inverse, code = activation_code(px[i], inverse, high);
        const bool inside = v >= 0 && v <= high;
        to[i] = inside ? pg[i] : 0.0f;
        sum += pg[i] * (inside ? code - v : code);
      }
      sums[std::size_t(u)] = sum;
    });
    double total = 0;
    for (double s : sums) total += s;
    const double scale = 1 / std::sqrt(double(x.numel()) / double(x.size(0)) * high);
    return {gx, torch::full_like(saved[1], total * scale), Tensor()};
  }
};

/// Rounds to f16 or bf16 and back, straight-through gradient.
struct FloatRounding : torch::autograd::Function<FloatRounding> {
  static Tensor forward(AutogradContext*, const Tensor& x, torch::ScalarType type) {
    return x.to(type).to(torch::kFloat);
  }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0], Tensor()}; }
};

/// Ties to even at 10 fraction bits, as cvt.rn.tf32 and the host code of libraries round.
float round_tf32(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits += 0xfffu + (bits >> 13 & 1u);
  bits &= ~0x1fffu;
  std::memcpy(&x, &bits, sizeof bits);
  return x;
}

struct Tf32Rounding : torch::autograd::Function<Tf32Rounding> {
  static Tensor forward(AutogradContext*, const Tensor& input) {
    const Tensor x = input.contiguous(input.suggest_memory_format());
    Tensor y = torch::empty_like(x);
    const float* from = x.data_ptr<float>();
    float* to = y.data_ptr<float>();
    for_units(x.numel(), [=](std::int64_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = round_tf32(from[i]);
    });
    return y;
  }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0]}; }
};

struct WeightQuantiser : torch::autograd::Function<WeightQuantiser> {
  static Tensor forward(AutogradContext* ctx, const Tensor& weight, const Tensor& step, Quantiser q) {
    const Tensor w = weight.contiguous(torch::MemoryFormat::ChannelsLast);
    Tensor y = torch::empty_like(w);
    const std::int64_t rows = w.size(0), k = w.numel() / rows;
    const float *from = w.data_ptr<float>(), *steps = step.data_ptr<float>();
    float* to = y.data_ptr<float>();
    for (std::int64_t r = 0; r < rows; ++r) {
      weight_codes(from + r * k, k, steps[r], q, to + r * k);
      if (is_integer(q))
        for (std::int64_t i = r * k; i < (r + 1) * k; ++i) to[i] *= steps[r];
    }
    ctx->save_for_backward({w, step});
    ctx->saved_data["precision"] = static_cast<std::int64_t>(q.precision);
    ctx->saved_data["sparse"] = q.sparse;
    ctx->saved_data["bits"] = std::int64_t(q.weight_bits);
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor w = saved[0], step = saved[1], g = grads[0].contiguous(torch::MemoryFormat::ChannelsLast);
    const Quantiser q{static_cast<Precision>(ctx->saved_data["precision"].toInt()),
                      ctx->saved_data["sparse"].toBool(), int(ctx->saved_data["bits"].toInt()), 0};
    const std::int64_t rows = w.size(0), k = w.numel() / rows;
    Tensor gw = torch::empty_like(w), gs = torch::zeros_like(step);
    const float* steps = step.data_ptr<float>();
    for (std::int64_t r = 0; r < rows; ++r)
      gs.data_ptr<float>()[r] = row_backward(w.data_ptr<float>() + r * k, g.data_ptr<float>() + r * k, k,
                                             steps[r], q, gw.data_ptr<float>() + r * k);
    return {gw, gs, Tensor()};
  }

 private:
  /// Writes the gradient of a row of weights and returns that of its step.
  static float row_backward(const float* w, const float* g, std::int64_t k, float step, Quantiser q,
                            float* gw) {
    std::vector<float> keep(std::size_t(k), 1.0f);
    if (q.sparse) magnitude_mask(w, k, prunes_pairs(q), keep.data());
    std::vector<float> codes(std::size_t(k), 0.0f);
    weight_codes(w, k, step, q, codes.data());
    const bool clips = is_integer(q) && q.weight_bits > 1;
    const float high = float(weight_levels(q)), inverse = 1 / step;
    double sum = 0;
    for (std::int64_t i = 0; i < k; ++i) {
      const std::size_t u = std::size_t(i);
      const float v = w[i] * keep[u] * inverse;
      const bool inside = !clips || std::abs(v) <= high;
      gw[i] = (inside ? g[i] : 0.0f) + sr_ste_decay * (1 - keep[u]) * w[i];
      sum += double(g[i]) * double(clips && inside ? codes[u] - v : codes[u]);
    }
    return is_integer(q) ? float(sum / std::sqrt(double(k) * double(high))) : 0.0f;
  }
};

}  // namespace

void weight_codes(const float* row, std::int64_t k, float step, Quantiser q, float* codes) {
  const std::vector<float> masked = masked_row(row, k, q);
  const float inverse = 1 / step, high = float(weight_levels(q));
  for (std::int64_t i = 0; i < k; ++i) {
    const float w = masked[std::size_t(i)];
    switch (q.precision) {
      case Precision::f32: codes[i] = w; break;
      case Precision::f16: codes[i] = static_cast<float>(static_cast<c10::Half>(w)); break;
      case Precision::bf16: codes[i] = static_cast<float>(static_cast<c10::BFloat16>(w)); break;
      case Precision::tf32: codes[i] = round_tf32(w); break;
      case Precision::integer:
        codes[i] = q.weight_bits == 1 ? (w >= 0 ? 1.0f : -1.0f)
                                      : std::min(std::max(std::floor(w * inverse + 0.5f), -high), high);
    }
  }
}

Tensor quantise_input(const Tensor& x, const Tensor& step, Quantiser q) {
  switch (q.precision) {
    case Precision::f32: return x;
    case Precision::f16: return FloatRounding::apply(x, torch::kHalf);
    case Precision::bf16: return FloatRounding::apply(x, torch::kBFloat16);
    case Precision::tf32: return Tf32Rounding::apply(x);
    case Precision::integer: break;
  }
  return InputQuantiser::apply(x, step, std::int64_t(activation_levels(q)));
}

Tensor quantise_weight(const Tensor& w, const Tensor& step, Quantiser q) {
  if (q.precision == Precision::f32 && !q.sparse) return w;
  return WeightQuantiser::apply(w, step, q);
}

}  // namespace twofour::nas
