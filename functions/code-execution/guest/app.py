"""Sets the interpreter up, once, while the image is built; then `WitWorld.run` serves one program.

Nothing here runs when a program starts: its instance begins with the memory that this module left.
"""

import names

names.rename_library()

import library

library.load()

import settings

from program import WitWorld

settings.apply()
names.rename_modules()
