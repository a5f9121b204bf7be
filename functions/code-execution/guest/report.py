"""Describes an exception that ended a program."""

import linecache
import re
import sys
import traceback

from names import OURS, is_students, shown
from values import NAME, cut, name_of, plain
from wit_world import Fault, Variable

__builtins__ = dict(vars(__import__("builtins")))

# Characters of a message; one line of a traceback can hold it.
_MESSAGE = 2_000
# Characters of a traceback: the first and the last lines of a longer one are kept.
_TRACEBACK = 16_000
# Most base classes of an exception: more than any in the library has.
_BASES = 40
# Most frames that are read: all, at Python's own limit; a program that raises it can have a million.
_FRAMES = 1_100
# Most variables, characters of the text of each, and items of a container whose text is reported.
_VARIABLES, _TEXT, _ITEMS = 20, 80, 6

_SCALARS = (int, float, bool, str, complex, bytes, type(None))
_CONTAINERS = (list, tuple, set, frozenset, dict)


def place(error):
    """The frame and line of the program's own code that are nearest to the exception."""
    found = None, None
    step = error.__traceback__
    while step is not None:
        if is_students(step.tb_frame.f_code.co_filename):
            found = step.tb_frame, step
        step = step.tb_next
    return found


def fault(error):
    """The exception as the host wants it, with as much as can still be found out."""
    kind = name_of(type(error))
    try:
        return _fault(error, kind)
    except Exception as problem:
        # The program has broken the description of exceptions, or there is no memory left for it.
        line = None
        if isinstance(error, SyntaxError):
            line = error.lineno
        else:
            line = line_of(place(error)[1])
        text = f"{kind} (its description failed with {name_of(type(problem))})"
        return Fault(kind, "", _place(line), None, None, None, [], text + "\n", [])


def _fault(error, kind):
    described = traceback.TracebackException.from_exception(error, limit=_FRAMES)
    frame, step = place(error)
    column = end = line = function = None
    if isinstance(error, SyntaxError):
        line, column, end = _place(error.lineno), _place(error.offset), _place(error.end_offset)
    # Of some texts that are not Python, nobody says where; then it is where the text was given to `exec`.
    if line is None and frame is not None:
        line, column, end = _columns(frame, step)
        if frame.f_code.co_name != "<module>":
            function = plain(frame.f_code.co_name)
    bases = [name_of(base) for base in type(error).__mro__[1:-1][:_BASES]]
    text = plain("".join(_lines(described)), 2 * _TRACEBACK)
    variables = _variables(frame, line) if frame is not None and line is not None else []
    message = described._str if isinstance(described._str, str) else str(error)
    if isinstance(error, SyntaxError):
        message = str(error.msg)
    return Fault(
        kind, plain(message, _MESSAGE), _place(line), _place(column), _place(end), function, bases, text, variables
    )


def line_of(step):
    """The line of a step of a traceback, if it is one: programs can make both."""
    return step and _place(step.tb_lineno)


def _place(number):
    return number if type(number) is int and 0 < number < 2**31 else None


def _columns(frame, step):
    code = frame.f_code
    positions = list(code.co_positions())
    index = step.tb_lasti // 2
    if index >= len(positions):
        return step.tb_lineno, None, None
    line, end_line, start, end = positions[index]
    if line is None or start is None:
        return step.tb_lineno, None, None
    text = linecache.getline(code.co_filename, line).encode()
    column = len(text[:start].decode(errors="replace")) + 1
    if end_line != line:
        return line, column, None
    return line, column, len(text[:end].decode(errors="replace")) + 1


def _lines(described):
    """The traceback's lines, without our own frames, long ones cut in the middle."""
    seen = set()

    def clean(part):
        if part is None or id(part) in seen:
            return
        seen.add(id(part))
        stack = part.stack
        while stack and shown(stack[0].filename) == OURS:
            del stack[0]
        while stack and shown(stack[-1].filename) == OURS:
            del stack[-1]
        for entry in stack:
            entry.filename = shown(entry.filename)
        if isinstance(part._str, str):
            part._str = cut(part._str, _MESSAGE)
        clean(part.__cause__)
        clean(part.__context__)
        for inner in part.exceptions or ():
            clean(inner)

    clean(described)
    text = "".join(described.format())
    if len(text) <= _TRACEBACK:
        return [text]
    half = _TRACEBACK // 2
    head, tail = text[:half].rpartition("\n")[0], text[-half:].partition("\n")[2]
    left_out = text.count("\n") - head.count("\n") - tail.count("\n")
    return [head, f"\n  … {left_out:,} more lines …\n", tail]


def _variables(frame, line):
    words = re.findall(r"[^\W\d]\w*", linecache.getline(frame.f_code.co_filename, line))
    found = []
    for name in dict.fromkeys(words):
        for scope in (frame.f_locals, frame.f_globals):
            if len(name) <= NAME and name in scope and len(found) < _VARIABLES:
                found.append(_variable(name, scope[name]))
                break
    return found


def _variable(name, value):
    kind = type(value)
    length = len(value) if kind in _CONTAINERS or kind in (str, bytes) else None
    text = None
    # Only values whose text does not run the program's own code.
    if kind in _SCALARS and (kind is not int or abs(value) < 10**_TEXT):
        text = _short(value, length)
    elif kind in _CONTAINERS and length <= _ITEMS:
        items = [*value, *value.values()] if kind is dict else value
        if all(type(item) in (int, float, bool, str, type(None)) for item in items):
            if all(type(item) is not int or abs(item) < 10**_TEXT for item in items):
                text = _short(value, None)
    return Variable(plain(name), name_of(kind), length, None if text is None else plain(text))


def _short(value, length):
    if length is not None and length > _TEXT:
        value = value[:_TEXT]
        return repr(value)[:_TEXT] + "…"
    text = repr(value)
    return text if len(text) <= _TEXT else None


def show(error, described):
    """Writes the traceback where Python would: to what the program has as `sys.stderr`."""
    stream = sys.stderr
    if stream is not None:
        stream.write(described)
        stream.flush()
