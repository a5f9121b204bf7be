"""Runs one program as `python3 main.py` would, or as `import main` would to test its functions, and reports how it ended."""

import atexit
import gc
import linecache
import logging
import os
import random
import sys
import types

import report
import settings
import values
from componentize_py_types import Err
from names import hide_ours
from steps import Recorder
from wit_world import Ending_Completed, Ending_Exited, Ending_Raised, Ending_Rejected, Fault, Outcome
import wit_world
from wit_world.imports import host

# Ours, so that a program that deletes or replaces a built-in breaks only itself.
__builtins__ = dict(vars(__import__("builtins")))

NAME = "main.py"
# The name of the module where it is imported.
MODULE = "main"

_builtins = __import__("builtins")
_kept_modules = dict(sys.modules)
# The library's own log handlers, which are empty.
_LIBRARY_HANDLERS = len(logging._handlerList)


class WitWorld(wit_world.WitWorld):
    """What the host calls."""

    def run(self, program):
        try:
            return _run(program)
        except BaseException as error:
            # The program has broken the reporting.
            name = values.name_of(type(error))
            fault = Fault(name, "", None, None, None, None, [], f"{name}\n", [])
            return Outcome(Ending_Raised(fault), None, None)

    def value(self, expression):
        try:
            scope = {}
            return values.encoded(eval(compile(expression, "<expected>", "eval"), scope))
        except Exception as error:
            raise Err(values.plain(f"{type(error).__name__}: {error}", values.TEXT))


def _run(program):
    _begin(program)
    tested = program.call is not None
    main = _main_module(program.source, tested)
    recorder = Recorder(program.trace_steps, host.written) if program.trace_steps else None
    value = None
    try:
        _refuse_null(program.source)
        code = compile(program.source, NAME, "exec", dont_inherit=True)
    except BaseException as error:
        return Outcome(_rejected(error), None, None)
    try:
        if recorder:
            recorder.start()
        if not tested:
            exec(code, main.__dict__)
        else:
            _load(code, main)
            call = compile(program.call, "<call>", "eval", dont_inherit=True)
            value = values.encoded(eval(call, main.__dict__))
        if recorder:
            recorder.stop()
        ending = Ending_Completed()
    except BaseException as error:
        if recorder:
            recorder.stop()
        ending = _ended_by(error, tested)
        # Its traceback keeps the program's frames alive, with everything in them.
        del error
    ending = _at_exit(main, ending)
    return Outcome(ending, value, recorder and recorder.encoded())


def _begin(program):
    hide_ours()
    sys.path[:] = ["/"]
    sys.argv = [NAME]
    sys.orig_argv = ["python3", NAME]
    settings.begin_clocks()
    # The generator's state is part of the snapshot: without this all programs would draw the same numbers.
    random.seed(os.urandom(32) if program.seed is None else program.seed)


def _main_module(source, tested):
    main = types.ModuleType(MODULE if tested else "__main__")
    main.__dict__.update(__builtins__=_builtins, __file__=f"/{NAME}", __spec__=None, __loader__=None)
    # When it is imported, the main module is another program, of which nothing can be seen.
    sys.modules["__main__"] = types.ModuleType("__main__") if tested else main
    sys.modules[main.__name__] = main
    linecache.cache[NAME] = len(source), None, source.splitlines(keepends=True), NAME
    return main


def _refuse_null(source):
    """Python says that there is one, but not where."""
    position = source.find("\0")
    if position < 0:
        return
    line, start = source.count("\n", 0, position) + 1, source.rfind("\n", 0, position) + 1
    text = source[start:].partition("\n")[0].replace("\0", "\u2400")
    column = position - start + 1
    place = NAME, line, column, text, line, column + 1
    raise SyntaxError("source code string cannot contain null bytes", place)


def _load(code, main):
    """Runs the program's own lines as an import does. One that leaves has been loaded up to there."""
    settings.exit_by_exception()
    left = False
    try:
        exec(code, main.__dict__)
    except SystemExit:
        left = True
    host.calling(left)


def _take_over():
    """Undoes what the program may have done to the interpreter that reports on it."""
    sys.settrace(None)
    sys.setprofile(None)
    sys.setrecursionlimit(1_000)
    vars(_builtins).update(__builtins__)
    if len(sys.modules) < len(_kept_modules) / 2:
        sys.modules.update(_kept_modules)


def _rejected(error):
    _take_over()
    fault = report.fault(error)
    _show(error, fault)
    return Ending_Rejected(fault)


def _ended_by(error, tested):
    hook = sys.excepthook
    _take_over()
    # To the caller of a function, its exit is an exception like any other.
    if issubclass(type(error), SystemExit) and not tested:
        return _exited(error.code)
    _, step = report.place(error)
    host.raised(values.name_of(type(error)), report.line_of(step))
    fault = report.fault(error)
    if hook is not sys.__excepthook__:
        try:
            hook(type(error), error, error.__traceback__)
        except BaseException:
            _show(error, fault)
    else:
        _show(error, fault)
    return Ending_Raised(fault)


def _exited(code):
    if code is None:
        return Ending_Exited(0)
    if isinstance(code, int):
        # As the operating system does; a status that does not fit at all is -1 (`Py_Exit`).
        return Ending_Exited(code & 0xFF if -(2**31) <= code < 2**31 else 0xFF)
    try:
        print(code, file=sys.stderr)
    except BaseException:
        pass
    return Ending_Exited(1)


def _show(error, fault):
    try:
        report.show(error, fault.traceback)
    except BaseException:
        pass


def _at_exit(main, ending):
    """What Python does between the end of a program and the end of its process."""
    try:
        atexit._run_exitfuncs()
        if len(logging._handlerList) > _LIBRARY_HANDLERS:
            logging.shutdown()
    except SystemExit as error:
        ending = _exited(error.code)
    except BaseException:
        pass
    try:
        # As `_PyModule_ClearDict`: the names with one underscore first, so that `__del__` runs.
        for private in (True, False):
            for name in list(vars(main)):
                if name != "__builtins__" and private == (name[:1] == "_" and name[1:2] != "_"):
                    vars(main)[name] = None
        gc.collect()
    except BaseException:
        pass
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except BaseException:
            pass
    return ending
