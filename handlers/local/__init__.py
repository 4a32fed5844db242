"""The local door: a team channel in the browser of this machine. Knows no desk but `seams.Desk`.

view                  a Message as the page shows it      page/     the page itself
channel, references   what is in the channel              patron    a box to write as a patron
chat, web, guard      its small HTTP server               door      how it is set up
"""

from handlers.local.door import LocalOptions, door

__all__ = ["LocalOptions", "door"]
