#pragma once
#include <torch/torch.h>

namespace twofour::nas {

/// alpha, beta and gamma of the Apprentice loss (Mishra and Marr, ICLR 2018, arXiv 1711.05852), with their
/// values.
inline constexpr double teacher_weight = 1, student_weight = 0.5, imitation_weight = 0.5;

/// Mean over the batch of the cross entropy between the teacher's class probabilities and the student's:
/// -sum softmax(teacher) * log softmax(student). The teacher is a constant: no gradient reaches it. N x
/// classes.
torch::Tensor imitation_loss(const torch::Tensor& teacher, const torch::Tensor& student);

/// alpha * H(y, p_T) + beta * H(y, p_A) + gamma * H(z_T, p_A), where H(y, .) is the cross entropy with the
/// labels (smoothed) and H(z_T, .) is imitation_loss(). `train_teacher` false leaves out the first term,
/// which is then a constant.
torch::Tensor apprentice_loss(const torch::Tensor& teacher, const torch::Tensor& student,
                              const torch::Tensor& labels, double label_smoothing, bool train_teacher);

/// Mean cross entropy with the labels.
torch::Tensor label_loss(const torch::Tensor& scores, const torch::Tensor& labels, double label_smoothing);

}  // namespace twofour::nas
