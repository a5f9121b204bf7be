"""Records what a program does, step by step, so that a front end can draw its variables.

A step is `{"event", "line", "function", "written", "frames", "heap"}` with event `line` (about to run),
`call`, `return` or `exception`. A frame is `{"function", "line", "locals"}`. A value is `null`, a boolean,
a number, a string, `{"ref": 1}` (an object of `heap`, shared where the program shares it) or
`{"text": "1j"}`. A heap object has `kind`, `type` and what it holds.
"""

import sys
from itertools import islice
from json.encoder import encode_basestring
from operator import is_
from types import FunctionType, ModuleType

from names import is_students
from values import SURROGATE, name_of

__builtins__ = dict(vars(__import__("builtins")))

# Most frames of a step, objects of a step, items of an object, characters of a string.
_FRAMES, _OBJECTS, _ITEMS, _TEXT = 32, 100, 50, 200
# Most bytes of all steps together: what a web page can show, and a small part of the program's memory.
_ALL = 1_000_000
# Integers that JSON readers represent exactly (RFC 8259, section 6).
_EXACT = 2**53

_HIDDEN = {"__builtins__", "__name__", "__file__", "__doc__", "__package__", "__loader__", "__spec__", "__cached__"}
_SEQUENCES = (list, tuple, set, frozenset)
# Most names of a frame that are read.
_NAMES = 100


