"""Records what a program does, step by step, so that a front end can draw its variables.

Most of a step is the same as in the step before, so what is written is a recording of changes, from which the host
(`recording.rs`) makes the steps. It is lines of text, each a letter and JSON:

    F1 {"function": "f", "locals": {"x": 1}}    frame 1 is this from now on
    V1 {"x": 2}                                 of its variables, these have changed
    O3 {"type": "list", "kind": "list", …}      object 3 is this from now on
    S{"event": "line", "line": 4, "written": 0, "outer": [[0, 7]], "frame": 1, "heap": [3]}
    T                                           there were more steps

A step `S` has the event `line` (about to run), `call`, `return` (with `value`) or `exception` (with `exception`), and
how many characters of output had been written. This one shows frame 1 at line 4, called by frame 0 at line 7, and
object 3; `outer`, `frame` and `heap` are left out while they are as in the step before. A value is `null`, a boolean, a
number, a string, `{"ref": 3}` (an object, shared where the program shares it) or `{"text": "1j"}`. An object has `kind`,
`type` and what it holds.
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
# Most bytes of the recording, a small part of the program's memory. The host allows all steps a million, and they are
# longer: this is only reached when they are too many.
_ALL = 1_040_000
# Integers that JSON readers represent exactly (RFC 8259, section 6).
_EXACT = 2**53

_HIDDEN = {"__builtins__", "__name__", "__file__", "__doc__", "__package__", "__loader__", "__spec__", "__cached__"}
_SEQUENCES = (list, tuple, set, frozenset)
# Most names of a frame that are read.
_NAMES = 100


class _Frame:
    """A frame as it was last written."""

    __slots__ = "number", "code", "names", "hidden", "labels", "values", "refs", "refers_to"

    def __init__(self, number, code):
        self.number, self.code = number, code
        # Its names, of which so many at the beginning are not shown, the JSON of the others, and what they stand for.
        self.names, self.hidden, self.labels, self.values = None, 0, [], ()
        # The number of the object that each of these refers to, if any; and all of them.
        self.refs, self.refers_to = [], []


class _Object:
    """An object, what it held when its JSON was made, this JSON, and the numbers of the objects in it."""

    __slots__ = "number", "value", "held", "text", "refers_to", "written", "kind", "hold"

    def __init__(self, number, value):
        # Kept alive, so that no other object gets its address, and so its number.
        self.number, self.value = number, value
        self.held, self.text, self.refers_to = None, None, []
        # The JSON that was last written, which can be that of an object beyond the limit.
        self.written = None
        # Its class when it was last in the heap, and what tells what it holds.
        self.kind, self.hold = None, None


class Recorder:
    """Records up to `limit` steps of the program's own code.

    What was written of a frame or an object is kept together with what it was made from, and written again only if one
    of these is another object: contents are compared by identity, since equal ones can have different JSON.
    """

    def __init__(self, limit, written):
        self._left = limit
        self._written = written
        self._lines = []
        self._size = 0
        # The JSON of each name.
        self._names = {}
        # Frames by their addresses; objects in the order of their numbers, and the numbers by the addresses.
        self._frames, self._objects, self._numbers = {}, [], {}
        # The frame of the last step, its whole stack, outermost first, and the frames around it as they were written.
        self._innermost, self._stack, self._outer = None, [], []
        # The objects that the last heap was found from, `None` if it has more; the numbers in it; those that can
        # change; and whether some of them were beyond the limit.
        self._roots, self._heap, self._changeable, self._has_more = None, [], [], False
        self._truncated = False

    def start(self):
        sys.settrace(self._call)

    def stop(self):
        sys.settrace(None)

    def encoded(self):
        """The recording."""
        return "".join(self._lines) + ("T\n" if self._truncated else "")

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
        if not self._left:
            return self._end()
        self._left -= 1
        more, roots = "", self._roots
        if frame is not self._innermost:
            self._enter(frame)
            more, roots = self._around(), None
        for each, seen in self._stack:
            names = each.f_locals
            if seen.names != (*names,):
                self._read_frame(seen, names)
                roots = None
            elif not all(map(is_, seen.values, islice(names.values(), seen.hidden, None))):
                if self._read_values(seen, names):
                    roots = None
        returned = []
        if event == "return":
            more += f',"value":{self._value(argument, returned)}'
        elif event == "exception":
            more += f',"exception":{_encoded(name_of(argument[0]))}'
        if roots is None:
            roots = [number for _, seen in self._stack for number in seen.refers_to]
        if returned or roots != self._roots or self._are_others_in_heap():
            heap = self._walk(roots + returned)
            self._roots = None if returned else roots
            if heap != self._heap:
                self._heap = heap
                more += f',"heap":{heap}'
        self._write(f'S{{"event":"{event}","line":{frame.f_lineno},"written":{self._written()}{more}}}\n')

    def _write(self, line):
        self._size += len(line) if line.isascii() else len(line.encode())
        if self._size > _ALL:
            return self._end()
        self._lines.append(line)

    def _end(self):
        self._truncated = True
        self._left = 0
        sys.settrace(None)

    def _enter(self, frame):
        """Finds the program's frames, outermost first; of a deep stack the innermost."""
        last, self._innermost = self._innermost, frame
        stack = self._stack
        if stack and frame.f_back is stack[-1][0]:
            # Called by the last one.
            self._stack = [*stack[1 - _FRAMES :], (frame, self._seen(frame))]
        elif last is not None and 1 < len(stack) < _FRAMES and frame is stack[-2][0]:
            # The last one has returned to it.
            stack.pop()
        else:
            frames = []
            while frame is not None and len(frames) < _FRAMES:
                if is_students(frame.f_code.co_filename):
                    frames.append((frame, self._seen(frame)))
                frame = frame.f_back
            self._stack = frames[::-1]

    def _seen(self, frame):
        seen = self._frames.get(id(frame))
        if seen is None or seen.code is not frame.f_code:
            number = len(self._frames) if seen is None else seen.number
            seen = self._frames[id(frame)] = _Frame(number, frame.f_code)
        return seen

    def _around(self):
        """What a step tells of its stack."""
        more = f',"frame":{self._stack[-1][1].number}'
        outer = [f"[{seen.number},{frame.f_lineno}]" for frame, seen in self._stack[:-1]]
        if outer != self._outer:
            self._outer = outer
            more += f',"outer":[{",".join(outer)}]'
        return more

    def _read_frame(self, seen, names):
        """Writes all of a frame: it is new, or has other names."""
        seen.names = (*names,)
        seen.hidden = 0
        while seen.hidden < len(seen.names) and seen.names[seen.hidden] in _HIDDEN:
            seen.hidden += 1
        seen.values = (*islice(names.values(), seen.hidden, None),)
        seen.labels, seen.refs, parts = [], [], []
        for name, value in zip(seen.names[seen.hidden : _NAMES], seen.values):
            label, refers_to = None, []
            if name not in _HIDDEN:
                label = f"{self._name(name)}:"
                if not issubclass(type(value), ModuleType):
                    parts.append(label + self._value(value, refers_to))
            seen.labels.append(label)
            seen.refs.append(refers_to[0] if refers_to else None)
        seen.refers_to = [*filter(None, seen.refs)]
        function = self._name(seen.code.co_name)
        self._write(f'F{seen.number} {{"function":{function},"locals":{{{",".join(parts)}}}}}\n')

    def _read_values(self, seen, names):
        """Writes what has changed in a frame with the same names. Returns whether it refers to other objects."""
        values = (*islice(names.values(), seen.hidden, None),)
        parts, others = [], False
        for index, (label, old, value) in enumerate(zip(seen.labels, seen.values, values)):
            if value is old or label is None:
                continue
            number = None
            if type(value) is int and -_EXACT < value < _EXACT:
                text = value
            elif issubclass(type(value), ModuleType):
                # Its name is not shown any more.
                self._read_frame(seen, names)
                return True
            else:
                refers_to = []
                text = self._value(value, refers_to)
                if refers_to:
                    number = refers_to[0]
            parts.append(f"{label}{text}")
            if number != seen.refs[index]:
                seen.refs[index] = number
                others = True
        seen.values = values
        if others:
            seen.refers_to = [*filter(None, seen.refs)]
        if parts:
            self._write(f'V{seen.number} {{{",".join(parts)}}}\n')
        return others

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
            number = self._numbers[key] = len(self._objects) + 1
            self._objects.append(_Object(number, value))
        refers_to.append(number)
        return f'{{"ref":{number}}}'

    def _are_others_in_heap(self):
        """Writes what has changed in the last heap, up to an object that refers to others than then; returns whether
        there is one. So nothing is written that is not in the heap any more: what led to it comes first."""
        for seen in self._changeable:
            value, held = seen.value, seen.held
            kind = type(value)
            if kind is list and len(value) <= _ITEMS:
                if len(value) == len(held) and all(map(is_, held, value)):
                    continue
                now = (*value,)
            elif kind is FunctionType and value.__name__ is held[1]:
                continue
            else:
                now = seen.hold(value) if kind is seen.kind else _hold_of(kind)(value)
                if len(now) == len(held) and all(map(is_, held, now)):
                    continue
            refers_to = seen.refers_to
            self._read_object(seen, now)
            if self._has_more or seen.refers_to != refers_to:
                return True
        return False

    def _walk(self, waiting):
        """Writes what is referred to, and what that refers to, if it has changed. Returns the numbers of all."""
        heap, self._changeable, self._has_more = {}, [], False
        for number in waiting:
            if number in heap:
                continue
            seen = self._objects[number - 1]
            value = seen.value
            kind = type(value)
            if len(heap) < _OBJECTS:
                # It may refer to itself.
                heap[number] = None
                if kind is not seen.kind:
                    seen.kind, seen.hold = kind, _hold_of(kind)
                held = (*value,) if kind is list and len(value) <= _ITEMS else seen.hold(value)
                if seen.held is None or len(seen.held) != len(held) or not all(map(is_, seen.held, held)):
                    self._read_object(seen, held)
                elif seen.written is not seen.text:
                    self._write_object(seen, seen.text)
                waiting += seen.refers_to
                if kind is not tuple and kind is not frozenset:
                    self._changeable.append(seen)
            elif len(heap) < 2 * _OBJECTS:
                heap[number] = None
                self._has_more = True
                text = f'{{"kind":"more","type":{_encoded(name_of(kind))}}}'
                if text != seen.written:
                    self._write_object(seen, text)
            else:
                break
        return [*heap]

    def _read_object(self, seen, held):
        seen.held, seen.refers_to = held, []
        seen.text = self._object(seen.value, seen.refers_to)
        self._write_object(seen, seen.text)

    def _write_object(self, seen, text):
        seen.written = text
        self._write(f"O{seen.number} {text}\n")

    def _object(self, value, refers_to):
        kind = type(value)
        if kind is list or issubclass(kind, _SEQUENCES):
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
        kind = type(value)
        base = kind if kind is list else _base(kind)
        parts = [
            f"{item}" if type(item) is int and -_EXACT < item < _EXACT else self._value(item, refers_to)
            for item in islice(base.__iter__(value), _ITEMS)
        ]
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


