"""Which files a traceback names: those of a normal installation, and none of ours."""

import importlib.abc
import os
import sys
from importlib.machinery import SourceFileLoader

LIBRARY = "/usr/lib/python3.14/"
OURS = "<frozen runner>"

_OUR_MOUNTS = ("/bundled/", "/world/", "/0/")

_OURS = (
    "app", "componentize_py_async_support", "componentize_py_async_support.futures",
    "componentize_py_async_support.streams", "componentize_py_runtime", "componentize_py_types", "layout",
    "library", "names", "poll_loop", "program", "report", "settings", "steps", "values", "wit_world", "wit_world.exports",
    "wit_world.imports", "wit_world.imports.host", "zones",
)  # fmt: skip


def shown(path):
    """The name under which a file of the image is shown."""
    if path.startswith(_OUR_MOUNTS):
        return OURS
    if path.startswith("/python/"):
        return LIBRARY + path.removeprefix("/python/")
    return path


def is_students(path):
    """Whether a code object's file is the program or one of its own modules, and not made by `exec`."""
    return not path.startswith((LIBRARY, "<", "/python/", *_OUR_MOUNTS))


def rename_library():
    """Gives all code that is imported from now on the name of a normal installation."""
    original = SourceFileLoader.source_to_code

    def source_to_code(self, data, path, *, _optimize=-1):
        return original(self, data, shown(os.fspath(path)), _optimize=_optimize)

    SourceFileLoader.source_to_code = source_to_code


def rename_modules():
    """Gives the modules that are imported the names of a normal installation."""
    for module in list(sys.modules.values()):
        if path := getattr(module, "__file__", None):
            module.__file__ = shown(path)
            module.__cached__ = None
        if hasattr(module, "__path__"):
            module.__path__ = [shown(entry) for entry in module.__path__]


class _Hidden(importlib.abc.MetaPathFinder):
    """Finds that there is no such module: it is built into the interpreter, and would be found again."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname == "componentize_py_runtime":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def hide_ours():
    """Hides our own modules from programs, whose files may have the same names."""
    sys.meta_path.insert(0, _HIDDEN)
    # Iterating over all modules would touch each, and copy its page of memory.
    for name in _OURS:
        sys.modules.pop(name, None)


_HIDDEN = _Hidden()
