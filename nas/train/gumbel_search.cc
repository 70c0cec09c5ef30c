#include "twofour/nas/train/gumbel_search.h"

#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>

#include "twofour/isa/error.h"
#include "twofour/nas/train/engine_impl.h"
#include "twofour/nas/train/gumbel_shares.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/progress.h"
#include "twofour/nas/train/supernet.h"
#include "twofour/nas/train/training_batch.h"

namespace twofour::nas {
namespace {

using torch::Tensor;
using Clock = std::chrono::steady_clock;

constexpr double checkpoint_seconds = 30;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  return double(std::clock()) / CLOCKS_PER_SEC;
}

std::string describe(const SupernetDecision& d) {
  std::string values;
  for (Quantiser q : d.quantisers)
    values +=
        fmt::format(" {}{}w{}a{}", int(q.precision), q.sparse ? "s" : "d", q.weight_bits, q.activation_bits);
  for (int size : d.sizes) values += fmt::format(" {}", size);
  return fmt::format("{} of layers {}:{}", d.name, fmt::join(d.layers, " "), values);
}

std::string describe(const LatencyTerms& terms) {
  uLong sum = crc32(0, nullptr, 0);
  for (const LatencyTerm& t : terms) {
    sum = crc32(sum, reinterpret_cast<const Bytef*>(t.decisions.data()),
                uInt(t.decisions.size() * sizeof(int)));
    sum = crc32(sum, reinterpret_cast<const Bytef*>(t.us.data()), uInt(t.us.size() * sizeof(double)));
  }
  return fmt::format("{} terms, {:08x}", terms.size(), sum);
}

std::string describe(const GumbelPlan& p) {
  const TrainPlan& w = p.weights;
  return fmt::format(
      "{} epochs of {} images, batch {}, rate {}, warm-up {}, decay {}, smoothing {}, flip {}, shift {}, "
      "seed {}; "
      "{} of weights alone, tau {} to {}, alpha rate {}, lambda {}, target {} us",
      w.epochs, w.images_per_epoch, w.batch, w.peak_rate, w.warmup, w.weight_decay, w.label_smoothing, w.flip,
      w.shift, w.seed, p.warmup_epochs, p.first_tau, p.last_tau, p.alpha_rate, p.latency_weight, p.target_us);
}

void check_plan(const GumbelPlan& p) {
  if (p.weights.epochs <= p.warmup_epochs || p.warmup_epochs < 0)
    fail("a differentiable search of {} epochs with {} of weights alone leaves none for the search",
         p.weights.epochs, p.warmup_epochs);
  if (!(p.first_tau > 0) || !(p.last_tau > 0))
    fail("tau from {} to {}: both must be positive", p.first_tau, p.last_tau);
  if (!(p.target_us > 0)) fail("a latency target of {} us is not positive", p.target_us);
}

bool all_finite(const NamedTensors& tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [](const auto& named) {
    return torch::isfinite(named.second).all().template item<bool>();
  });
}

/// Fields of an epoch's record that are kept in the checkpoint, in this order.
std::vector<double> to_row(const GumbelEpoch& e) {
  return {double(e.epoch), e.tau,       e.train_loss, e.heldout_loss, e.sampled_us,
          e.expected_us,   e.argmax_us, e.entropy,    e.seconds,      e.cpu_seconds};
}
GumbelEpoch from_row(const double* row) {
  return {int(row[0]), row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9]};
}
constexpr std::int64_t row_size = 10;

/// What one search was asked; see gumbel_search().
struct SearchTaskView {
  Engine& engine;
  const std::vector<SupernetDecision>& decisions;
  const LatencyTerms& latency;
  const GumbelPlan& plan;
  const Dataset& train;
  const Dataset& heldout;
  const std::string& checkpoint;
  const Fingerprint& fingerprint;
  const std::string& label;
};

