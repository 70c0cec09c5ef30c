#include "twofour/nas/train/supernet.h"

#include <gtest/gtest.h>

namespace twofour::nas {
namespace {

using torch::Tensor;
using Kind = SupernetDecision::Kind;

const std::vector<Quantiser> menu{{Precision::f16},        {Precision::f16, true},
                                  integer_quantiser(8, 8), integer_quantiser(8, 8, true),
                                  integer_quantiser(4, 4), integer_quantiser(4, 4, true),
                                  integer_quantiser(1, 1)};

/// Stem, a block with a residual add, a strided layer, classifier behind global pooling; `width` channels,
/// the kernel of the block's first layer.
ModelSpec spec(int width = 16, int kernel = 3) {
  const auto relu = Activation::relu;
  return {"test",
          8,
          8,
          {{"stem", 1, width, 3, 1, 1, 0, -1, relu, {}},
           {"conv1", width, 24, kernel, 1, kernel / 2, 1, -1, relu, {}},
           {"conv2", 24, width, 3, 1, 1, 2, 1, relu, {}},
           {"down", width, 32, 3, 2, 1, 3, -1, relu, {}},
           {"classifier", 32, 10, 1, 1, 0, 4, -1, Activation::none, {PoolKind::global_average}}}};
}

std::vector<SupernetDecision> option_decisions(const std::vector<Quantiser>& inner,
                                               const std::vector<Quantiser>& ends) {
  std::vector<SupernetDecision> decisions;
  for (int i = 0; i < 5; ++i)
    decisions.push_back({Kind::option, "option", {i}, i == 0 || i == 4 ? ends : inner, {}});
  return decisions;
}

Tensor one_hot(const SupernetDecision& d, int i) {
  Tensor t = torch::zeros({d.count()});
  t[i] = 1;
  return t;
}

Tensor images(int n) {
  torch::manual_seed(11);
  return torch::rand({n, 1, 8, 8});
}

/// Random batch normalisations, so that no channel is like another, and samples.
void prepare(Model& model) {
  torch::manual_seed(7);
  const torch::NoGradGuard no_grad;
  for (ModelLayer& l : model.layers()) {
    if (l.normalised()) {
      l.gamma.uniform_(0.5, 1.5);
      l.mean.normal_(0, 0.1);
      l.variance.uniform_(0.5, 2);
    }
    l.beta.normal_(0, 0.2);
  }
  const auto tensors = model.forward_all(images(16), false);
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const Tensor x = model.layer_input(i, tensors).contiguous();
    model.layers()[i].sample.assign(x.data_ptr<float>(), x.data_ptr<float>() + x.numel());
  }
}

TEST(Supernet, OneHotSharesAreThePlainNetworkBitForBit) {
  Model model(spec(), 1), plain(spec(), 1);
  prepare(model);
  prepare(plain);
  const auto decisions = option_decisions(menu, {integer_quantiser(8, 8), {Precision::f16}});
  Supernet supernet(model, decisions);
  for (int choice = 0; choice < int(menu.size()); ++choice) {
    std::vector<Tensor> shares;
    for (std::size_t d = 0; d < decisions.size(); ++d) {
      const int i = (choice + int(d)) % decisions[d].count();
      shares.push_back(one_hot(decisions[d], i));
      plain.set_quantiser(d, decisions[d].quantisers[std::size_t(i)]);
    }
    EXPECT_TRUE(torch::equal(supernet.forward(images(9), shares, Supernet::Phase::evaluation),
                             plain.forward(images(9), false)))
        << choice;
    EXPECT_TRUE(torch::equal(supernet.forward(images(9), shares, Supernet::Phase::weights),
                             plain.forward(images(9), true)))
        << choice;
    EXPECT_TRUE(torch::equal(model.layers()[2].mean, plain.layers()[2].mean));
  }
}

/// Weights of the plain network are the centre of the supernet's.
TEST(Supernet, OneHotKernelIsTheCroppedKernel) {
  Model model(spec(16, 7), 1);
  prepare(model);
  auto decisions = option_decisions({{Precision::f16, true}, {}}, {{}});
  decisions.push_back({Kind::kernel, "kernel", {1}, {}, {1, 3, 5, 7}});
  Supernet supernet(model, decisions);
  for (int k = 0; k < 4; ++k) {
    const int side = 2 * k + 1;
    Model plain(spec(16, side), 1);
    prepare(plain);
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < 5; ++i) {
      ModelLayer &to = plain.layers()[i], &from = model.layers()[i];
      to.weight.copy_(i == 1 ? from.weight.slice(2, 3 - k, 4 + k).slice(3, 3 - k, 4 + k) : from.weight);
    }
    for (int option : {0, 1}) {
      std::vector<Tensor> shares;
      for (std::size_t d = 0; d < decisions.size(); ++d)
        shares.push_back(one_hot(decisions[d], d == 5 ? k : d == 0 || d == 4 ? 0 : option));
      for (std::size_t i = 1; i < 4; ++i)
        plain.set_quantiser(i, decisions[i].quantisers[std::size_t(option)]);
      const Tensor expected = plain.forward(images(5), false);
      EXPECT_TRUE(torch::allclose(supernet.forward(images(5), shares, Supernet::Phase::evaluation), expected,
                                  1e-4, 1e-5))
          << side << " " << option;
    }
  }
}

