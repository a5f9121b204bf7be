"""Sets the interpreter up, once, while the image is built; then `WitWorld.run` serves one program.

Nothing here runs when a program starts: its instance begins with the memory that this module left.
"""

import sys

# Compiled files hold the times of their sources, and no two images would be the same.
sys.dont_write_bytecode = True

import names

names.rename_library()

import library

library.load()

import program
import settings

settings.apply()
names.rename_modules()

import layout

layout.warm_up()


class WitWorld(program.WitWorld):
    """What the host calls. One is made for each of its functions, which is the last thing before the memory is kept:
    what was needed to import this module has gone by then."""

    _made = 0

    def __init__(self):
        WitWorld._made += 1
        if WitWorld._made == 2:
            layout.settle()
