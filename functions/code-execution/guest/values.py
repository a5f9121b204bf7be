"""Values as JSON that keeps Python's types, so that the host can compare them.

`"none"`, `{"bool": true}`, `{"int": "2a"}` (hexadecimal), `{"float": "1.5"}`, `{"complex": "1j"}`,
`{"str": "a"}`, `{"bytes": "00ff"}`, `{"list": [...]}`, `{"tuple": [...]}`, `{"set": [...]}`,
`{"dict": [[key, value], ...]}`, and `{"other": {"kind": "Dog", "text": "<Dog>"}}` for the rest.
"""

import hashlib
import json
import re

__builtins__ = dict(vars(__import__("builtins")))

# Deeper or larger values are given by their text alone, as those that hold themselves are. A dictionary is three levels of JSON, and the host's reader follows 127.
_DEPTH = 40
_ITEMS = 20_000
# Most characters of a value as JSON, as on the host.
_JSON = 1_000_000
# Most characters of a name, as on the host.
NAME = 200
# Most characters of a value's text.
TEXT = 2_000

# A lone surrogate is valid text only in Python.
SURROGATE = re.compile("[\ud800-\udfff]")

# Saved before any program can replace it.
_sha256 = hashlib.sha256
_encode = json.JSONEncoder(check_circular=False, ensure_ascii=False).encode


def encoded(value):
    """`{"value": …, "text": …}` as JSON."""
    text = _text(value)
    shown = cut(text)
    try:
        encoded_value = as_json({"value": _Encoder().encode(value, 0), "text": shown})
    except _TooLarge:
        encoded_value = None
    if encoded_value is None or len(encoded_value) > _JSON:
        encoded_value = as_json({"value": _other(value, text), "text": shown})
    return encoded_value


def _other(value, text):
    """A value by its class and its text. Of a long one the host sees the beginning, and a hash of all of it."""
    if len(text) > TEXT:
        text = f"{cut(text)} {_sha256(str.encode(text, 'utf-8', 'surrogatepass')).hexdigest()}"
    return {"other": {"kind": name_of(type(value)), "text": text}}


def as_json(thing):
    """JSON that any reader takes: a lone surrogate is written as Python writes it."""
    text = _encode(thing)
    return text if text.isascii() else SURROGATE.sub(lambda half: rf"\\u{ord(half[0]):04x}", text)


def plain(text, limit=NAME):
    """The text, cut, with lone surrogates as Python writes them: the host accepts no others."""
    text = cut(str.__str__(text), limit)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def name_of(kind):
    """The name of a class, whatever its metaclass says."""
    return plain(type.__dict__["__name__"].__get__(kind))


class _TooLarge(Exception):
    """More items, or deeper, than is compared."""


def _text(value):
    try:
        return repr(value)
    except MemoryError:
        raise
    except Exception as error:
        return f"<{name_of(type(value))} whose repr raises {name_of(type(error))}>"


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
        return _other(value, _text(value))

    def _all(self, items, depth):
        return [self.encode(item, depth + 1) for item in items]
