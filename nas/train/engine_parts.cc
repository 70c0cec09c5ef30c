#include "twofour/nas/train/engine_impl.h"
#include "twofour/nas/train/training_run.h"

namespace twofour::nas {

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::unique_ptr<Engine> Engine::part(const ModelSpec& spec) const {
  return std::unique_ptr<Engine>(new Engine(std::make_unique<Impl>(spec, impl_->model.part(spec).copy())));
}

std::vector<EpochRecord> Engine::train_shared(const TrainPlan& plan, const Dataset& images,
                                              const std::function<Score()>& evaluate,
                                              const std::string& checkpoint, const Fingerprint& fingerprint,
                                              const std::string& label,
                                              const std::function<ModelSpec(std::int64_t)>& part_of_step) {
  impl_->check_images(images);
  TrainingTask task{plan, images, checkpoint, fingerprint, label, evaluate, {}};
  task.forward = [&](const torch::Tensor& batch, std::int64_t step) {
    return impl_->model.part(part_of_step(step)).forward(batch, true);
  };
  return run_training(impl_->model, task);
}

}  // namespace twofour::nas
