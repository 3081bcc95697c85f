"""Train the digit model of the browser page and write it, with its card and its check.

    python -m tools.train_digits [--write]

Learns from pen strokes that it draws itself and from the first 1,200 of the 1,797 real digits that come with
scikit-learn; prints how many of the other 597 it reads rightly, and with `--write` replaces the files in `web/models`.
The same packages give the same files. Some minutes on two cores; needs the packages of the dependency group `digits`.
"""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from scipy import ndimage
from sklearn.datasets import load_digits

Image = NDArray[np.float64]
"""Ink from 0 to 255, rows first."""
Weights = dict[str, Any]

FOLDER = Path(__file__).resolve().parents[1] / "web/models"
SEED = 7
DRAWN, REAL_TRAINED, REAL_COPIES = 24_000, 1200, 12
BATCH, EPOCHS, PEAK_RATE, LABEL_SMOOTHING = 128, 8, 2e-3, 0.05

# What the page's preprocess.ts does too; `digits.check.json` holds both to the same numbers.
SIDE, BOX, FAINTEST_INK = 28, 20, 20

# Skeletons in the unit square, y downwards: a digit has variants, these have strokes, these have smooth pieces, which
# meet in corners; a piece begins where the one before it ended.
RING = [(0.5, 0.05), (0.24, 0.2), (0.16, 0.55), (0.3, 0.88), (0.54, 0.95), (0.8, 0.72), (0.84, 0.38), (0.7, 0.1)]
SKELETONS: dict[int, list[list[list[list[tuple[float, float]]]]]] = {
    0: [[[[*RING, (0.48, 0.04)]]], [[[(0.6, 0.04), *RING, (0.5, 0.08)]]]],
    1: [
        [[[(0.52, 0.04), (0.5, 0.5), (0.48, 0.96)]]],
        [[[(0.3, 0.26), (0.42, 0.17), (0.54, 0.04)], [(0.53, 0.5), (0.52, 0.96)]]],
        [[[(0.3, 0.26), (0.54, 0.04)], [(0.53, 0.5), (0.52, 0.95)]], [[(0.28, 0.95), (0.76, 0.95)]]],
    ],
    2: [
        [[[(0.2, 0.28), (0.3, 0.1), (0.55, 0.04), (0.78, 0.2), (0.72, 0.45), (0.45, 0.7), (0.18, 0.93)],
          [(0.5, 0.92), (0.84, 0.92)]]],
        [[[(0.2, 0.26), (0.34, 0.08), (0.6, 0.05), (0.76, 0.24), (0.62, 0.52), (0.34, 0.86), (0.16, 0.9), (0.2, 0.76),
           (0.4, 0.82), (0.6, 0.93), (0.86, 0.86)]]],
    ],
    3: [
        [[[(0.2, 0.16), (0.42, 0.04), (0.68, 0.1), (0.74, 0.28), (0.6, 0.42), (0.42, 0.46)],
          [(0.66, 0.5), (0.8, 0.68), (0.7, 0.88), (0.44, 0.96), (0.18, 0.84)]]],
        [[[(0.2, 0.08), (0.76, 0.08)], [(0.44, 0.42)], [(0.7, 0.48), (0.8, 0.7), (0.64, 0.92), (0.36, 0.95),
                                                    (0.16, 0.8)]]],
    ],
    4: [
        [[[(0.44, 0.05), (0.3, 0.34), (0.14, 0.62)], [(0.5, 0.62), (0.88, 0.6)]], [[(0.68, 0.3), (0.66, 0.96)]]],
        [[[(0.22, 0.06), (0.17, 0.34), (0.22, 0.52)], [(0.5, 0.54), (0.82, 0.5)]], [[(0.76, 0.06), (0.72, 0.96)]]],
        [[[(0.68, 0.96), (0.68, 0.05)], [(0.4, 0.36), (0.14, 0.64)], [(0.5, 0.64), (0.9, 0.63)]]],
    ],
    5: [
        [[[(0.8, 0.08), (0.3, 0.1)], [(0.26, 0.44)], [(0.5, 0.36), (0.76, 0.48), (0.8, 0.72), (0.6, 0.93), (0.34, 0.95),
                                                     (0.16, 0.84)]]],
        [[[(0.3, 0.1), (0.26, 0.46)], [(0.52, 0.38), (0.78, 0.52), (0.76, 0.8), (0.5, 0.96), (0.18, 0.86)]],
         [[(0.3, 0.1), (0.82, 0.07)]]],
    ],
    6: [
        [[[(0.68, 0.05), (0.44, 0.16), (0.26, 0.44), (0.22, 0.74), (0.4, 0.95), (0.66, 0.9), (0.76, 0.7), (0.6, 0.54),
           (0.38, 0.58), (0.24, 0.74)]]],
        [[[(0.5, 0.04), (0.3, 0.4), (0.22, 0.76), (0.44, 0.96), (0.7, 0.84), (0.68, 0.62), (0.46, 0.56), (0.25, 0.7)]]],
    ],
    7: [
        [[[(0.14, 0.1), (0.5, 0.08), (0.84, 0.1)], [(0.62, 0.44), (0.42, 0.96)]]],
        [[[(0.14, 0.12), (0.84, 0.1)], [(0.6, 0.46), (0.44, 0.96)]], [[(0.34, 0.5), (0.78, 0.5)]]],
        [[[(0.16, 0.24), (0.16, 0.1)], [(0.82, 0.08)], [(0.58, 0.5), (0.46, 0.96)]]],
    ],
    8: [
        [[[(0.74, 0.16), (0.5, 0.04), (0.26, 0.18), (0.34, 0.38), (0.64, 0.56), (0.78, 0.78), (0.52, 0.96),
           (0.24, 0.82), (0.36, 0.56), (0.66, 0.38), (0.74, 0.16)]]],
        [[[(0.5, 0.05), (0.28, 0.14), (0.32, 0.38), (0.52, 0.45), (0.72, 0.34), (0.7, 0.12), (0.48, 0.05)]],
         [[(0.52, 0.45), (0.24, 0.6), (0.24, 0.86), (0.52, 0.96), (0.8, 0.84), (0.76, 0.58), (0.5, 0.45)]]],
    ],
    9: [
        [[[(0.76, 0.28), (0.6, 0.06), (0.32, 0.1), (0.24, 0.34), (0.42, 0.5), (0.64, 0.44), (0.77, 0.24)],
          [(0.74, 0.6), (0.66, 0.96)]]],
        [[[(0.74, 0.26), (0.56, 0.05), (0.3, 0.14), (0.26, 0.38), (0.48, 0.5), (0.7, 0.38), (0.75, 0.24)],
          [(0.78, 0.6), (0.66, 0.9), (0.42, 0.96), (0.22, 0.86)]]],
    ],
}  # fmt: skip