def _hold_of(kind):
    """What tells for an object of this class what its JSON depends on."""
    if kind is dict:
        return _held_by_dict
    if issubclass(kind, _SEQUENCES):
        return _held_by_sequence
    if issubclass(kind, dict):
        return _held_by_dictionary
    if kind is FunctionType:
        return _held_by_function
    return _held_by_class if issubclass(kind, type) else _held_by_instance


def _held_by_dict(value):
    """As `_held_by_dictionary`, which is slower, since that of a subclass can have other methods."""
    return (*value, *value.values()) if len(value) <= _ITEMS else _held_by_dictionary(value)


def _held_by_sequence(value):
    kind = type(value)
    base = _base(kind)
    length = base.__len__(value)
    items = base.__iter__(value)
    return (kind, *items) if length <= _ITEMS else (kind, length, *islice(items, _ITEMS))


def _held_by_dictionary(value):
    kind, length = type(value), dict.__len__(value)
    if length <= _ITEMS:
        return (kind, *dict.keys(value), *dict.values(value))
    return (kind, length, *islice(dict.keys(value), _ITEMS), *islice(dict.values(value), _ITEMS))


def _held_by_function(value):
    return FunctionType, value.__name__


def _held_by_class(value):
    names = _class_names(value)
    return (type(value), *names, *names.values())


def _held_by_instance(value):
    names = _attributes(value)
    if names is None:
        return type(value), None
    if len(names) <= _ITEMS:
        return (type(value), *names, *names.values())
    return (type(value), *islice(names, _ITEMS), *islice(names.values(), _ITEMS))


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
