"""Makes `weights/words.bin`: a vector for each piece of the vocabulary, so that their mean is near to what the whole
model says of a text. The vectors M solve min |X M - T|² + ridge |M - M₀|², where X takes the mean of a text's pieces, T
are the model's vectors of many texts, and M₀ are its vectors of the pieces alone, common ones weighing less.

    env/bin/python words.py      (some minutes; see encoder.py for env)
"""

import struct

import numpy as np

import corpus
import encoder
import model

WIDTH = 128
LAYERS = 6  # all of them: here it is what a text is about that counts
RIDGE = 0.02
ROUNDS = 40
STEPS = 127
COMMON = 1e-4  # words that are commoner than this weigh less


class Mean:
    """The mean of each text's pieces, as a linear map and its transpose."""

    def __init__(self, rows, height):
        self.pieces = np.concatenate([np.array(row) for row in rows])
        lengths = np.array([len(row) for row in rows])
        self.starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        self.lengths = lengths[:, None].astype(np.float32)
        order = np.argsort(self.pieces, kind="stable")
        self.texts = np.repeat(np.arange(len(rows)), lengths)[order]
        self.used, self.firsts = np.unique(self.pieces[order], return_index=True)
        self.height = height

    def forth(self, vectors):
        return np.add.reduceat(vectors[self.pieces], self.starts, axis=0) / self.lengths

    def back(self, texts):
        out = np.zeros((self.height, texts.shape[1]), np.float32)
        out[self.used] = np.add.reduceat((texts / self.lengths)[self.texts], self.firsts, axis=0)
        return out


def solved(mean, target, start):
    """By conjugate gradients, for each column at once."""

    def normal(vectors):
        return mean.back(mean.forth(vectors)) + RIDGE * vectors

    change = np.zeros_like(start)
    rest = mean.back(target - mean.forth(start))
    along, size = rest.copy(), (rest * rest).sum(0)
    for _ in range(ROUNDS):
        pushed = normal(along)
        step = size / ((along * pushed).sum(0) + 1e-12)
        change += step * along
        rest -= step * pushed
        new = (rest * rest).sum(0)
        along, size = rest + new / (size + 1e-12) * along, new
    return start + change


def unit(vectors):
    return vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)


if __name__ == "__main__":
    pieces = (encoder.WEIGHTS / "vocabulary.txt").read_text("utf-8").split("\n")[:-1]
    tokens = model.WordPiece(pieces)
    teacher = model.Model(model.tensors(), model.vocabulary(), LAYERS)
    texts = [text for text in corpus.whole() if tokens.encode(text)]
    target = unit(teacher.embed(texts))
    values, directions = np.linalg.eigh(target.T @ target)
    projection = directions[:, ::-1][:, :WIDTH]
    known = teacher.tokens.ids
    alone = teacher.run(np.array([[known["[CLS]"], known[piece], known["[SEP]"]] for piece in pieces]))
    share = 1 / ((np.array([known[piece] for piece in pieces]) + 1) * np.log(len(known)))
    start = (alone * (COMMON / (COMMON + share))[:, None].astype(np.float32)) @ projection
    mean = Mean([tokens.encode(text) for text in texts], len(pieces))
    target = target @ projection
    first = mean.forth(start)
    start *= (first * target).sum() / (first * first).sum()
    vectors = solved(mean, target, start)
    scale, numbers = encoder.packed(vectors, STEPS)
    header = struct.pack("<4s2I", b"LFW1", len(pieces), WIDTH)
    (encoder.WEIGHTS / "words.bin").write_bytes(header + scale.tobytes() + numbers.tobytes())
    near = encoder.cosine(mean.forth(scale * numbers), target)
    print(f"{len(texts)} texts; cosine with the model: {near.mean():.3f}")