def main() -> None:
    """Train, report, and write if asked to."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--write", action="store_true")
    options = arguments.parse_args()

    rng = np.random.default_rng(SEED)
    real, labels = real_digits()
    held_out = np.stack([model_input(image) for image in real[REAL_TRAINED:]])
    drawn_labels = rng.integers(0, 10, DRAWN)
    images = [model_input(drawn(int(digit), rng)) for digit in drawn_labels]
    images += [model_input(image) for image in real[:REAL_TRAINED]]
    images += [model_input(moved(image, rng)) for _ in range(REAL_COPIES) for image in real[:REAL_TRAINED]]
    all_labels = np.concatenate([drawn_labels, np.tile(labels[:REAL_TRAINED], REAL_COPIES + 1)])
    print(f"{DRAWN} drawn digits, {len(images) - DRAWN} of {REAL_TRAINED} real ones, {len(held_out)} held out")

    model = to_onnx(train(np.stack(images), all_labels, rng))
    guesses = run(model, held_out).argmax(1)
    right = guesses == labels[REAL_TRAINED:]
    by_digit = {str(digit): round(float(right[labels[REAL_TRAINED:] == digit].mean()), 3) for digit in range(10)}
    print(f"{right.mean():.2%} of the held-out real digits are right; by digit {by_digit}; {len(model):,} bytes")
    if options.write:
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / "digits.onnx").write_bytes(model)
        write_json("digits.json", card(model, float(right.mean()), by_digit))
        write_json("digits.check.json", check())


# --- Pictures


def model_input(ink: Image) -> NDArray[np.float32]:
    """Cropped to the ink, its longer side 20 pixels, its centre of mass in the middle of 28x28, from 0 to 1."""
    inked = ink > FAINTEST_INK
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    crop = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, int(side * BOX / max(crop.shape) + 0.5)) for side in crop.shape)
    fitted = shares(crop.shape[0], height) @ crop @ shares(crop.shape[1], width).T
    top = corner((fitted.sum(1) * np.arange(height)).sum() / fitted.sum(), height)
    left = corner((fitted.sum(0) * np.arange(width)).sum() / fitted.sum(), width)
    result = np.zeros((SIDE, SIDE), np.float32)
    result[top : top + height, left : left + width] = fitted / 255
    return result


def shares(source: int, target: int) -> Image:
    """How much each source pixel gives to each target pixel: by the area that they share."""
    edges = np.arange(target + 1) * source / target
    starts, ends = edges[:-1, None], edges[1:, None]
    pixels = np.arange(source)[None]
    overlap: Image = np.clip(np.minimum(ends, pixels + 1) - np.maximum(starts, pixels), 0, None) * target / source
    return overlap


def corner(centre: float, side: int) -> int:
    """Where the fitted ink begins, for its centre of mass to be in the middle, and all of it inside."""
    return min(max(int(np.floor(SIDE / 2 - centre)), 0), SIDE - side)


def drawn(digit: int, rng: np.random.Generator, size: int = 80) -> Image:
    """A digit as somebody might draw it with a pen."""
    variants = SKELETONS[digit]
    strokes = [stroke_points(stroke, rng) - 0.5 for stroke in variants[rng.integers(len(variants))]]
    turn, shear = np.radians(rng.uniform(-14, 14)), rng.uniform(-0.3, 0.3)
    stretch = np.array([[rng.uniform(0.6, 1.1), shear], [0, rng.uniform(0.85, 1.1)]])
    affine = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ stretch
    phase, wobble = rng.uniform(0, 6, 2), rng.uniform(0, 0.03)
    dots = np.ones((size, size))
    for points in strokes:
        shaken = points + wobble * np.sin(points[:, ::-1] * 9 + phase)
        x, y = np.clip(np.round((shaken @ affine.T) * size * 0.6 + size / 2), 0, size - 1).astype(int).T
        dots[y, x] = 0
    radius = np.exp(rng.uniform(np.log(1.5), np.log(5.5)))
    ink: Image = np.clip(radius - ndimage.distance_transform_edt(dots) + 0.5, 0, 1) * 255
    return coarse(ink, rng) if rng.uniform() < 0.25 else ink


def stroke_points(pieces: list[list[tuple[float, float]]], rng: np.random.Generator) -> Image:
    """Dense points along a stroke whose support points were moved a little."""
    end: list[tuple[float, float]] = []
    found = []
    for piece in pieces:
        moved_points = [tuple(point + rng.normal(0, 0.03, 2)) for point in np.array(piece)]
        support = np.array(end + moved_points)
        end = [(float(support[-1][0]), float(support[-1][1]))]
        padded = np.vstack([support[:1], support, support[-1:]])
        found += [spline(*(padded[i : i + 4])) for i in range(len(support) - 1)]
    return np.vstack(found)


def spline(before: Image, start: Image, end: Image, after: Image) -> Image:
    """The part of a Catmull-Rom spline between the two middle points."""
    t = np.linspace(0, 1, 40)[:, None]
    return 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )


def coarse(ink: Image, rng: np.random.Generator) -> Image:
    """As a scan of few pixels shows it: what the real digits are."""
    cells = int(rng.integers(8, 16))
    small = shares(ink.shape[0], cells) @ ink @ shares(ink.shape[1], cells).T
    return enlarged(small / small.max() * 255, ink.shape[0] / cells)


def enlarged(ink: Image, factor: float) -> Image:
    """The same picture with more pixels, smoothly."""
    result: Image = np.clip(ndimage.zoom(ink, factor, order=3, mode="grid-constant", grid_mode=True), 0, 255)
    return result


def real_digits() -> tuple[list[Image], NDArray[np.int64]]:
    """The UCI handwritten digits as bundled with scikit-learn, 8x8 pixels each, enlarged."""
    bundle = load_digits()
    return [enlarged(np.pad(image, 1) / 16 * 255, 8) for image in bundle.images], bundle.target


def moved(ink: Image, rng: np.random.Generator) -> Image:
    """The same digit, turned, slanted and stretched a little."""
    turn = np.radians(rng.uniform(-12, 12))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[rng.uniform(0.9, 1.15), 0], [rng.uniform(-0.2, 0.2), rng.uniform(0.85, 1.2)]])
    centre = np.array(ink.shape) / 2 - 0.5
    result: Image = ndimage.affine_transform(ink, matrix, centre - matrix @ centre, order=1)
    return result


# --- The model: two convolutions with pooling, two dense layers


def initial_weights(key: jax.Array) -> Weights:
    """Random ones, of a size that keeps signals alive (He); 83,000 numbers."""
    shapes = {"w1": (12, 1, 5, 5), "w2": (24, 12, 5, 5), "w3": (1176, 64), "w4": (64, 10)}
    fan_in = {"w1": 25, "w2": 300, "w3": 1176, "w4": 64}
    keys = jax.random.split(key, len(shapes))
    weights = {
        name: jax.random.normal(one, shape) * np.sqrt(2 / fan_in[name])
        for one, (name, shape) in zip(keys, shapes.items(), strict=True)
    }
    return weights | {"b1": jnp.zeros(12), "b2": jnp.zeros(24), "b3": jnp.zeros(64), "b4": jnp.zeros(10)}


def logits(weights: Weights, images: jax.Array, dropout: jax.Array) -> jax.Array:
    """A row for each image, while training: some of what is seen is dropped."""
    x = images[:, None]
    for layer in "12":
        layout = ("NCHW", "OIHW", "NCHW")
        x = jax.lax.conv_general_dilated(x, weights[f"w{layer}"], (1, 1), "SAME", dimension_numbers=layout)
        x = jax.nn.relu(x + weights[f"b{layer}"][None, :, None, None])
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    x = x.reshape(len(images), -1)
    x = x * jax.random.bernoulli(dropout, 0.7, x.shape) / 0.7
    return jax.nn.relu(x @ weights["w3"] + weights["b3"]) @ weights["w4"] + weights["b4"]


def loss(weights: Weights, images: jax.Array, labels: jax.Array, dropout: jax.Array) -> jax.Array:
    """Cross entropy with smoothed labels."""
    wanted = jax.nn.one_hot(labels, 10) * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / 10
    return -(wanted * jax.nn.log_softmax(logits(weights, images, dropout))).sum(1).mean()


def adam_step(
    state: tuple[Weights, Weights, Weights], step: float, batch: tuple[Any, Any], dropout: jax.Array, rate: float
) -> tuple[Weights, Weights, Weights]:
    """One step of Adam: weights, and the running means of gradients and of their squares."""
    weights, mean, square = state
    gradient = jax.grad(loss)(weights, *batch, dropout)
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
    square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradient)

    def stepped(weight: jax.Array, m: jax.Array, s: jax.Array) -> jax.Array:
        return weight - rate * (m / (1 - 0.9**step)) / (jnp.sqrt(s / (1 - 0.999**step)) + 1e-8)

    return jax.tree.map(stepped, weights, mean, square), mean, square


def train(images: NDArray[np.float32], labels: NDArray[np.int64], rng: np.random.Generator) -> Weights:
    """The weights after all epochs; the step size falls along half a cosine."""
    weights = initial_weights(jax.random.PRNGKey(SEED))
    nothing = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, nothing, nothing)
    key = jax.random.PRNGKey(SEED + 1)
    batches = len(images) // BATCH
    compiled_step = jax.jit(adam_step)
    for epoch, order in enumerate(rng.permutation(len(images)) for _ in range(EPOCHS)):
        for number, start in enumerate(range(0, batches * BATCH, BATCH)):
            done = epoch * batches + number
            rate = PEAK_RATE * 0.5 * (1 + np.cos(np.pi * done / (EPOCHS * batches)))
            chosen = order[start : start + BATCH]
            key, dropout = jax.random.split(key)
            state = compiled_step(state, float(done + 1), (images[chosen], labels[chosen]), dropout, rate)
        print(f"epoch {epoch + 1} of {EPOCHS}", flush=True)
    return state[0]


# --- The files


def to_onnx(weights: Weights) -> bytes:
    """The model as a file, with the names `image` and `logits` for what goes in and out."""

    def convolution(source: str, layer: str) -> list[onnx.NodeProto]:
        conv, relu = f"conv{layer}", f"relu{layer}"
        return [
            helper.make_node("Conv", [source, f"w{layer}", f"b{layer}"], [conv], kernel_shape=[5, 5], pads=[2] * 4),
            helper.make_node("Relu", [conv], [relu]),
            helper.make_node("MaxPool", [relu], [f"pool{layer}"], kernel_shape=[2, 2], strides=[2, 2]),
        ]

    nodes = [
        *convolution("image", "1"),
        *convolution("pool1", "2"),
        helper.make_node("Flatten", ["pool2"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w3", "b3"], ["dense"]),
        helper.make_node("Relu", ["dense"], ["relu3"]),
        helper.make_node("Gemm", ["relu3", "w4", "b4"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(np.asarray(weights[name], np.float32), name) for name in sorted(weights)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def run(model: bytes, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """A row of logits for each image, by ONNX Runtime."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"image": image[None, None]})[0] for image in images])


