"""The packaged model's layers as an ONNX graph: in float32, or with int8 weights.

Input: the tokens' vectors with positions added, float32 (batch, length, hidden), and a mask, int32 (batch, length), 1 for a
token. Output: the last layer's vectors, float32 (batch, length, hidden). Operators are those that onnxruntime fuses such models
into.

An int8 product is

    x W ≈ r · (q(x / s / r) · q(s W)) + (W - q(s W)) · mean(x)

with s one scale an input, which evens out the inputs' ranges (SmoothQuant, Xiao et al. 2023, α = ½; powers of two, so that
scaling itself rounds nothing), r one scale a token, so that no text's vector depends on its neighbours in a batch, and the last
term the error that is expected, added to the bias (Nagel et al. 2019). Weights have 7 bits: with 8, processors without VNNI
overflow the 16-bit sums of their products; so every processor adds up the same whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from pes_search.index.encoders.packed_weights import PackedModel

if TYPE_CHECKING:
    from pes_search.index.encoders.adapter import Weights

OPSET, IR_VERSION = 18, 10
FUSED = "com.microsoft"  # the domain of onnxruntime's fused operators
LARGEST_WEIGHT = 63
LARGEST_INPUT = 127
ZERO_POINT = 128  # of inputs, which are unsigned
LEAST_SCALE = 1e-9  # of a token whose inputs are all 0
LEAST_RANGE = 1e-3  # of an input that the calibration hardly saw


@dataclass(frozen=True, slots=True)
class InputRange:
    """What the inputs of a product are on average and at most, one number each; shape (inputs,)."""

    mean: Weights
    largest: Weights


def float_graph(packed: PackedModel, *, show_inputs: bool = False) -> ModelProto:
    """Return the graph in float32. With `show_inputs` the inputs of the products, see `inputs_of`, are outputs too."""
    return _Graph(packed, None).model(inputs_of(packed) if show_inputs else ())


def int8_graph(packed: PackedModel, ranges: Mapping[str, InputRange]) -> ModelProto:
    """Return the graph with int8 weights; `ranges` has those of every name of `inputs_of`."""
    return _Graph(packed, ranges).model(())


def inputs_of(packed: PackedModel) -> list[str]:
    """Return the names of all inputs of products."""
    layers = [[f"attended.{layer}", f"between.{layer}", f"widened.{layer}", f"layer.{layer}"] for layer in range(packed.layers)]
    return ["embedded", *(name for names in layers for name in names)]


class _Graph:
    """Collects nodes and weights, from the first layer to the last."""

    def __init__(self, packed: PackedModel, ranges: Mapping[str, InputRange] | None) -> None:
        self._packed = packed
        self._ranges = ranges
        self._nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []
        if ranges is not None:
            self._constant("one", np.array(1, np.float32))
            self._constant("zero_point", np.array(ZERO_POINT, np.uint8))
            self._constant("least_scale", np.array(LEAST_SCALE, np.float32))
            self._constant("step", np.array(1 / LARGEST_INPUT, np.float32))
            self._constant("last", np.array([-1], np.int64))

    def model(self, shown: Sequence[str]) -> ModelProto:
        """Return the whole graph; `shown` are outputs beside the last layer."""
        packed = self._packed
        x = self._node("LayerNormalization", ["tokens", *self._norm("embeddings")], "embedded", axis=-1, epsilon=packed.epsilon)
        for layer in range(packed.layers):
            x = self._layer(layer, x)
        last = helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", "length", packed.hidden])
        graph = helper.make_graph(
            self._nodes,
            "encoder",
            [
                helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["batch", "length", packed.hidden]),
                helper.make_tensor_value_info("mask", TensorProto.INT32, ["batch", "length"]),
            ],
            [last, *(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in shown if name != x)],
            self._weights,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)

    def _layer(self, layer: int, x: str) -> str:
        prefix, epsilon = f"encoder.layer.{layer}", self._packed.epsilon
        attended = self._attention(layer, x)
        product, bias = self._product(attended, f"{prefix}.attention.output.dense")
        norm = self._norm(f"{prefix}.attention.output")
        inputs = [product, x, *norm, bias]
        between = self._node("SkipLayerNormalization", inputs, f"between.{layer}", FUSED, epsilon=epsilon)
        product, bias = self._product(between, f"{prefix}.intermediate.dense", even=True)
        widened = self._node("BiasGelu", [product, bias], f"widened.{layer}", FUSED)
        product, bias = self._product(widened, f"{prefix}.output.dense")
        inputs = [product, between, *self._norm(f"{prefix}.output"), bias]
        return self._node("SkipLayerNormalization", inputs, f"layer.{layer}", FUSED, epsilon=epsilon)

    def _attention(self, layer: int, x: str) -> str:
        weights, heads = self._packed.weights, self._packed.heads
        names = [f"encoder.layer.{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([weights[f"{name}.weight"].T for name in names], axis=1)
        bias = np.concatenate([weights[f"{name}.bias"] for name in names])
        name = f"encoder.layer.{layer}.attention.self"
        if self._ranges is None:
            inputs = [x, self._constant(f"{name}.weight", weight), self._constant(f"{name}.bias", bias), "mask"]
            return self._node("Attention", inputs, f"attended.{layer}", FUSED, num_heads=heads)
        product, bias_name = self._int8_product(x, name, weight, bias, even=True)
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        self._nodes.append(helper.make_node("Split", [product], parts, axis=-1, num_outputs=len(parts)))
        inputs = [*parts, bias_name, "mask"]
        return self._node("MultiHeadAttention", inputs, f"attended.{layer}", FUSED, num_heads=heads)

    def _product(self, x: str, name: str, *, even: bool = False) -> tuple[str, str]:
        """Add x W; return its name and that of the bias, which the next operator adds."""
        weight, bias = self._packed.weights[f"{name}.weight"].T, self._packed.weights[f"{name}.bias"]
        if self._ranges is not None:
            return self._int8_product(x, name, weight, bias, even=even)
        product = self._node("MatMul", [x, self._constant(f"{name}.weight", weight)], f"{name}.product")
        return product, self._constant(f"{name}.bias", bias)

    def _int8_product(self, x: str, name: str, weight: Weights, bias: Weights, *, even: bool) -> tuple[str, str]:
        """Add x W in int8; with `even` the inputs' ranges are evened out first."""
        assert self._ranges is not None
        measured = self._ranges[x]
        mean = measured.mean
        if even:
            scale = _even_scale(measured.largest, weight)
            weight, mean = weight * scale[:, None], mean / scale
            x = self._node("Mul", [x, self._constant(f"{name}.even", 1 / scale)], f"{name}.evened")
        quantised, scales = quantise(weight)
        expected_error = mean @ (weight - quantised.astype(np.float32) * scales)
        largest = self._node("ReduceMax", [self._node("Abs", [x], f"{name}.abs"), "last"], f"{name}.largest", keepdims=1)
        token_scale = self._node("Mul", [largest, "step"], f"{name}.token_scale")
        token_scale = self._node("Max", [token_scale, "least_scale"], f"{name}.token_scale_above_0")
        scaled = self._node("Div", [x, token_scale], f"{name}.scaled")
        rounded = self._node("QuantizeLinear", [scaled, "one", "zero_point"], f"{name}.rounded")
        inputs = [
            rounded,
            self._constant(f"{name}.weight", quantised),
            "one",
            self._constant(f"{name}.scales", scales),
            "zero_point",
            self._constant(f"{name}.zeros", np.zeros(len(scales), np.int8)),
        ]
        product = self._node("MatMulIntegerToFloat", inputs, f"{name}.integer", FUSED)
        product = self._node("Mul", [product, token_scale], f"{name}.product")
        return product, self._constant(f"{name}.bias", bias + expected_error)

    def _norm(self, name: str) -> list[str]:
        weights = self._packed.weights
        return [self._constant(f"{name}.norm.{part}", weights[f"{name}.LayerNorm.{part}"]) for part in ("weight", "bias")]

    def _constant(self, name: str, values: np.ndarray) -> str:
        kind = values.astype(np.float32) if values.dtype.kind == "f" else values
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(kind), name))
        return name

    def _node(self, operator: str, inputs: Sequence[str], output: str, domain: str = "", **settings: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **settings))
        return output


def quantise(weight: Weights) -> tuple[np.ndarray, Weights]:
    """Return a weight, shape (inputs, outputs), as int8 of 7 bits, and the scale of each output."""
    scales = (np.abs(weight).max(axis=0) / LARGEST_WEIGHT).astype(np.float32)
    return np.clip(np.rint(weight / scales), -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int8), scales


def _even_scale(largest_inputs: Weights, weight: Weights) -> Weights:
    """Return for each input the power of two that shares its range between input and weight."""
    scale = np.sqrt(np.maximum(largest_inputs, LEAST_RANGE) / np.abs(weight).max(axis=1))
    powers: Weights = np.exp2(np.rint(np.log2(scale / np.exp(np.log(scale).mean())))).astype(np.float32)
    return powers
