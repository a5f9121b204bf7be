"""Values as JSON that keeps Python's types, so that the host can compare them.

`"none"`, `{"bool": true}`, `{"int": "2a"}` (hexadecimal), `{"float": "1.5"}`, `{"complex": "1j"}`,
`{"str": "a"}`, `{"bytes": "00ff"}`, `{"list": [...]}`, `{"tuple": [...]}`, `{"set": [...]}`,
`{"dict": [[key, value], ...]}`, and `{"other": {"kind": "Dog", "text": "<Dog>"}}` for the rest.
"""

import json

__builtins__ = dict(vars(__import__("builtins")))

# Deeper or larger values are given by their text alone, as those that hold themselves are: no exercise
# compares such ones.
_DEPTH = 50
_ITEMS = 20_000
# Characters of a value's text.
TEXT = 2_000

_encode = json.JSONEncoder(check_circular=False).encode


def encoded(value):
    """`{"value": …, "text": …}` as JSON."""
    try:
        tree = _Encoder().encode(value, 0)
    except _TooLarge:
        tree = {"other": {"kind": type(value).__name__, "text": cut(_text(value))}}
    return _encode({"value": tree, "text": cut(_text(value))})


class _TooLarge(Exception):
    """More items, or deeper, than is compared."""


def _text(value):
    try:
        return repr(value)
    except MemoryError:
        raise
    except Exception as error:
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def cut(text, limit=TEXT):
    """The text, or its beginning with a note of what was left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters)"


class _Encoder:
    def __init__(self):
        self._left = _ITEMS

    def encode(self, value, depth):
        self._left -= 1
        if self._left < 0 or depth > _DEPTH:
            raise _TooLarge
        if value is None:
            return "none"
        if value is True or value is False:
            return {"bool": value}
        if isinstance(value, int):
            return {"int": format(int(value), "x")}
        if isinstance(value, float):
            return {"float": float.__repr__(value)}
        if isinstance(value, str):
            return {"str": str.__str__(value)}
        if isinstance(value, complex):
            return {"complex": complex.__repr__(value)}
        if isinstance(value, (bytes, bytearray)):
            return {"bytes": bytes(value).hex()}
        if isinstance(value, list):
            return {"list": self._all(list.__iter__(value), depth)}
        if isinstance(value, tuple):
            return {"tuple": self._all(tuple.__iter__(value), depth)}
        if isinstance(value, (set, frozenset)):
            return {"set": self._all(iter(value), depth)}
        if isinstance(value, dict):
            return {"dict": [self._all(pair, depth) for pair in dict.items(value)]}
        return {"other": {"kind": type(value).__name__, "text": cut(_text(value))}}

    def _all(self, items, depth):
        return [self.encode(item, depth + 1) for item in items]