/// One run of gumbel_search(): the loop, its checkpoint and its clock.
class GumbelRun {
 public:
  explicit GumbelRun(const SearchTaskView& task)
      : task_(task),
        plan_(task.plan),
        fingerprint_(task.fingerprint),
        supernet_(EngineAccess::model(task.engine), task.decisions),
        shares_(task.decisions, task.plan.weights.seed),
        optimiser_(make_optimiser(supernet_, task.plan.weights)),
        steps_per_epoch_(train_images(task) / task.plan.weights.batch),
        heldout_steps_(task.heldout.count / task.plan.weights.batch),
        steps_(steps_per_epoch_ * task.plan.weights.epochs),
        history_(torch::zeros({task.plan.weights.epochs, row_size}, torch::kDouble)),
        running_(torch::zeros({1, row_size}, torch::kDouble)) {
    if (steps_per_epoch_ < 1 || heldout_steps_ < 1)
      fail("{} training and {} held-out images: either is fewer than a batch of {}", task.train.count,
           task.heldout.count, plan_.weights.batch);
    for (const SupernetDecision& d : task.decisions) fingerprint_.emplace_back("decision", describe(d));
    fingerprint_.emplace_back("latency", describe(task.latency));
    fingerprint_.emplace_back("search plan", describe(plan_));
    tensors_ = supernet_.named_tensors();
    for (const auto& named : shares_.named_tensors()) tensors_.push_back(named);
    tensors_.emplace_back("search/history", history_);
    tensors_.emplace_back("search/running", running_);
  }

  GumbelResult run() {
    if (std::filesystem::exists(task_.checkpoint)) resume();
    const InterruptGuard guard;
    Progress progress(task_.label, steps_, state_.step);
    saved_ = Clock::now();
    while (state_.step < steps_) {
      const auto start = Clock::now();
      const double cpu = cpu_seconds(), loss = step();
      now_.seconds += since(start);
      now_.cpu_seconds += cpu_seconds() - cpu;
      progress.update(state_.step, fmt::format("epoch {}/{}, loss {:.3f}", epoch_of(state_.step - 1) + 1,
                                               plan_.weights.epochs, loss));
      if (state_.step % steps_per_epoch_ == 0)
        end_epoch();
      else if (since(saved_) > checkpoint_seconds)
        save();
      if (interrupted()) stop();
    }
    return result();
  }

 private:
  static std::int64_t train_images(const SearchTaskView& task) {
    const int wanted = task.plan.weights.images_per_epoch;
    return wanted > 0 ? std::min(wanted, task.train.count) : task.train.count;
  }

  static torch::optim::SGD make_optimiser(const Supernet& supernet, const TrainPlan& plan) {
    const auto options = [&](double decay) {
      return std::make_unique<torch::optim::SGDOptions>(
          torch::optim::SGDOptions(plan.peak_rate).momentum(0.9).nesterov(true).weight_decay(decay));
    };
    std::vector<torch::optim::OptimizerParamGroup> groups;
    groups.emplace_back(supernet.decayed_parameters(), options(plan.weight_decay));
    groups.emplace_back(supernet.other_parameters(), options(0));
    return torch::optim::SGD(groups, torch::optim::SGDOptions(plan.peak_rate).momentum(0.9).nesterov(true));
  }

  std::int64_t epoch_of(std::int64_t step) const { return step / steps_per_epoch_; }
  bool searching(std::int64_t step) const { return epoch_of(step) >= plan_.warmup_epochs; }

  double tau(std::int64_t step) const {
    const double last = double(plan_.weights.epochs - 1 - plan_.warmup_epochs);
    const double position = last == 0 ? 0 : double(epoch_of(step) - plan_.warmup_epochs) / last;
    return plan_.first_tau * std::pow(plan_.last_tau / plan_.first_tau, position);
  }

  /// Batches of the held-out images that belong before batch `position` of an epoch.
  std::int64_t heldout_before(std::int64_t position) const {
    return position * heldout_steps_ / steps_per_epoch_;
  }

