"""Lays out the snapshot of memory so that a program dirties few of its pages.

A page that a program changes is copied when it does, and restored after it; that would be most of what a
short run costs. So code is run in advance that would change itself when it first runs. `build/memory.rs` sees to
the rest: objects count no references to themselves, and new ones lie together.
"""

import array
import atexit
import gc
import io
import linecache
import sys
import types
import weakref

import program
import settings
from wit_world import Program

# A program for each way through `program.py`, the call that tests it, and the steps that are recorded.
_PROGRAMS = (
    ("print('hi')\nfor i in range(3):\n    print(i, end=' ')", None, 0),
    ("def add(a, b):\n    return a + b\nprint(f'{add(1, 2)}')", "add(1, 2)", 0),
    ("import math\nd = {'a': [1, 2.5]}\nfor k, v in d.items():\n    print(k, v, math.pi)", "d", 0),
    ("class A:\n    def __init__(self, x):\n        self.x = x\na = A(1)\nb = [a, (1, 'x'), {2: a}]\nfor i in range(9):\n    b.append(i)\n    b[2][i] = a.x", None, 100),
    ("def half(x):\n    return 1 / x\nhalf(0)", None, 0),
    ("print(undefined)", None, 0),
    ("if True print(1)", None, 0),
)
# The interpreter specialises code when it runs again, and retries after some 50 runs.
_ROUNDS = 60
# What `build/memory.rs` looks for.
_MARK = (0x4D4D4F52, 0x54414C53, 0x424F4A45, 0x43545321)
# Contiguous free bytes for a program's objects.
_ROOM = 4 << 20


def warm_up():
    """Runs programs, so that what is made or specialised on first use has been."""
    # What the library has registered is run by `program.py`, if it has anything to do.
    atexit._clear()
    weakref.finalize._registered_with_atexit = False
    modules, path, finders = dict(sys.modules), sys.path[:], sys.meta_path[:]
    stdout, stderr, argv, orig_argv = sys.stdout, sys.stderr, sys.argv, sys.orig_argv
    world, host = program.WitWorld(), program.host
    # Each run ends with a collection.
    gc.freeze()
    program.host = types.SimpleNamespace(raised=_ignore, calling=_ignore, written=lambda: 0)
    for _ in range(_ROUNDS):
        for source, call, steps in _PROGRAMS:
            sys.stdout = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
            sys.stderr = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
            world.run(Program(source, call, None, steps))
    gc.unfreeze()
    program.host = host
    settings.exit_by_call()
    sys.stdout, sys.stderr, sys.argv, sys.orig_argv = stdout, stderr, argv, orig_argv
    sys.modules.clear()
    sys.modules.update(modules)
    sys.path[:], sys.meta_path[:] = path, finders
    linecache.cache.clear()


def _ignore(*_):
    pass


def settle():
    """The last step before the snapshot."""
    global _objects
    gc.collect()
    _objects = _addresses()
    # What exists now lives forever, so the collector need not look at it again. The interpreter keeps some freed
    # objects for reuse; collecting releases them.
    gc.freeze()
    gc.collect()
    # No other chunk of memory begins with this.
    _objects[: len(_MARK)] = array.array("L", _MARK)
    # Freed again at once, together with free neighbours.
    bytes(_ROOM)


def _addresses():
    """Behind room for the mark, the addresses of all types, a zero, those of all objects, and a zero.
    `build/memory.rs` makes the objects immortal, so that using them changes nothing."""
    found = array.array("L")
    kinds = {}
    # A bit for each eight bytes of memory.
    seen = bytearray(1 << 20)
    waiting = gc.get_objects()
    while waiting:
        thing = waiting.pop()
        address = id(thing)
        if seen[address >> 6] & 1 << (address >> 3 & 7):
            continue
        seen[address >> 6] |= 1 << (address >> 3 & 7)
        found.append(address)
        kinds[id(type(thing))] = None
        # Tracked objects are queued from the beginning.
        waiting += [held for held in gc.get_referents(thing) if not gc.is_tracked(held)]
        if type(thing) is types.CodeType:
            # The collector does not track what code objects hold.
            waiting += (thing.co_consts, thing.co_names, thing.co_filename, thing.co_name, thing.co_qualname)
            waiting += (thing.co_linetable, thing.co_exceptiontable)
            waiting += (*thing.co_varnames, *thing.co_freevars, *thing.co_cellvars)
    return array.array("L", (*(0 for _ in _MARK), *kinds, 0, *found, 0))

