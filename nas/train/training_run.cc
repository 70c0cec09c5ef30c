#include "twofour/nas/train/training_run.h"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <random>

#include "twofour/isa/error.h"
#include "twofour/nas/train/checkpoint.h"
#include "twofour/nas/train/distillation.h"
#include "twofour/nas/train/fake_quant.h"
#include "twofour/nas/train/image_tensor.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/progress.h"
#include "twofour/nas/train/training_batch.h"

namespace twofour::nas {
namespace {

using torch::Tensor;
using Clock = std::chrono::steady_clock;

constexpr double checkpoint_seconds = 30;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Copies an image, mirrored and moved; what comes in from outside is 0.
void changed_image(const Dataset& data, int index, bool mirror, int dy, int dx, float* to) {
  const std::uint8_t* from = data.image(index);
  for (int y = 0; y < data.height; ++y)
    for (int x = 0; x < data.width; ++x) {
      const int sy = y + dy, sx = (mirror ? data.width - 1 - x : x) + dx;
      const bool inside = sy >= 0 && sy < data.height && sx >= 0 && sx < data.width;
      const std::uint8_t* pixel = from + (sy * data.width + sx) * data.channels;
      for (int c = 0; c < data.channels; ++c) *to++ = inside ? float(pixel[c]) / 255.0f : 0.0f;
    }
}

}  // namespace

Batch training_batch(const Dataset& data, const TrainPlan& plan, const std::vector<int>& order,
                     std::int64_t first, std::uint64_t step) {
  Tensor images = image_memory(data, plan.batch), labels = torch::empty({plan.batch}, torch::kLong);
  std::mt19937_64 random(plan.seed * 0x9e3779b97f4a7c15u + step);
  const int moves = 2 * plan.shift + 1;
  for (int i = 0; i < plan.batch; ++i) {
    const int index = order[std::size_t(first + i)];
    const std::uint64_t bits = random();
    const int dy = int(bits / 2 % moves) - plan.shift, dx = int(bits / 1024 % moves) - plan.shift;
    changed_image(data, index, plan.flip && bits % 2 == 1, dy, dx,
                  images.data_ptr<float>() + i * data.image_size());
    labels.data_ptr<std::int64_t>()[i] = data.labels[std::size_t(index)];
  }
  return {as_images(images), labels};
}

/// The order of the images in an epoch: Fisher and Yates with a generator of its own, the same on every
/// platform.
std::vector<int> epoch_order(int count, std::uint64_t seed, std::int64_t epoch) {
  std::vector<int> order(std::size_t(count), 0);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(seed + 0x632be59bd9b4e019u * std::uint64_t(epoch + 1));
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

double learning_rate(const TrainPlan& plan, std::int64_t step, std::int64_t steps) {
  const double position = (double(step) + 0.5) / double(steps);
  if (position < plan.warmup) return plan.peak_rate * position / plan.warmup;
  return plan.peak_rate * 0.5 * (1 + std::cos(M_PI * (position - plan.warmup) / (1 - plan.warmup)));
}

namespace {

bool all_finite(const NamedTensors& tensors) {
  for (const auto& [name, t] : tensors)
    if (!torch::isfinite(t).all().item<bool>()) return false;
  return true;
}

/// Masks of a run that keeps them fixed: they lie in the model, and so in its checkpoint, while this exists.
class FixedMasks {
 public:
  FixedMasks(Model& model, MaskRule rule) : model_(model) {
    if (rule != MaskRule::fixed) return;
    for (ModelLayer& l : model.layers())
      if (l.quantiser.sparse) l.mask = torch::ones_like(l.weight, torch::requires_grad(false));
  }
  ~FixedMasks() {
    for (ModelLayer& l : model_.layers()) l.mask = Tensor();
  }
  FixedMasks(const FixedMasks&) = delete;
  FixedMasks& operator=(const FixedMasks&) = delete;

  /// By magnitude of the present weights; the pruned ones become zero and stay so.
  void prune() {
    const torch::NoGradGuard no_grad;
    for (ModelLayer& l : model_.layers()) {
      if (!l.mask.defined()) continue;
      l.mask.copy_(weight_mask(l.weight, l.quantiser));
      l.weight.mul_(l.mask);
    }
  }

 private:
  Model& model_;
};

/// What the checkpoint holds: a joint teacher's tensors, too, as "teacher/...".
NamedTensors trained_tensors(const Model& model, const TrainingTask& task) {
  NamedTensors tensors = model.named_tensors();
  if (task.plan.distillation == Distillation::joint)
    for (const auto& [name, tensor] : task.teacher->named_tensors())
      tensors.emplace_back("teacher/" + name, tensor);
  return tensors;
}

/// One run of train(): the loop, its checkpoint and its clock.
class TrainingRun {
 public:
  TrainingRun(Model& model, const TrainingTask& task)
      : model_(model),
        task_(task),
        plan_(task.plan),
        masks_(model, task.plan.masks),
        tensors_(trained_tensors(model, task)),
        optimiser_(make_optimiser(model, task)),
        steps_per_epoch_(images_per_epoch(task) / task.plan.batch),
        steps_(steps_per_epoch_ * task.plan.epochs) {
    if (steps_per_epoch_ < 1)
      fail("{} training images are fewer than a batch of {}", task.images.count, plan_.batch);
  }

  std::vector<EpochRecord> run() {
    if (std::filesystem::exists(task_.checkpoint))
      resume();
    else
      masks_.prune();
    const InterruptGuard guard;
    Progress progress(task_.label, steps_, state_.step);
    saved_ = Clock::now();
    if (steps_ == 0) save();
    while (state_.step < steps_) {
      const auto start = Clock::now();
      const double loss = step();
      state_.epoch_seconds += since(start);
      progress.update(state_.step, fmt::format("epoch {}/{}, loss {:.3f}",
                                               (state_.step - 1) / steps_per_epoch_ + 1, plan_.epochs, loss));
      if (state_.step % steps_per_epoch_ == 0)
        end_epoch();
      else if (since(saved_) > checkpoint_seconds)
        save();
      if (interrupted()) stop();
    }
    return state_.history;
  }

 private:
  static std::int64_t images_per_epoch(const TrainingTask& task) {
    const int wanted = task.plan.images_per_epoch;
    return wanted > 0 ? std::min(wanted, task.images.count) : task.images.count;
  }

  static torch::optim::SGD make_optimiser(const Model& model, const TrainingTask& task) {
    const TrainPlan& plan = task.plan;
    const auto options = [&](double decay) {
      return std::make_unique<torch::optim::SGDOptions>(
          torch::optim::SGDOptions(plan.peak_rate).momentum(0.9).nesterov(true).weight_decay(decay));
    };
    std::vector<torch::optim::OptimizerParamGroup> groups;
    const auto add = [&](const Model& m) {
      groups.emplace_back(m.decayed_parameters(), options(plan.weight_decay));
      groups.emplace_back(m.other_parameters(), options(0));
    };
    add(model);
    if (plan.distillation == Distillation::joint) add(*task.teacher);
    return torch::optim::SGD(groups, torch::optim::SGDOptions(plan.peak_rate).momentum(0.9).nesterov(true));
  }

  void resume() {
    state_ = load_checkpoint(task_.checkpoint, task_.fingerprint, tensors_, &optimiser_);
    if (steps_ > 0)
      fmt::print(stderr, "{}: {} of {} batches are done already ({})\n", task_.label, state_.step, steps_,
                 task_.checkpoint);
  }

  double step() {
    const std::int64_t epoch = state_.step / steps_per_epoch_, position = state_.step % steps_per_epoch_;
    if (order_epoch_ != epoch) {
      order_ = epoch_order(task_.images.count, plan_.seed, epoch);
      order_epoch_ = epoch;
    }
    const Batch batch =
        training_batch(task_.images, plan_, order_, position * plan_.batch, std::uint64_t(state_.step));
    for (auto& group : optimiser_.param_groups())
      static_cast<torch::optim::SGDOptions&>(group.options()).lr(learning_rate(plan_, state_.step, steps_));
    optimiser_.zero_grad();
    model_.set_pruned_gradient(pruned_gradient(plan_.masks, state_.step, steps_));
    Tensor loss = batch_loss(batch);
    const double value = loss.item<double>();
    if (!std::isfinite(value)) diverged(value);
    loss.backward();
    optimiser_.step();
    model_.clamp_steps();
    if (plan_.distillation == Distillation::joint) task_.teacher->clamp_steps();
    state_.loss_sum += value;
    ++state_.step;
    return value;
  }

  Tensor batch_loss(const Batch& batch) {
    const Tensor scores =
        task_.forward ? task_.forward(batch.images, state_.step) : model_.forward(batch.images, true);
    if (plan_.distillation == Distillation::none)
      return label_loss(scores, batch.labels, plan_.label_smoothing);
    const bool joint = plan_.distillation == Distillation::joint;
    return apprentice_loss(teacher_scores(batch, joint), scores, batch.labels, plan_.label_smoothing, joint);
  }

  Tensor teacher_scores(const Batch& batch, bool joint) {
    const torch::AutoGradMode gradients(joint);
    return task_.teacher->forward(batch.images, joint);
  }

  void end_epoch() {
    const Score score = task_.evaluate();
    const int epoch = int(state_.step / steps_per_epoch_);
    state_.history.push_back(
        {epoch, state_.loss_sum / double(steps_per_epoch_), score.accuracy(), state_.epoch_seconds});
    fmt::print(stderr, "{}: epoch {}/{}, loss {:.4f}, held-out accuracy {:.2f} %, {:.0f} s\n", task_.label,
               epoch, plan_.epochs, state_.history.back().loss, 100 * score.accuracy(), state_.epoch_seconds);
    state_.loss_sum = state_.epoch_seconds = 0;
    save();
  }

  void save() {
    if (!all_finite(tensors_)) diverged(NAN);
    save_checkpoint(task_.checkpoint, task_.fingerprint, tensors_, &optimiser_, state_);
    saved_ = Clock::now();
  }

  [[noreturn]] void stop() {
    if (state_.step % steps_per_epoch_ != 0) save();
    throw Interrupted(fmt::format(
        "interrupted at epoch {}, batch {} of {}: saved in {}; run the same command again to go on",
        state_.step / steps_per_epoch_ + 1, state_.step % steps_per_epoch_, steps_per_epoch_,
        task_.checkpoint));
  }

  [[noreturn]] void diverged(double value) const {
    fail(
        "training diverged: the loss or a weight{} became {} at epoch {}, batch {}; {}; lower the learning "
        "rate "
        "({})",
        plan_.distillation == Distillation::joint ? " of student or teacher" : "", value,
        state_.step / steps_per_epoch_ + 1, state_.step % steps_per_epoch_,
        std::filesystem::exists(task_.checkpoint) ? "the last good checkpoint is kept in " + task_.checkpoint
                                                  : "no checkpoint was written yet",
        plan_.peak_rate);
  }

  Model& model_;
  const TrainingTask& task_;
  const TrainPlan& plan_;
  FixedMasks masks_;
  NamedTensors tensors_;
  torch::optim::SGD optimiser_;
  std::int64_t steps_per_epoch_, steps_;
  TrainState state_;
  std::vector<int> order_;
  std::int64_t order_epoch_ = -1;
  Clock::time_point saved_;
};

}  // namespace

std::vector<EpochRecord> run_training(Model& model, const TrainingTask& task) {
  return TrainingRun(model, task).run();
}

}  // namespace twofour::nas
