#include "twofour/nas/train/distillation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace twofour::nas {
namespace {

using torch::Tensor;

/// Scores are logarithms, so that the class probabilities are plain fractions: the teacher says 1/2 1/4 1/4
/// and 1/8 3/4 1/8, the student 1/4 1/4 1/2 and 1/3 1/3 1/3; the labels are 0 and 2.
const Tensor teacher_scores() {
  return torch::log(torch::tensor({{2.0f, 1.0f, 1.0f}, {1.0f, 6.0f, 1.0f}}));
}
const Tensor student_scores() {
  return torch::log(torch::tensor({{1.0f, 1.0f, 2.0f}, {1.0f, 1.0f, 1.0f}}));
}
const Tensor labels = torch::tensor({0, 2}, torch::kLong);

const double teacher_entropy = (std::log(2.0) + std::log(8.0)) / 2;
const double student_entropy = (std::log(4.0) + std::log(3.0)) / 2;
/// First image: 1/2 log 4 + 1/4 log 4 + 1/4 log 2; second: log 3.
const double imitation = (0.75 * std::log(4.0) + 0.25 * std::log(2.0) + std::log(3.0)) / 2;

TEST(Distillation, ImitationIsTheCrossEntropyWithTheTeachersProbabilities) {
  EXPECT_NEAR(imitation_loss(teacher_scores(), student_scores()).item<double>(), imitation, 1e-6);
}

TEST(Distillation, LossOfAFixedTeacher) {
  EXPECT_NEAR(apprentice_loss(teacher_scores(), student_scores(), labels, 0, false).item<double>(),
              0.5 * student_entropy + 0.5 * imitation, 1e-6);
}

TEST(Distillation, LossOfAJointTeacher) {
  EXPECT_NEAR(apprentice_loss(teacher_scores(), student_scores(), labels, 0, true).item<double>(),
              teacher_entropy + 0.5 * student_entropy + 0.5 * imitation, 1e-6);
}

/// Smoothing of 0.3 over three classes: 0.8 for the label, 0.1 for the others; the imitation has none.
TEST(Distillation, LabelsAreSmoothed) {
  const double smoothed =
      (0.8 * std::log(4.0) + 0.1 * std::log(4.0) + 0.1 * std::log(2.0) + std::log(3.0)) / 2;
  EXPECT_NEAR(apprentice_loss(teacher_scores(), student_scores(), labels, 0.3, false).item<double>(),
              0.5 * smoothed + 0.5 * imitation, 1e-6);
}

/// The teacher learns from the labels alone: (p - y) / images. The student: 0.5 (p - y) + 0.5 (p - p_T).
TEST(Distillation, GradientsReachTheTeacherThroughTheLabelsAlone) {
  const Tensor teacher = teacher_scores().set_requires_grad(true),
               student = student_scores().set_requires_grad(true);
  apprentice_loss(teacher, student, labels, 0, true).backward();
  const Tensor at_teacher = torch::tensor({{-0.5f, 0.25f, 0.25f}, {0.125f, 0.75f, -0.875f}}) / 2;
  EXPECT_TRUE(torch::allclose(teacher.grad(), at_teacher, 0, 1e-6)) << teacher.grad();
  const Tensor p = torch::softmax(student.detach(), 1), y = torch::one_hot(labels, 3).to(torch::kFloat),
               wanted = torch::tensor({{0.5f, 0.25f, 0.25f}, {0.125f, 0.75f, 0.125f}});
  EXPECT_TRUE(torch::allclose(student.grad(), (0.5 * (p - y) + 0.5 * (p - wanted)) / 2, 0, 1e-6))
      << student.grad();
}

}  // namespace
}  // namespace twofour::nas
