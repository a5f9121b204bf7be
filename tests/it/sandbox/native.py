"""Runs programs natively, each in a child of this interpreter: to start a new one for each takes several times
as long.

Reads a list of `{"code", "stdin"}` as JSON, and prints a list of what each wrote, or `null` if it failed. Each has a
folder of its own in the current one.
"""

import json
import os
import sys
import tempfile
import types

outputs = []
for program in json.load(sys.stdin):
    given, written = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    given.write(program["stdin"].encode())
    given.seek(0)
    child = os.fork()
    if child == 0:
        break
    _, status = os.waitpid(child, 0)
    written.seek(0)
    outputs.append(written.read().decode() if status == 0 else None)
else:
    json.dump(outputs, sys.stdout)
    sys.exit()

# Only a child comes here.
os.chdir(tempfile.mkdtemp(dir=os.curdir))
os.dup2(given.fileno(), 0)
os.dup2(written.fileno(), 1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
sys.stdin = open(0, encoding="utf-8")
main = sys.modules["__main__"] = types.ModuleType("__main__")
exec(compile(program["code"], "<string>", "exec"), vars(main))
