#include "twofour/nas/train/gumbel_shares.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace twofour::nas {
namespace {

using torch::Tensor;

constexpr double momentum = 0.5, square_momentum = 0.999, epsilon = 1e-8;

/// -log(-log u), u uniform in (0, 1).
Tensor gumbel_noise(std::int64_t n, std::uint64_t seed, std::uint64_t draw) {
  std::mt19937_64 random(seed * 0xd1342543de82ef95u + draw);
  Tensor noise = torch::empty({n});
  for (std::int64_t i = 0; i < n; ++i) {
    const double u = (double(random() >> 11) + 0.5) * 0x1p-53;
    noise.data_ptr<float>()[i] = float(-std::log(-std::log(u)));
  }
  return noise;
}

}  // namespace

GumbelShares::GumbelShares(const std::vector<SupernetDecision>& decisions, std::uint64_t seed) : seed_(seed) {
  std::int64_t total = 0;
  for (const SupernetDecision& d : decisions) {
    counts_.push_back(d.count());
    total += d.count();
  }
  alpha_ = torch::zeros({total}).set_requires_grad(true);
  mean_ = torch::zeros({total});
  square_ = torch::zeros({total});
  steps_ = torch::zeros({1}, torch::kDouble);
}

std::vector<Tensor> GumbelShares::uniform() const {
  std::vector<Tensor> shares;
  for (std::int64_t n : counts_) shares.push_back(torch::full({n}, 1.0 / double(n)));
  return shares;
}

std::vector<Tensor> GumbelShares::draw(std::uint64_t draw, double tau) const {
  std::vector<Tensor> shares;
  for (const Tensor& logits :
       ((alpha_ + gumbel_noise(alpha_.numel(), seed_, draw)) / tau).split_with_sizes(counts_))
    shares.push_back(torch::softmax(logits, 0));
  return shares;
}

std::vector<std::vector<double>> GumbelShares::costs() const {
  std::vector<std::vector<double>> costs;
  for (const Tensor& logits : alpha_.detach().to(torch::kDouble).split_with_sizes(counts_)) {
    const Tensor cost = -torch::log_softmax(logits, 0);
    costs.emplace_back(cost.data_ptr<double>(), cost.data_ptr<double>() + cost.numel());
  }
  return costs;
}

Probabilities GumbelShares::probabilities() const {
  Probabilities all = costs();
  for (auto& values : all)
    for (double& v : values) v = std::exp(-v);
  return all;
}

void GumbelShares::zero_grad() {
  alpha_.mutable_grad() = Tensor();
}

void GumbelShares::update(double rate) {
  const torch::NoGradGuard no_grad;
  const Tensor g = alpha_.grad();
  const double t = (steps_ += 1).item<double>();
  mean_.mul_(momentum).add_(g, 1 - momentum);
  square_.mul_(square_momentum).addcmul_(g, g, 1 - square_momentum);
  const Tensor scale = (square_ / (1 - std::pow(square_momentum, t))).sqrt_().add_(epsilon);
  alpha_.addcdiv_(mean_, scale, -rate / (1 - std::pow(momentum, t)));
}

NamedTensors GumbelShares::named_tensors() const {
  return {
      {"search/alpha", alpha_}, {"search/mean", mean_}, {"search/square", square_}, {"search/steps", steps_}};
}

Probabilities to_probabilities(const std::vector<Tensor>& shares) {
  Probabilities all;
  for (const Tensor& t : shares) {
    const Tensor values = t.detach().to(torch::kDouble).contiguous();
    all.emplace_back(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
  }
  return all;
}

std::vector<int> most_probable(const Probabilities& probabilities) {
  std::vector<int> all;
  for (const auto& p : probabilities) all.push_back(int(std::max_element(p.begin(), p.end()) - p.begin()));
  return all;
}

double mean_entropy(const Probabilities& probabilities) {
  double sum = 0;
  for (const auto& p : probabilities)
    for (double v : p) sum -= v > 0 ? v * std::log(v) : 0;
  return sum / double(probabilities.size());
}

}  // namespace twofour::nas
