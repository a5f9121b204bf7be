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

import settings

from program import WitWorld

settings.apply()
names.rename_modules()

import layout

layout.warm_up()
layout.settle()