/// Width 8 of the tensors of stem and conv2 (tied by the residual add): a network of 8 channels there.
TEST(Supernet, OneHotWidthIsTheNarrowNetwork) {
  Model model(spec(16), 1), narrow(spec(8), 1);
  prepare(model);
  prepare(narrow);
  auto decisions = option_decisions({{Precision::f16}}, {{}});
  decisions.push_back({Kind::width, "width", {0, 2}, {}, {8, 16}});
  Supernet supernet(model, decisions);
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < 5; ++i) {
    ModelLayer &to = narrow.layers()[i], &from = model.layers()[i];
    to.weight.copy_(from.weight.slice(0, 0, to.weight.size(0)).slice(1, 0, to.weight.size(1)));
    to.beta.copy_(from.beta.slice(0, 0, to.beta.size(0)));
    if (!to.normalised()) continue;
    to.gamma.copy_(from.gamma.slice(0, 0, to.gamma.size(0)));
    to.mean.copy_(from.mean.slice(0, 0, to.mean.size(0)));
    to.variance.copy_(from.variance.slice(0, 0, to.variance.size(0)));
  }
  for (std::size_t i = 1; i < 4; ++i) narrow.set_quantiser(i, {Precision::f16});
  std::vector<Tensor> shares;
  for (const SupernetDecision& d : decisions) shares.push_back(one_hot(d, 0));
  for (bool training : {false, true})
    EXPECT_TRUE(
        torch::allclose(supernet.forward(images(6), shares,
                                         training ? Supernet::Phase::weights : Supernet::Phase::evaluation),
                        narrow.forward(images(6), training), 1e-3, 1e-4));
}

/// Without rounding the scores are smooth in the shares of kernels and widths.
TEST(Supernet, GradientsOfKernelAndWidthSharesAreDifferenceQuotients) {
  Model model(spec(16, 5), 1);
  prepare(model);
  auto decisions = option_decisions({{}}, {{}});
  decisions.push_back({Kind::kernel, "kernel", {1}, {}, {1, 3, 5}});
  decisions.push_back({Kind::width, "width", {0, 2}, {}, {8, 16}});
  Supernet supernet(model, decisions);
  std::vector<Tensor> shares;
  for (const SupernetDecision& d : decisions)
    shares.push_back(torch::full({d.count()}, 1.0 / d.count()).set_requires_grad(true));
  const Tensor g = torch::randn({6, 10});
  (supernet.forward(images(6), shares, Supernet::Phase::evaluation) * g).sum().backward();
  const torch::NoGradGuard no_grad;
  for (std::size_t d : {5u, 6u})
    for (std::int64_t i = 0; i < shares[d].numel(); ++i) {
      const auto loss = [&](float change) {
        std::vector<Tensor> moved = shares;
        moved[d] = shares[d].clone();
        moved[d][i] += change;
        return (supernet.forward(images(6), moved, Supernet::Phase::evaluation) * g).sum().item<double>();
      };
      const double quotient = (loss(1e-2f) - loss(-1e-2f)) / 2e-2;
      EXPECT_NEAR(shares[d].grad()[i].item<double>(), quotient, 0.02 * std::abs(quotient) + 0.02)
          << d << " " << i;
    }
}

TEST(Supernet, ThePhaseOfSharesLeavesWeightsAndRunningStatisticsAlone) {
  Model model(spec(), 1);
  prepare(model);
  const auto decisions = option_decisions(menu, {integer_quantiser(8, 8)});
  Supernet supernet(model, decisions);
  std::vector<Tensor> shares;
  for (const SupernetDecision& d : decisions)
    shares.push_back(torch::full({d.count()}, 1.0 / d.count()).set_requires_grad(true));
  std::vector<Tensor> before;
  for (const auto& named : supernet.named_tensors()) before.push_back(named.second.detach().clone());
  supernet.forward(images(6), shares, Supernet::Phase::shares).square().sum().backward();
  const auto after = supernet.named_tensors();
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_TRUE(torch::equal(after[i].second, before[i])) << after[i].first;
    EXPECT_FALSE(after[i].second.grad().defined()) << after[i].first;
  }
  for (std::size_t d : {1u, 2u, 3u}) EXPECT_GT(shares[d].grad().abs().min().item<double>(), 0) << d;
}

TEST(Supernet, TheStepsOfAllOptionsAreTrained) {
  Model model(spec(), 1);
  prepare(model);
  const auto decisions = option_decisions(menu, {integer_quantiser(8, 8)});
  Supernet supernet(model, decisions);
  std::vector<Tensor> shares;
  for (const SupernetDecision& d : decisions) shares.push_back(torch::full({d.count()}, 1.0 / d.count()));
  supernet.forward(images(6), shares, Supernet::Phase::weights).square().sum().backward();
  for (const auto& [name, t] : supernet.named_tensors()) {
    if (name == "conv2/search_weight_steps") {
      ASSERT_EQ(t.size(0), std::int64_t(menu.size()));
      for (std::size_t o = 2; o < menu.size(); ++o)
        EXPECT_GT(t.grad()[std::int64_t(o)].abs().sum().item<double>(), 0) << o;
      EXPECT_EQ(t.grad()[0].abs().sum().item<double>(), 0);
    }
    if (name == "conv2/search_input_steps") {
      ASSERT_EQ(t.numel(), 4);  // f16, 8, 4 and 1 bits
      for (int q : {1, 2, 3}) EXPECT_NE(t.grad()[q].item<double>(), 0) << q;
    }
    if (name == "stem/search_input_steps") {
      EXPECT_FALSE(t.requires_grad());  // images lie in 0..1
    }
  }
}

}  // namespace
}  // namespace twofour::nas
