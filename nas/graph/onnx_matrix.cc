// Matrix products. With constants on one side they are a layer's weights; the product is turned round where
// they stand on the left, since D^T = B^T A^T.
#include <algorithm>
#include <utility>

#include "twofour/nas/graph/onnx_rules.h"

namespace twofour::nas::onnx {
namespace {

void set_cost(Inference& n, const Tensor& a, const Tensor& b, std::int64_t batch, std::int64_t rows,
              std::int64_t columns, std::int64_t inner) {
  if (batch < 1 || rows < 1 || columns < 1 || inner < 1)
    n.refuse("a product of {} and {}: it is empty", text_of(a.dims), text_of(b.dims));
  if (a.constant && !b.constant) std::swap(rows, columns);
  Node& cost = n.cost();
  cost.kind = a.constant || b.constant ? NodeKind::gemm : NodeKind::batched_gemm;
  cost.batch = batch;
  cost.m = rows;
  cost.n = columns;
  cost.k = inner;
}

void check_inner(const Inference& n, const Tensor& a, const Tensor& b, std::int64_t left,
                 std::int64_t right) {
  if (left != right)
    n.refuse("{} and {} do not multiply: {} columns against {} rows", text_of(a.dims), text_of(b.dims), left,
             right);
}

/// Sizes of the leading dimensions, and the matrices behind them; vectors become matrices as numpy has it.
struct Stack {
  Shape leading;
  std::int64_t rows, columns;
};

Stack stack_of(const Inference& n, const Tensor& t, bool left) {
  if (t.dims.empty()) n.refuse("a scalar is no matrix");
  if (t.rank() == 1) return left ? Stack{{}, 1, t.dims[0]} : Stack{{}, t.dims[0], 1};
  return {{t.dims.begin(), t.dims.end() - 2}, t.dims[t.dims.size() - 2], t.dims.back()};
}

void multiply(Inference& n, std::size_t right) {
  const Tensor &a = n.input(0), &b = n.input(right);
  const Stack x = stack_of(n, a, true), y = stack_of(n, b, false);
  check_inner(n, a, b, x.columns, y.rows);
  Shape& out = n.output().dims;
  out = broadcast(n, x.leading, y.leading);
  const std::int64_t batch = elements_of(out);
  if (a.rank() > 1) out.push_back(x.rows);
  if (b.rank() > 1) out.push_back(y.columns);
  if (elements_of(out) > largest_size) n.refuse("the product is {}: more than 2^40 elements", text_of(out));
  // One right matrix for all: the left ones are rows of one. The same for one constant left matrix.
  if (elements_of(y.leading) == 1)
    set_cost(n, a, b, 1, batch * x.rows, y.columns, x.columns);
  else if (a.constant && elements_of(x.leading) == 1)
    set_cost(n, a, b, 1, x.rows, batch * y.columns, x.columns);
  else
    set_cost(n, a, b, batch, x.rows, y.columns, x.columns);
}

}  // namespace

void gemm(Inference& n) {
  const Tensor &a = n.input(0), &b = n.input(1);
  const bool turn_a = n.integer("transA", 0) != 0, turn_b = n.integer("transB", 0) != 0;
  const Shape &x = n.shape(0, 2), &y = n.shape(1, 2);
  const std::int64_t rows = x[turn_a], inner = x[!turn_a], columns = y[!turn_b];
  check_inner(n, a, b, inner, y[turn_b]);
  n.output().dims = {rows, columns};
  if (n.has(2) && broadcast(n, n.output().dims, n.shape(2)) != n.output().dims)
    n.refuse("C is {}; it must broadcast to {} x {}", text_of(n.shape(2)), rows, columns);
  set_cost(n, a, b, 1, rows, columns, inner);
}

void matmul(Inference& n) {
  multiply(n, 1);
}

void quantised_matmul(Inference& n) {
  multiply(n, 3);
}

}  // namespace twofour::nas::onnx
