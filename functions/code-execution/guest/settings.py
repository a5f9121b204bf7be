"""What works differently in the sandbox, set up once before the snapshot."""

import asyncio
import importlib
import io
import os
import pdb
import posix
import random
import selectors
import socket
import sys
import tempfile
import time
import warnings
import zoneinfo

from wit_world.imports import host
from zones import ZONES


def apply():
    _clocks()
    _event_loop()
    _exit()
    _debugger()
    _time_zones()
    for environment in (os.environ, posix.environ):
        environment.clear()
    sys.executable = ""
    tempfile.tempdir = "/tmp"
    warnings.resetwarnings()
    warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.filterwarnings("ignore", category=category, append=True)
    sys.path_importer_cache.clear()


def _clocks():
    # The libc counts processor time from the moment at which the image was built.
    monotonic, monotonic_ns = time.monotonic, time.monotonic_ns
    start = None

    def process_time_ns():
        """process_time_ns() -> int\n\nNanoseconds since the program started."""
        return monotonic_ns() - start

    def process_time():
        """process_time() -> float\n\nSeconds since the program started."""
        return (monotonic_ns() - start) / 1e9

    def begin():
        nonlocal start
        start = monotonic_ns()

    global begin_clocks
    begin_clocks = begin
    time.process_time, time.process_time_ns = process_time, process_time_ns
    time.thread_time, time.thread_time_ns = process_time, process_time_ns


class _Sleeper(selectors.SelectSelector):
    """Waits for time to pass: there is no socket that could become ready."""

    def select(self, timeout=None):
        if timeout is None:
            # Nothing is scheduled, and nothing can arrive from outside.
            _wait_for_ever()
        if timeout > 0:
            time.sleep(timeout)
        return []


def _wait_for_ever():
    import _thread

    lock = _thread.allocate_lock()
    lock.acquire()
    lock.acquire()


class Loop(asyncio.SelectorEventLoop):
    """An event loop that needs no socket to wake itself: no thread and no signal could."""

    def __init__(self, selector=None):
        super().__init__(selector or _Sleeper())

    def _make_self_pipe(self):
        pass

    def _close_self_pipe(self):
        pass

    def _write_to_self(self):
        pass

    def add_signal_handler(self, sig, callback, *args):
        raise NotImplementedError("signals do not reach programs here")


def _event_loop():
    asyncio.SelectorEventLoop = Loop
    asyncio.EventLoop = Loop
    asyncio.events._event_loop_policy = None
    import asyncio.unix_events as unix_events

    unix_events._DefaultEventLoopPolicy._loop_factory = Loop


def _exit():
    raises = False

    def _exit(status):
        """Exit to the system with specified status, without normal exit processing."""
        if raises:
            raise SystemExit(status)
        host.exit(int(status) & 0xFF)

    def by_exception():
        nonlocal raises
        raises = True

    def by_call():
        nonlocal raises
        raises = False

    # A test of functions must survive a program that ends itself.
    global exit_by_exception, exit_by_call
    exit_by_exception, exit_by_call = by_exception, by_call
    os._exit = posix._exit = _exit


def _debugger():
    def unavailable(*_, **__):
        raise RuntimeError("the debugger is not available here")

    sys.breakpointhook = sys.__breakpointhook__ = unavailable
    pdb.set_trace = pdb.run = pdb.post_mortem = pdb.pm = unavailable


def _time_zones():
    def load_tzdata(key):
        try:
            return io.BytesIO(ZONES[key])
        except KeyError:
            raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}") from None

    def available_timezones():
        """The names of all time zones that can be used."""
        return set(ZONES)

    import zoneinfo._common

    zoneinfo._common.load_tzdata = load_tzdata
    zoneinfo.available_timezones = zoneinfo._tzpath.available_timezones = available_timezones
