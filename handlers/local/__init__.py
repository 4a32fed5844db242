"""The local door: a team channel in the browser of this machine. Knows no desk but `seams.Desk`."""

from handlers.local.door import LocalOptions, door

__all__ = ["LocalOptions", "door"]