  /// One batch for the weights, then those for alpha that are due.
  double step() {
    const std::int64_t epoch = epoch_of(state_.step), position = state_.step % steps_per_epoch_;
    if (order_epoch_ != epoch) {
      order_ = epoch_order(task_.train.count, plan_.weights.seed, epoch);
      heldout_order_ = epoch_order(task_.heldout.count, plan_.weights.seed + 1, epoch);
      order_epoch_ = epoch;
    }
    const double loss = weight_step(position);
    if (searching(state_.step))
      for (std::int64_t i = heldout_before(position); i < heldout_before(position + 1); ++i)
        alpha_step(epoch, i);
    ++state_.step;
    return loss;
  }

  double checked(const Tensor& loss) const {
    const double value = loss.item<double>();
    if (!std::isfinite(value)) diverged(value);
    return value;
  }

  double weight_step(std::int64_t position) {
    const TrainPlan& plan = plan_.weights;
    const Batch batch =
        training_batch(task_.train, plan, order_, position * plan.batch, std::uint64_t(state_.step));
    std::vector<Tensor> shares;
    {
      const torch::NoGradGuard no_grad;
      shares = searching(state_.step) ? shares_.draw(2 * std::uint64_t(state_.step), tau(state_.step))
                                      : shares_.uniform();
    }
    for (auto& group : optimiser_.param_groups())
      static_cast<torch::optim::SGDOptions&>(group.options()).lr(learning_rate(plan, state_.step, steps_));
    optimiser_.zero_grad();
    const Tensor loss =
        torch::cross_entropy_loss(supernet_.forward(batch.images, shares, Supernet::Phase::weights),
                                  batch.labels, {}, at::Reduction::Mean, -100, plan.label_smoothing);
    const double value = checked(loss);
    loss.backward();
    optimiser_.step();
    supernet_.clamp_steps();
    now_.train_loss += value;
    return value;
  }

  void alpha_step(std::int64_t epoch, std::int64_t index) {
    TrainPlan plain = plan_.weights;
    plain.flip = false;
    plain.shift = 0;
    const Batch batch = training_batch(task_.heldout, plain, heldout_order_, index * plain.batch, 0);
    const std::uint64_t number = std::uint64_t(epoch * heldout_steps_ + index);
    const std::vector<Tensor> shares = shares_.draw(2 * number + 1, tau(epoch * steps_per_epoch_));
    const Tensor loss = torch::cross_entropy_loss(
        supernet_.forward(batch.images, shares, Supernet::Phase::shares), batch.labels);
    now_.heldout_loss += checked(loss);
    shares_.zero_grad();
    (loss + latency_term(shares)).backward();
    shares_.update(plan_.alpha_rate);
  }

  /// lambda * max(0, latency / target - 1) up to a constant, with the gradient by the shares.
  Tensor latency_term(const std::vector<Tensor>& shares) {
    Probabilities slope;
    const double us = expected_latency(task_.latency, to_probabilities(shares), &slope);
    now_.sampled_us += us;
    Tensor sum = torch::zeros({});
    if (us <= plan_.target_us) return sum;
    for (std::size_t d = 0; d < shares.size(); ++d)
      sum = sum + torch::dot(shares[d], torch::tensor(slope[d], torch::kDouble).to(torch::kFloat));
    return sum * (plan_.latency_weight / plan_.target_us);
  }

  void end_epoch() {
    const std::int64_t epoch = epoch_of(state_.step);
    const Probabilities probabilities = shares_.probabilities();
    const bool searched = searching(state_.step - 1);
    now_.epoch = int(epoch);
    now_.tau = searched ? tau(state_.step - 1) : 0;
    now_.train_loss /= double(steps_per_epoch_);
    now_.heldout_loss /= double(heldout_steps_);
    now_.sampled_us /= double(heldout_steps_);
    now_.expected_us = expected_latency(task_.latency, probabilities, nullptr);
    now_.argmax_us = candidate_latency(task_.latency, task_.decisions, most_probable(probabilities));
    now_.entropy = mean_entropy(probabilities);
    fmt::print(stderr,
               "{}: epoch {}/{}, tau {:.2f}, loss {:.4f}, held-out {:.4f}, {:.1f} us expected (target "
               "{:.1f}), {:.1f} "
               "us most probable, entropy {:.2f}, {:.0f} s\n",
               task_.label, epoch, plan_.weights.epochs, now_.tau, now_.train_loss, now_.heldout_loss,
               now_.expected_us, plan_.target_us, now_.argmax_us, now_.entropy, now_.seconds);
    const std::vector<double> row = to_row(now_);
    std::copy(row.begin(), row.end(), history_.data_ptr<double>() + (epoch - 1) * row_size);
    now_ = {};
    save();
  }