class Recorder:
    """Records up to `limit` steps of the program's own code.

    Most of a step is the same as in the step before, so its JSON is cached together with what it was made from, and
    made again only if one of these is another object.
    """

    def __init__(self, limit, written):
        self._limit = limit
        self._written = written
        self._steps = []
        self._size = 0
        self._numbers = {}
        # Numbered objects are kept alive, so that no other object gets their address, and so their number.
        self._kept = []
        # The JSON of each name; and by number or frame, what an object held when its JSON was made, with that JSON and
        # the objects that it refers to. Contents are compared by identity, since equal ones can have different JSON.
        self._names = {}
        self._cache = {}
        # The frame of the last step, and its whole stack, each frame with its cached JSON.
        self._innermost, self._stack = None, []
        # The objects of the last heap with what they held, and its JSON; `None` if it cannot be reused.
        self._walked, self._heap_text = None, ""
        self.truncated = False

    def start(self):
        sys.settrace(self._call)

    def stop(self):
        sys.settrace(None)

    def encoded(self):
        """`{"steps": [...], "truncated": bool}` as JSON."""
        return f'{{"steps":[{",".join(self._steps)}],"truncated":{"true" if self.truncated else "false"}}}'

    def _call(self, frame, event, argument):
        if not is_students(frame.f_code.co_filename):
            return None
        # A generator can be resumed from anywhere.
        self._innermost = None
        if frame.f_code.co_name != "<module>":
            self._record(frame, "call", None)
        return self._record

    def _record(self, frame, event, argument):
        if event == "opcode":
            return
        if len(self._steps) >= self._limit:
            return self._end()
        if frame is not self._innermost:
            self._innermost, self._stack = frame, self._frames_from(frame)
            self._walked = None
        waiting, frames, changed = [], [], False
        for entry in self._stack:
            each, cached = entry
            names, line = each.f_locals, each.f_lineno
            if (
                cached is None
                or len(cached[1]) != len(names)
                or not all(map(is_, cached[1], names))
                or not all(map(is_, cached[2], names.values()))
            ):
                # Numbers of objects are positive.
                cached = entry[1] = self._cache[-id(each)] = self._frame(each, names)
                changed = True
            waiting += cached[5]
            frames.append(f'{cached[3]}{"null" if line is None else line}{cached[4]}')
        more = ""
        if event == "return":
            more = f'"value":{self._value(argument, waiting)},'
        elif event == "exception":
            more = f'"exception":{_encoded(name_of(argument[0]))},'
        # What the frames refer to has rarely changed.
        if changed or more or not self._is_as_walked():
            self._heap_text = self._heap(waiting)
            if more:
                self._walked = None
        line, name = frame.f_lineno, frame.f_code.co_name
        text = (
            f'{{"event":"{event}","line":{"null" if line is None else line},'
            f'"function":{self._names.get(name) or self._name(name)},"written":{self._written()},"frames":[{",".join(frames)}],{more}"heap":{{{self._heap_text}}}}}'
        )
        self._size += len(text) if text.isascii() else len(text.encode())
        if self._size > _ALL:
            return self._end()
        self._steps.append(text)

    def _end(self):
        self.truncated = True
        sys.settrace(None)

    def _frames_from(self, frame):
        """The program's frames, outermost first; of a deep stack the innermost."""
        frames = []
        while frame is not None and len(frames) < _FRAMES:
            code = frame.f_code
            if is_students(code.co_filename):
                cached = self._cache.get(-id(frame))
                frames.append([frame, cached if cached and cached[0] is code else None])
            frame = frame.f_back
        return frames[::-1]

    def _frame(self, frame, names):
        """A frame's code, its names, what they stand for, its JSON before and behind its line, and what it refers to."""
        refers_to, parts, known = [], [], self._names
        for name, value in islice(names.items(), _NAMES):
            if name in _HIDDEN:
                continue
            if type(value) is int and -_EXACT < value < _EXACT:
                text = f"{value}"
            elif issubclass(type(value), ModuleType):
                continue
            else:
                text = self._value(value, refers_to)
            parts.append(f"{known.get(name) or self._name(name)}:{text}")
        function = f'{{"function":{self._name(frame.f_code.co_name)},"line":'
        return frame.f_code, (*names,), (*names.values(),), function, f',"locals":{{{",".join(parts)}}}}}', refers_to

    def _name(self, name):
        if type(name) is not str:
            return _quoted(str(name))
        text = self._names.get(name)
        if text is None:
            text = self._names[name] = _quoted(name)
        return text

    def _value(self, value, refers_to):
        tell = _SCALARS.get(id(type(value)))
        if tell is not None:
            text = tell(value)
            if text is not None:
                return text
        key = id(value)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._numbers) + 1
            self._kept.append(value)
        refers_to.append((number, value))
        return f'{{"ref":{number}}}'

    def _is_as_walked(self):
        """Whether the objects of the last heap hold what they held then."""
        if self._walked is None:
            return False
        for value, held in self._walked:
            kind = type(value)
            if kind is tuple or kind is frozenset:
                continue
            if kind is list and len(value) <= _ITEMS:
                now = value
            elif kind is dict and len(value) <= _ITEMS:
                now = (*value, *value.values())
            else:
                now = _held(value)
            if len(now) != len(held) or not all(map(is_, held, now)):
                return False
        return True

    def _heap(self, waiting):
        """What is referred to, and what that refers to."""
        heap, self._walked = {}, []
        for number, value in waiting:
            if number in heap:
                continue
            if len(heap) < _OBJECTS:
                # It may refer to itself.
                heap[number] = None
                kind = type(value)
                if kind is list and len(value) <= _ITEMS:
                    held = (*value,)
                elif kind is dict and len(value) <= _ITEMS:
                    held = (*value, *value.values())
                else:
                    held = _held(value)
                cached = self._cache.get(number)
                if cached is None or len(cached[0]) != len(held) or not all(map(is_, cached[0], held)):
                    refers_to = []
                    text = self._object(value, refers_to)
                    cached = self._cache[number] = held, f'"{number}":{text}', refers_to
                heap[number] = cached[1]
                waiting += cached[2]
                self._walked.append((value, cached[0]))
            elif len(heap) < 2 * _OBJECTS:
                heap[number] = f'"{number}":{{"kind":"more","type":{_encoded(name_of(type(value)))}}}'
            else:
                break
        return ",".join(heap.values())

    def _object(self, value, refers_to):
        kind = type(value)
        if issubclass(kind, _SEQUENCES):
            return self._sequence(value, refers_to)
        if issubclass(kind, dict):
            return self._dictionary(value, refers_to)
        if kind is FunctionType:
            return f'{_head(value, "function")},"name":{_quoted(value.__name__)}}}'
        if issubclass(kind, type):
            names = [(name, held) for name, held in _class_names(value).items() if name[:2] != "__"]
            attributes = self._attributes(names, refers_to)
            return f'{_head(value, "class")},"name":{_encoded(name_of(value))},"attributes":{attributes}}}'
        names = _attributes(value)
        if names is None:
            return _head(value, "instance") + "}"
        return f'{_head(value, "instance")},"attributes":{self._attributes(names.items(), refers_to)}}}'

    def _sequence(self, value, refers_to):
        base = _base(type(value))
        parts = []
        for item in islice(base.__iter__(value), _ITEMS):
            if type(item) is int and -_EXACT < item < _EXACT:
                parts.append(f"{item}")
            else:
                parts.append(self._value(item, refers_to))
        items = ",".join(parts)
        return f'{_head(value, base.__name__)},"length":{base.__len__(value)},"items":[{items}]}}'

    def _dictionary(self, value, refers_to):
        tell = self._value
        pairs = islice(dict.items(value), _ITEMS)
        entries = ",".join([f"[{tell(key, refers_to)},{tell(held, refers_to)}]" for key, held in pairs])
        return f'{_head(value, "dict")},"length":{dict.__len__(value)},"entries":[{entries}]}}'

    def _attributes(self, names, refers_to):
        parts = [f"{self._name(name)}:{self._value(value, refers_to)}" for name, value in islice(names, _ITEMS)]
        return f'{{{",".join(parts)}}}'


