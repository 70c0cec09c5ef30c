#include "twofour/nas/train/mixed_quant.h"

#include <gtest/gtest.h>

#include <cmath>

#include "twofour/nas/train/fake_quant.h"

namespace twofour::nas {
namespace {

using torch::Tensor;

const std::vector<Quantiser> input_forms{{},
                                         {Precision::f16},
                                         {Precision::bf16},
                                         {Precision::tf32},
                                         integer_quantiser(8, 8),
                                         integer_quantiser(4, 4),
                                         integer_quantiser(1, 1)};

const std::vector<Quantiser> options{
    {Precision::f16},        {Precision::f16, true},        {Precision::bf16},
    {Precision::tf32, true}, integer_quantiser(8, 8),       integer_quantiser(8, 8, true),
    integer_quantiser(4, 4), integer_quantiser(4, 4, true), integer_quantiser(1, 1)};

Tensor one_hot(std::size_t n, std::size_t i) {
  Tensor t = torch::zeros({std::int64_t(n)});
  t[std::int64_t(i)] = 1;
  return t;
}

Tensor random_shares(std::size_t n) {
  return torch::softmax(torch::randn({std::int64_t(n)}), 0).set_requires_grad(true);
}

/// Several units of parallel work, no multiple of a vector; with ties, subnormal halves and values out of
/// range.
Tensor random_inputs() {
  torch::manual_seed(3);
  Tensor x = torch::randn({3, 31, 29, 27}) * 2;
  Tensor flat = x.flatten();
  flat.slice(0, 0, 2000).mul_(1e-6);
  flat.slice(0, 2000, 4000) = torch::arange(2000) * 0.0625 - 10;
  flat.slice(0, 4000, 6000) = 1 + torch::arange(2000) * std::ldexp(1.0, -13);
  return x.contiguous(torch::MemoryFormat::ChannelsLast);
}

Tensor random_weights(std::int64_t out = 19) {
  torch::manual_seed(5);
  return (torch::randn({out, 24, 3, 3}) * 0.4).contiguous(torch::MemoryFormat::ChannelsLast);
}

Tensor weight_steps(const Tensor& w) {
  Tensor steps = torch::ones({std::int64_t(options.size()), w.size(0)});
  for (std::size_t o = 0; o < options.size(); ++o)
    if (is_integer(options[o]))
      steps[std::int64_t(o)] = (torch::rand({w.size(0)}) + 0.5) / weight_levels(options[o]);
  return steps;
}

Tensor input_steps() {
  return torch::tensor({1.0f, 1.0f, 1.0f, 1.0f, 0.013f, 0.125f, 0.7f});
}

TEST(MixedInputs, OneFormAloneIsItsQuantiserBitForBit) {
  const Tensor steps = input_steps();
  for (const Tensor& x : {random_inputs(), random_inputs().contiguous()})
    for (std::size_t q = 0; q < input_forms.size(); ++q) {
      const Tensor expected = quantise_input(x, steps.slice(0, q, q + 1), input_forms[q]);
      EXPECT_TRUE(torch::equal(mix_inputs(x, one_hot(input_forms.size(), q), steps, input_forms), expected))
          << q;
    }
}

TEST(MixedInputs, HalvesOverflowAndNanStays) {
  const Tensor x = torch::tensor({65519.0f, 65520.0f, -1e6f, NAN}).view({1, 4, 1, 1});
  const Tensor y = mix_inputs(x, torch::ones({1}), torch::ones({1}), {{Precision::f16}}).flatten();
  EXPECT_EQ(y[0].item<float>(), 65504);
  EXPECT_EQ(y[1].item<float>(), INFINITY);
  EXPECT_EQ(y[2].item<float>(), -INFINITY);
  for (Quantiser q : input_forms) {
    if (is_integer(q)) continue;
    EXPECT_TRUE(
        std::isnan(mix_inputs(x, torch::ones({1}), torch::ones({1}), {q}).flatten()[3].item<float>()));
  }
}

struct Gradients {
  Tensor y, x, shares, steps;
};

template <class Mix>
Gradients gradients(const Tensor& x, const Tensor& shares, const Tensor& steps, const Tensor& g,
                    const Mix& mix) {
  const Tensor px = x.detach().clone(x.suggest_memory_format()).set_requires_grad(true),
               pp = shares.detach().clone().set_requires_grad(true),
               ps = steps.detach().clone().set_requires_grad(true);
  const Tensor y = mix(px, pp, ps);
  y.backward(g);
  return {y.detach(), px.grad(), pp.grad(), ps.grad()};
}

void expect_close(const Tensor& a, const Tensor& b, double relative, const char* what) {
  EXPECT_LE((a - b).abs().max().item<double>(), relative * b.abs().max().item<double>()) << what << "\n"
                                                                                         << a << b;
}

TEST(MixedInputs, GradientsAreTheSumOfThoseOfThePartsQuantisers) {
  const Tensor x = random_inputs(), steps = input_steps(), shares = random_shares(input_forms.size()),
               g = torch::randn_like(x);
  const Gradients mixed = gradients(
      x, shares, steps, g,
      [](const Tensor& a, const Tensor& p, const Tensor& s) { return mix_inputs(a, p, s, input_forms); });
  const Gradients parts =
      gradients(x, shares, steps, g, [](const Tensor& a, const Tensor& p, const Tensor& s) {
        Tensor sum = torch::zeros_like(a);
        for (std::size_t q = 0; q < input_forms.size(); ++q)
          sum = sum + p[std::int64_t(q)] * quantise_input(a, s.slice(0, q, q + 1), input_forms[q]);
        return sum;
      });
  expect_close(mixed.y, parts.y, 1e-6, "mixture");
  expect_close(mixed.x, parts.x, 1e-6, "x");
  expect_close(mixed.shares, parts.shares, 1e-5, "shares");
  expect_close(mixed.steps, parts.steps, 1e-4, "steps");
}

/// The mixture is linear in the shares: a difference quotient is exact but for rounding.
TEST(MixedInputs, GradientOfASharesIsTheDifferenceQuotient) {
  const Tensor x = random_inputs(), steps = input_steps(), shares = random_shares(input_forms.size()),
               g = torch::randn_like(x);
  const Tensor slope = gradients(x, shares, steps, g, [](const Tensor& a, const Tensor& p, const Tensor& s) {
                         return mix_inputs(a, p, s, input_forms);
                       }).shares;
  const auto loss = [&](const Tensor& p) {
    return (mix_inputs(x, p, steps, input_forms).to(torch::kDouble) * g.to(torch::kDouble))
        .sum()
        .item<double>();
  };
  const torch::NoGradGuard no_grad;
  for (std::size_t q = 0; q < input_forms.size(); ++q) {
    const Tensor change = one_hot(input_forms.size(), q) * 0.25;
    const double quotient = (loss(shares + change) - loss(shares - change)) / 0.5;
    EXPECT_NEAR(slope[std::int64_t(q)].item<double>(), quotient, 1e-2 + 1e-5 * std::abs(quotient)) << q;
  }
}

TEST(MixedWeights, OneOptionAloneIsItsQuantiserBitForBit) {
  const Tensor w = random_weights(), steps = weight_steps(w);
  for (std::size_t o = 0; o < options.size(); ++o)
    EXPECT_TRUE(torch::equal(mix_weights(w, one_hot(options.size(), o), steps, options),
                             quantise_weight(w, steps[std::int64_t(o)], options[o])))
        << o;
}

/// Of a weight's SR-STE decay each part has its share; the single quantisers decay in full.
TEST(MixedWeights, GradientsAreTheSumOfThoseOfThePartsQuantisers) {
  const Tensor w = random_weights(), steps = weight_steps(w), shares = random_shares(options.size()),
               g = torch::randn_like(w) * 0.01;
  const Gradients mixed = gradients(
      w, shares, steps, g,
      [](const Tensor& a, const Tensor& p, const Tensor& s) { return mix_weights(a, p, s, options); });
  Gradients parts = gradients(w, shares, steps, g, [](const Tensor& a, const Tensor& p, const Tensor& s) {
    Tensor sum = torch::zeros_like(a);
    for (std::size_t o = 0; o < options.size(); ++o)
      sum = sum + p[std::int64_t(o)] * quantise_weight(a, s[std::int64_t(o)], options[o]);
    return sum;
  });
  const torch::NoGradGuard no_grad;
  for (std::size_t o = 0; o < options.size(); ++o) {
    if (!options[o].sparse) continue;
    Quantiser alone = options[o];
    if (alone.precision == Precision::f16) alone.precision = Precision::f32;
    const Tensor kept = quantise_weight(w, torch::full({w.size(0)}, 1e-6f), alone).ne(0);
    parts.x -= 2e-4 * (1 - shares[std::int64_t(o)]) * w * kept.logical_not();
  }
  expect_close(mixed.y, parts.y, 1e-6, "mixture");
  expect_close(mixed.x, parts.x, 1e-5, "w");
  expect_close(mixed.shares, parts.shares, 1e-5, "shares");
  expect_close(mixed.steps, parts.steps, 1e-4, "steps");
}

TEST(MixedQuantisers, ThreadsDoNotMatter) {
  const Tensor x = random_inputs(), w = random_weights(64), gx = torch::randn_like(x),
               gw = torch::randn_like(w), steps = weight_steps(w),
               form_shares = random_shares(input_forms.size()), shares = random_shares(options.size());
  const auto both = [&](int threads) {
    torch::set_num_threads(threads);
    const Gradients a = gradients(
        x, form_shares, input_steps(), gx,
        [](const Tensor& v, const Tensor& p, const Tensor& s) { return mix_inputs(v, p, s, input_forms); });
    const Gradients b = gradients(
        w, shares, steps, gw,
        [](const Tensor& v, const Tensor& p, const Tensor& s) { return mix_weights(v, p, s, options); });
    return std::vector<Tensor>{a.y, a.x, a.shares, a.steps, b.y, b.x, b.shares, b.steps};
  };
  const int before = torch::get_num_threads();
  const auto one = both(1);
  for (int threads : {2, 3}) {
    const auto more = both(threads);
    for (std::size_t i = 0; i < one.size(); ++i)
      EXPECT_TRUE(torch::equal(one[i], more[i])) << threads << " " << i;
  }
  torch::set_num_threads(before);
}

}  // namespace
}  // namespace twofour::nas