  void save() {
    const std::vector<double> row = to_row(now_);
    std::copy(row.begin(), row.end(), running_.data_ptr<double>());
    if (!all_finite(tensors_)) diverged(NAN);
    save_checkpoint(task_.checkpoint, fingerprint_, tensors_, &optimiser_, state_);
    saved_ = Clock::now();
  }

  void resume() {
    state_ = load_checkpoint(task_.checkpoint, fingerprint_, tensors_, &optimiser_);
    now_ = from_row(running_.data_ptr<double>());
    fmt::print(stderr, "{}: {} of {} batches are done already ({})\n", task_.label, state_.step, steps_,
               task_.checkpoint);
  }

  [[noreturn]] void stop() {
    if (state_.step % steps_per_epoch_ != 0) save();
    throw Interrupted(fmt::format(
        "interrupted at epoch {}, batch {} of {}: saved in {}; run the same command again to go on",
        epoch_of(state_.step) + 1, state_.step % steps_per_epoch_, steps_per_epoch_, task_.checkpoint));
  }

  [[noreturn]] void diverged(double value) const {
    fail(
        "the search diverged: loss or weights became {} at epoch {}, batch {}; {}; lower the learning rate "
        "({})",
        value, epoch_of(state_.step) + 1, state_.step % steps_per_epoch_,
        std::filesystem::exists(task_.checkpoint) ? "the last good checkpoint is kept in " + task_.checkpoint
                                                  : "no checkpoint was written yet",
        plan_.weights.peak_rate);
  }

  GumbelResult result() const {
    const Probabilities probabilities = shares_.probabilities();
    GumbelResult result{shares_.costs(), most_probable(probabilities), 0, 0, {}};
    result.argmax_us = candidate_latency(task_.latency, task_.decisions, result.argmax);
    result.expected_us = expected_latency(task_.latency, probabilities, nullptr);
    for (std::int64_t e = 0; e < history_.size(0); ++e)
      result.history.push_back(from_row(history_.data_ptr<double>() + e * row_size));
    return result;
  }

  const SearchTaskView& task_;
  const GumbelPlan& plan_;
  Fingerprint fingerprint_;
  Supernet supernet_;
  GumbelShares shares_;
  torch::optim::SGD optimiser_;
  std::int64_t steps_per_epoch_, heldout_steps_, steps_;
  Tensor history_, running_;  ///< finished epochs; the sums of this one
  NamedTensors tensors_;
  TrainState state_;
  GumbelEpoch now_;
  std::vector<int> order_, heldout_order_;
  std::int64_t order_epoch_ = -1;
  Clock::time_point saved_;
};

}  // namespace

GumbelResult gumbel_search(Engine& engine, const std::vector<SupernetDecision>& decisions,
                           const LatencyTerms& latency, const GumbelPlan& plan, const Dataset& train,
                           const Dataset& heldout, const std::string& checkpoint,
                           const Fingerprint& fingerprint, const std::string& label) {
  EngineAccess::check_images(engine, train);
  EngineAccess::check_images(engine, heldout);
  check_plan(plan);
  check_decisions(EngineAccess::spec(engine), decisions, latency);
  return GumbelRun({engine, decisions, latency, plan, train, heldout, checkpoint, fingerprint, label}).run();
}

}  // namespace twofour::nas
