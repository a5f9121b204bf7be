"""Imports the whole standard library: what is not imported now cannot be imported later."""

import importlib
import importlib.abc
import importlib.util
import io
import os
import sys

ROOT = "/python"

# Not for programs in a sandbox: command-line programs, windows, installers, parts for other systems.
_LEFT_OUT = (
    "_aix_support", "_android_support", "_apple_support", "_ios_support", "_osx_support",
    "_pyrepl", "_sysconfigdata", "config-3.14", "ctypes", "curses", "ensurepip", "idlelib",
    "lib2to3", "pydoc_data.module_docs", "site-packages", "tkinter", "turtle",
    "turtledemo", "venv",
    "asyncio.__main__", "asyncio.windows", "encodings.mbcs", "encodings.oem",
    "multiprocessing.popen_spawn_win32", "__phello__",
)  # fmt: skip

# Importing them has a visible effect, so they are imported by the program itself.
_WITH_EFFECT = ("this", "antigravity", "__hello__")


def load():
    """Imports everything that can be imported here."""
    for name in _modules(ROOT, ""):
        if name.startswith(_LEFT_OUT) or name in _WITH_EFFECT or name.endswith("__main__"):
            continue
        try:
            importlib.import_module(name)
        except (ImportError, OSError, AttributeError, NotImplementedError, KeyError):
            # It depends on something that does not exist here, and counts as not installed.
            pass
    sys.meta_path.append(_Kept({name: _compiled(name) for name in _WITH_EFFECT}))
    _load_lazily_made()


def _modules(folder, prefix):
    for entry in sorted(os.listdir(folder)):
        path = f"{folder}/{entry}"
        if entry.endswith(".py") and entry != "__init__.py":
            yield prefix + entry[:-3]
        elif os.path.exists(f"{path}/__init__.py"):
            name = prefix + entry
            yield name
            if not name.startswith(_LEFT_OUT):
                yield from _modules(path, name + ".")


def _compiled(name):
    with open(f"{ROOT}/{name}.py", encoding="utf-8") as file:
        return compile(file.read(), f"/usr/lib/python3.14/{name}.py", "exec")


def _load_lazily_made():
    """Creates what the library creates on first use, so that no program waits for it."""
    import decimal
    import re
    import traceback

    re.compile(r"\d+")
    decimal.getcontext()
    try:
        raise ValueError
    except ValueError:
        traceback.print_exc(file=io.StringIO())


class _Kept(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules whose code is in memory."""

    def __init__(self, code):
        self._code = code

    def find_spec(self, fullname, path=None, target=None):
        if fullname in self._code:
            return importlib.util.spec_from_loader(fullname, self)
        return None

    def exec_module(self, module):
        exec(self._code[module.__name__], module.__dict__)
