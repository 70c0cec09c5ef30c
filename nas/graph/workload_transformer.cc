#include "twofour/isa/error.h"
#include "twofour/nas/graph/workload_builder.h"
#include "twofour/nas/graph/workload_networks.h"

namespace twofour::nas {
namespace {

constexpr std::int64_t features = 768, heads = 12, layers = 12, inner = 3072;

/// Projections, scaled scores, softmax, context, output projection.
Value attention(WorkloadBuilder& net, const std::string& name, const Value& in) {
  const auto split = [&](const std::string& which) {
    const auto x = net.linear(name + "." + which, in, features);
    return net.movement(name + "." + which + ".heads", "Transpose", x, x);
  };
  const auto query = split("query"), key = split("key"), value = split("value");
  const std::int64_t tokens = in.height, head = features / heads;
  auto scores = net.attention_product(name + ".scores", query, key, heads, tokens, tokens, head);
  scores = net.elementwise(name + ".scale", "Mul", scores);
  const auto weights = net.softmax(name + ".softmax", scores);
  auto context = net.attention_product(name + ".context", weights, value, heads, tokens, head, tokens);
  context = net.movement(name + ".merge", "Transpose", context, context);
  return net.linear(name + ".output", context, features);
}

Value feed_forward(WorkloadBuilder& net, const std::string& name, const Value& in) {
  const auto x = net.elementwise(name + ".gelu", "Gelu", net.linear(name + ".up", in, inner));
  return net.linear(name + ".down", x, features);
}

}  // namespace

Workload bert_base(std::string_view name, const WorkloadSizes& sizes) {
  constexpr std::int64_t words = 30522, positions = 512, segments = 2;
  if (sizes.sequence > positions)
    fail("network {}: the sequence has {} tokens; it has positions for {}", name, sizes.sequence, positions);
  WorkloadBuilder net(std::string(name), sizes.batch);
  const auto ids = net.tokens(sizes.sequence, 1);
  auto x = net.movement("embeddings", "Gather", ids, net.tokens(sizes.sequence, features),
                        (words + positions + segments) * features);
  x = net.layer_norm("embeddings.norm", x);
  for (int i = 0; i < layers; ++i) {
    const std::string layer = "layer" + std::to_string(i);
    x = net.layer_norm(layer + ".norm1",
                       net.add(layer + ".add1", attention(net, layer + ".attention", x), x));
    x = net.layer_norm(layer + ".norm2", net.add(layer + ".add2", feed_forward(net, layer + ".mlp", x), x));
  }
  const auto first = net.movement("pooler.first", "Slice", x, {x.node, x.batch, 1, 1, features});
  net.elementwise("pooler.tanh", "Tanh", net.linear("pooler", first, features));
  return net.finish();
}

Workload vit_b16(std::string_view name, const WorkloadSizes& sizes) {
  constexpr std::int64_t patch = 16, classes = 1000;
  if (sizes.image % patch != 0)
    fail("network {}: the image size is {}; it must be a multiple of {}", name, sizes.image, patch);
  WorkloadBuilder net(std::string(name), sizes.batch);
  auto x = net.convolution("patches", net.image(sizes.image), {features, patch, patch, 0, 1, true});
  const std::int64_t tokens = x.height * x.width + 1;
  x = net.movement("class_token", "Concat", x, net.tokens(tokens, features), features);
  x = net.add_constant("positions", x, tokens * features);
  for (int i = 0; i < layers; ++i) {
    const std::string layer = "layer" + std::to_string(i);
    x = net.add(layer + ".add1", attention(net, layer + ".attention", net.layer_norm(layer + ".norm1", x)),
                x);
    x = net.add(layer + ".add2", feed_forward(net, layer + ".mlp", net.layer_norm(layer + ".norm2", x)), x);
  }
  x = net.layer_norm("norm", x);
  x = net.movement("head.first", "Slice", x, {x.node, x.batch, 1, 1, features});
  net.linear("head", x, classes);
  return net.finish();
}

}  // namespace twofour::nas