def card(model: bytes, accuracy: float, by_digit: dict[str, float]) -> dict[str, object]:
    """What somebody should know who uses the model."""
    return {
        "name": "Homeward digits",
        "file": "digits.onnx",
        "bytes": len(model),
        "sha256": hashlib.sha256(model).hexdigest(),
        "licence": "Apache-2.0",
        "made_by": "tools/train_digits.py",
        "classes": [str(digit) for digit in range(10)],
        "input": "image: float32 [1, 1, 28, 28]; white ink on black from 0 to 1, its longer side 20 pixels, "
        "its centre of mass in the middle",
        "output": "logits: float32 [1, 10]",
        "data": [
            {"what": f"{DRAWN} pen strokes drawn by the script", "licence": "Apache-2.0"},
            {
                "what": f"the first {REAL_TRAINED} of the 1,797 images of Optical Recognition of Handwritten Digits "
                "(E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998, doi:10.24432/C50P49), as bundled with "
                f"scikit-learn; enlarged from 8x8, each with {REAL_COPIES} turned and stretched copies",
                "licence": "CC BY 4.0",
            },
        ],
        "accuracy": {
            "held_out": round(accuracy, 4),
            "images": 597,
            "on": "the last of the same real images, never trained on",
            "by_digit": by_digit,
        },
        "limits": [
            "The real images are enlarged 8x8 scans; the numbers say little about other scans or other pens.",
            "Trained and held-out images may have writers in common.",
            "Whatever is drawn, the answer is one of the ten digits.",
            "Label smoothing keeps even sure answers below 100 %; it is no measure of how often they are right.",
        ],
    }


def check() -> list[dict[str, object]]:
    """New drawings, with what the model is to see of them."""
    rng = np.random.default_rng(SEED + 2)
    cases: list[dict[str, object]] = []
    for digit in range(0, 10, 2):
        ink = np.round(drawn(digit, rng, 56)).astype(np.uint8)
        seen = [round(float(value), 5) for value in model_input(ink.astype(np.float64)).flat]
        cases.append({"digit": digit, "width": ink.shape[1], "ink": ink.tobytes().hex(), "input": seen})
    return cases


def write_json(name: str, content: object) -> None:
    """Indented where a person reads it: the card is a dict, the check a list."""
    text = json.dumps(content, indent=1) if isinstance(content, dict) else json.dumps(content, separators=(",", ":"))
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