def _held(value):
    """The JSON of an object depends on this."""
    kind = type(value)
    if kind is list or issubclass(kind, _SEQUENCES):
        base = list if kind is list else _base(kind)
        length = base.__len__(value)
        items = base.__iter__(value)
        return (kind, *items) if length <= _ITEMS else (kind, length, *islice(items, _ITEMS))
    if issubclass(kind, dict):
        length = dict.__len__(value)
        if length <= _ITEMS:
            return (kind, *dict.keys(value), *dict.values(value))
        return (kind, length, *islice(dict.keys(value), _ITEMS), *islice(dict.values(value), _ITEMS))
    if kind is FunctionType:
        return kind, value.__name__
    if issubclass(kind, type):
        names = _class_names(value)
        return (kind, *names, *names.values())
    names = _attributes(value)
    if names is None:
        return kind, None
    return (kind, *islice(names, _ITEMS), *islice(names.values(), _ITEMS))


def _base(kind):
    for base in _SEQUENCES:
        if issubclass(kind, base):
            return base


def _head(value, kind):
    known = _HEADS.get(id(type(value)))
    return known or f'{{"type":{_encoded(name_of(type(value)))},"kind":"{kind}"'


def _class_names(value):
    return type.__dict__["__dict__"].__get__(value)


def _attributes(value):
    """The instance's own attributes, found without running any of the program's code."""
    if not isinstance(type(value).__flags__, int) or type(value).__module__ not in ("__main__", "main"):
        return None
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None


def _quoted(text):
    return _encoded(text if len(text) <= _TEXT else text[:_TEXT] + "…")


def _encoded(text):
    """A string as JSON that any reader takes: a lone surrogate is written as Python writes it."""
    text = encode_basestring(text)
    return text if text.isascii() else SURROGATE.sub(lambda half: rf"\\u{ord(half[0]):04x}", text)


def _text(text):
    return f'{{"text":{_quoted(text)}}}'


def _int(value):
    if -_EXACT < value < _EXACT:
        return f"{value}"
    bits = value.bit_length()
    return _text(int.__repr__(value) if bits < 300 else f"an integer of {bits} bits")


def _float(value):
    text = float.__repr__(value)
    return _text(text) if value != value or abs(value) == _INFINITY else text


_INFINITY = float("inf")
# What encodes values inline, `None` where one is too long for that. By the type's address, since a type can
# have a hash of the program's.
_SCALARS = {
    id(kind): tell
    for kind, tell in (
        (int, _int),
        (str, _quoted),
        (float, _float),
        (bool, lambda value: "true" if value else "false"),
        (type(None), lambda _: "null"),
        (complex, lambda value: _text(complex.__repr__(value))),
        (bytes, lambda value: _text(bytes.__repr__(value)) if len(value) <= _TEXT else None),
    )
}
_HEADS = {
    id(kind): f'{{"type":"{kind.__name__}","kind":"{kind.__name__}"'
    for kind in (*_SEQUENCES, dict, FunctionType)
}
