#include "twofour/nas/train/distillation.h"

namespace twofour::nas {

using torch::Tensor;

Tensor label_loss(const Tensor& scores, const Tensor& labels, double label_smoothing) {
  return torch::cross_entropy_loss(scores, labels, {}, at::Reduction::Mean, -100, label_smoothing);
}

Tensor imitation_loss(const Tensor& teacher, const Tensor& student) {
  const Tensor wanted = torch::softmax(teacher.detach(), 1);
  return -(wanted * torch::log_softmax(student, 1)).sum(1).mean();
}

Tensor apprentice_loss(const Tensor& teacher, const Tensor& student, const Tensor& labels,
                       double label_smoothing, bool train_teacher) {
  const Tensor loss = student_weight * label_loss(student, labels, label_smoothing) +
                      imitation_weight * imitation_loss(teacher, student);
  return train_teacher ? loss + teacher_weight * label_loss(teacher, labels, label_smoothing) : loss;
}

}  // namespace twofour::nas
