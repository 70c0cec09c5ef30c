"""Writes the .onnx files of this folder; needs `pip install onnx` (any version from 1.12). Weights have shapes
only: they point at external data that does not exist, since the import never reads them.

    python3 make_models.py FOLDER
"""

import os
import sys

import onnx
from onnx import TensorProto, helper


class Graph:
    """Collects the nodes and constants of one model."""

    def __init__(self, name, opset):
        self.name, self.opset = name, opset
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []

    def input(self, name, dims, kind=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims))
        return name

    def output(self, name, dims, kind=TensorProto.FLOAT):
        self.outputs.append(helper.make_tensor_value_info(name, kind, dims))

    def weight(self, name, dims, kind=TensorProto.FLOAT):
        tensor = TensorProto(name=name, data_type=kind, dims=dims)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="left-out.weights")
        self.constants.append(tensor)
        return name

    def constant(self, name, values, kind=TensorProto.INT64, dims=None):
        dims = [len(values)] if dims is None else dims
        self.constants.append(helper.make_tensor(name, kind, dims, values))
        return name

    def node(self, op, name, inputs, results=None, **attributes):
        results = results or [name]
        self.nodes.append(helper.make_node(op, inputs, results, name, **attributes))
        return results[0]

    def save(self, folder):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        with open(os.path.join(folder, self.name + ".onnx"), "wb") as out:
            out.write(model.SerializeToString())


def conv_norm(g, name, x, channels, filters, kernel, stride, relu):
    pad = kernel // 2
    w = g.weight(name + ".weight", [filters, channels, kernel, kernel])
    x = g.node("Conv", name, [x, w], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)
    parameters = [g.weight(f"{name}.bn.{p}", [filters]) for p in ("scale", "shift", "mean", "variance")]
    x = g.node("BatchNormalization", name + ".bn", [x] + parameters)
    return g.node("Relu", name + ".relu", [x]) if relu else x


