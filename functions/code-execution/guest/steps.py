"""Records what a program does, step by step, so that a front end can draw its variables.

A step is `{"event", "line", "function", "written", "frames", "heap"}` with event `line` (about to run),
`call`, `return` or `exception`. A frame is `{"function", "line", "locals"}`. A value is `null`, a boolean,
a number, a string, `{"ref": 1}` (an object of `heap`, shared where the program shares it) or
`{"text": "1j"}`. A heap object has `kind`, `type` and what it holds.
"""

import sys
import types

from names import is_students
from values import as_json, name_of

__builtins__ = dict(vars(__import__("builtins")))

# Frames told in a step, objects told in a step, items told of an object, characters of a string.
_FRAMES, _OBJECTS, _ITEMS, _TEXT = 32, 100, 50, 200
# Bytes of all steps together: what a page can hold, and a small part of the program's memory.
_ALL = 1_000_000
# Integers that JSON readers keep exact (RFC 8259, section 6).
_EXACT = 2**53

_HIDDEN = {"__builtins__", "__name__", "__file__", "__doc__", "__package__", "__loader__", "__spec__", "__cached__"}


class Recorder:
    """Records up to `limit` steps of the program's own code."""

    def __init__(self, limit, written):
        self._limit = limit
        self._written = written
        self._steps = []
        self._size = 0
        self._numbers = {}
        self._kept = []
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
        if frame.f_code.co_name != "<module>":
            self._record(frame, "call", None)
        return self._line

    def _line(self, frame, event, argument):
        if event != "opcode":
            self._record(frame, event, argument)
        return self._line

    def _record(self, frame, event, argument):
        if len(self._steps) >= self._limit:
            return self._end()
        heap = _Heap(self)
        step = {
            "event": event,
            "line": frame.f_lineno,
            "function": _cut(frame.f_code.co_name),
            "written": self._written(),
            "frames": [_frame(each, heap) for each in _stack(frame)],
        }
        if event == "return":
            step["value"] = heap.value(argument)
        elif event == "exception":
            step["exception"] = name_of(argument[0])
        step["heap"] = heap.finish()
        text = as_json(step)
        self._size += len(text.encode())
        if self._size > _ALL:
            return self._end()
        self._steps.append(text)

    def _end(self):
        self.truncated = True
        sys.settrace(None)

    def number(self, thing):
        """The object's number: the same for as long as the program runs."""
        key = id(thing)
        if key not in self._numbers:
            self._numbers[key] = len(self._numbers) + 1
            # Kept alive, so that no other object gets its place in memory, and so its number.
            self._kept.append(thing)
        return self._numbers[key]


def _stack(frame):
    """The program's frames, outermost first; of a deep stack the innermost."""
    frames = []
    while frame is not None and len(frames) < _FRAMES:
        if is_students(frame.f_code.co_filename):
            frames.append(frame)
        frame = frame.f_back
    return frames[::-1]


def _frame(frame, heap):
    names = frame.f_locals
    shown = {
        _cut(str(name)): heap.value(value)
        for name, value in list(names.items())[: _ITEMS * 2]
        if name not in _HIDDEN and not isinstance(value, types.ModuleType)
    }
    return {"function": _cut(frame.f_code.co_name), "line": frame.f_lineno, "locals": shown}


class _Heap:
    def __init__(self, recorder):
        self._recorder = recorder
        self._waiting = []
        self._seen = set()
        self._objects = {}

    def value(self, value):
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -_EXACT < value < _EXACT else {"text": _big(value)}
        if kind is float:
            return value if value == value and abs(value) != float("inf") else {"text": float.__repr__(value)}
        if kind is str:
            return _cut(value)
        if kind is complex:
            return {"text": complex.__repr__(value)}
        if kind is bytes and len(value) <= _TEXT:
            return {"text": bytes.__repr__(value)}
        number = self._recorder.number(value)
        if number not in self._seen:
            self._seen.add(number)
            self._waiting.append((number, value))
        return {"ref": number}

    def finish(self):
        while self._waiting and len(self._objects) < _OBJECTS:
            number, value = self._waiting.pop(0)
            self._objects[str(number)] = self._object(value)
        for number, value in self._waiting:
            self._objects[str(number)] = {"kind": "more", "type": name_of(type(value))}
            if len(self._objects) >= 2 * _OBJECTS:
                break
        return self._objects

    def _object(self, value):
        kind = type(value)
        told = {"type": name_of(kind)}
        if isinstance(value, (list, tuple, set, frozenset)):
            base = next(base for base in (list, tuple, set, frozenset) if isinstance(value, base))
            items = base.__iter__(value)
            told |= {"kind": base.__name__, "length": base.__len__(value)}
            told["items"] = [self.value(item) for item, _ in zip(items, range(_ITEMS))]
        elif isinstance(value, dict):
            pairs = zip(dict.items(value), range(_ITEMS))
            told |= {"kind": "dict", "length": dict.__len__(value)}
            told["entries"] = [[self.value(key), self.value(held)] for (key, held), _ in pairs]
        elif isinstance(value, types.FunctionType):
            told |= {"kind": "function", "name": _cut(value.__name__)}
        elif isinstance(value, type):
            names = {name: held for name, held in type.__dict__["__dict__"].__get__(value).items() if name[:2] != "__"}
            told |= {"kind": "class", "name": name_of(value), "attributes": self._names(names)}
        else:
            told["kind"] = "instance"
            attributes = _attributes(value)
            if attributes is not None:
                told["attributes"] = self._names(attributes)
        return told

    def _names(self, names):
        return {_cut(str(name)): self.value(value) for name, value in list(names.items())[:_ITEMS]}


def _attributes(value):
    """The instance's own attributes, found without running any of the program's code."""
    if not isinstance(type(value).__flags__, int) or type(value).__module__ not in ("__main__", "main"):
        return None
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None


def _cut(text):
    return text if len(text) <= _TEXT else text[:_TEXT] + "…"


def _big(value):
    bits = value.bit_length()
    return int.__repr__(value) if bits < 300 else f"an integer of {bits} bits"