def resnet50(folder):
    """He et al., CVPR 2016, with the stride in the 3x3 convolution (v1.5). The batch is open."""
    g = Graph("resnet50", 13)
    x = conv_norm(g, "conv1", g.input("image", ["batch", 3, 224, 224]), 3, 64, 7, 2, True)
    x = g.node("MaxPool", "maxpool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for stage, blocks in enumerate([3, 4, 6, 3]):
        width = 64 << stage
        for i in range(blocks):
            name, stride = f"layer{stage + 1}.{i}", 2 if stage > 0 and i == 0 else 1
            shortcut = x
            if i == 0:
                shortcut = conv_norm(g, name + ".downsample", x, channels, 4 * width, 1, stride, False)
            y = conv_norm(g, name + ".conv1", x, channels, width, 1, 1, True)
            y = conv_norm(g, name + ".conv2", y, width, width, 3, stride, True)
            y = conv_norm(g, name + ".conv3", y, width, 4 * width, 1, 1, False)
            x = g.node("Relu", name + ".relu", [g.node("Add", name + ".add", [y, shortcut])])
            channels = 4 * width
    x = g.node("Flatten", "flatten", [g.node("GlobalAveragePool", "avgpool", [x])])
    weights = [g.weight("fc.weight", [1000, 2048]), g.weight("fc.bias", [1000])]
    g.node("Gemm", "fc", [x] + weights, transB=1)
    g.output("fc", ["batch", 1000])
    g.save(folder)


def scale_and_zero(g, name, kind):
    return [g.constant(name + ".scale", [0.1], TensorProto.FLOAT, []), g.constant(name + ".zero", [0], kind, [])]


def cnn_qdq(folder):
    """Conv 3x3, Relu, global pool, Gemm, each product between DequantizeLinear and QuantizeLinear."""
    g = Graph("cnn_qdq", 13)

    def dequantised(name, dims):
        w = g.weight(name, dims, TensorProto.INT8)
        return g.node("DequantizeLinear", name + ".dq", [w] + scale_and_zero(g, name, TensorProto.INT8))

    def quantised(name, x):
        parameters = scale_and_zero(g, name, TensorProto.UINT8)
        return g.node("DequantizeLinear", name + ".dq", [g.node("QuantizeLinear", name + ".q", [x] + parameters)] + parameters)

    x = quantised("x", g.input("image", ["N", 16, 8, 8]))
    x = g.node("Conv", "conv", [x, dequantised("conv.weight", [32, 16, 3, 3]), g.weight("conv.bias", [32])], pads=[1] * 4)
    x = quantised("y", g.node("Relu", "relu", [x]))
    x = g.node("Flatten", "flatten", [g.node("GlobalAveragePool", "pool", [x])])
    g.node("Gemm", "fc", [x, dequantised("fc.weight", [10, 32])], transB=1)
    g.output("fc", ["N", 10])
    g.save(folder)


def cnn_qlinear(folder):
    """QLinearConv, MaxPool, QLinearMatMul, MatMulInteger."""
    g = Graph("cnn_qlinear", 13)
    x = g.input("image", [2, 16, 8, 8], TensorProto.UINT8)
    a, b = scale_and_zero(g, "a", TensorProto.UINT8), scale_and_zero(g, "b", TensorProto.INT8)
    w = g.weight("conv.weight", [32, 8, 3, 3], TensorProto.INT8)
    bias = g.weight("conv.bias", [32], TensorProto.INT32)
    x = g.node("QLinearConv", "conv", [x] + a + [w] + b + a + [bias], group=2, strides=[2, 2], pads=[1] * 4)
    x = g.node("MaxPool", "pool", [x], kernel_shape=[2, 2], strides=[2, 2])
    x = g.node("Reshape", "rows", [x, g.constant("rows.shape", [0, -1])])
    x = g.node("QLinearMatMul", "fc1", [x] + a + [g.weight("fc1.weight", [128, 64], TensorProto.INT8)] + b + a)
    g.node("MatMulInteger", "fc2", [x, g.weight("fc2.weight", [64, 10], TensorProto.INT8), a[1], b[1]])
    g.output("fc2", [2, 10], TensorProto.INT32)
    g.save(folder)


def transformer_block(folder):
    """An encoder block of 4 heads x 16 as exporters write it: shapes by Shape, Gather, Unsqueeze and Concat;
    layer normalisation and Gelu in parts. Batch and tokens are open."""
    g = Graph("transformer_block", 13)
    x = g.input("tokens", ["batch", "sequence", 64])
    zero, one = (g.constant(f"index{i}", [i], TensorProto.INT64, []) for i in range(2))
    axis0 = g.constant("axis0", [0])

    def size(name, of, index):
        size = g.node("Gather", name, [g.node("Shape", name + ".shape", [of]), index], axis=0)
        return g.node("Unsqueeze", name + ".list", [size, axis0])

    def linear(name, x, inner, features):
        y = g.node("MatMul", name, [x, g.weight(name + ".weight", [inner, features])])
        return g.node("Add", name + ".bias", [y, g.weight(name + ".bias.weight", [features])])

    def scalar(name, value):
        return g.constant(name, [value], TensorProto.FLOAT, [])

    def norm(name, x):
        centred = g.node("Sub", name + ".centre", [x, g.node("ReduceMean", name + ".mean", [x], axes=[-1])])
        square = g.node("Pow", name + ".square", [centred, scalar(name + ".two", 2.0)])
        variance = g.node("ReduceMean", name + ".variance", [square], axes=[-1])
        deviation = g.node("Sqrt", name + ".deviation", [g.node("Add", name + ".add", [variance, scalar(name + ".eps", 1e-5)])])
        y = g.node("Div", name + ".div", [centred, deviation])
        y = g.node("Mul", name + ".scale", [y, g.weight(name + ".weight", [64])])
        return g.node("Add", name + ".shift", [y, g.weight(name + ".bias", [64])])

    def heads(name, x, perm):
        parts = [size(name + ".batch", x, zero), size(name + ".tokens", x, one), four, sixteen]
        y = g.node("Reshape", name + ".reshape", [x, g.node("Concat", name + ".sizes", parts, axis=0)])
        return g.node("Transpose", name + ".heads", [y], perm=perm)

    four, sixteen, minus = g.constant("four", [4]), g.constant("sixteen", [16]), g.constant("minus", [-1])
    h = norm("norm1", x)
    query = heads("query", linear("q", h, 64, 64), [0, 2, 1, 3])
    key = heads("key", linear("k", h, 64, 64), [0, 2, 3, 1])
    value = heads("value", linear("v", h, 64, 64), [0, 2, 1, 3])
    scores = g.node("Div", "scores.scale", [g.node("MatMul", "scores", [query, key]), scalar("root", 4.0)])
    context = g.node("MatMul", "context", [g.node("Softmax", "softmax", [scores], axis=-1), value])
    merged = g.node("Transpose", "merge", [context], perm=[0, 2, 1, 3])
    parts = [size("merge.batch", merged, zero), size("merge.tokens", merged, one), minus]
    merged = g.node("Reshape", "merge.reshape", [merged, g.node("Concat", "merge.sizes", parts, axis=0)])
    x = g.node("Add", "residual1", [x, linear("o", merged, 64, 64)])
    h = linear("up", norm("norm2", x), 64, 256)
    half = g.node("Erf", "gelu.erf", [g.node("Div", "gelu.div", [h, scalar("gelu.root", 1.4142135)])])
    h = g.node("Mul", "gelu.mul", [h, g.node("Add", "gelu.add", [half, scalar("gelu.one", 1.0)])])
    h = g.node("Mul", "gelu.half", [h, scalar("gelu.0.5", 0.5)])
    g.node("Add", "residual2", [x, linear("down", h, 256, 64)])
    g.output("residual2", ["batch", "sequence", 64])
    g.save(folder)


for make in (resnet50, cnn_qdq, cnn_qlinear, transformer_block):
    make(sys.argv[1])
