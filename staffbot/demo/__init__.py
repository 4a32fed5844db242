"""`staffbot demo`: the real program on this machine, with staff and patrons that are made up.

Nothing in it is a stand-in: its patrons post to the real webhook over HTTP, signed, and the page is
the real local door. It knows no door's code: the door is found like any other.

running  starts it                   house    its library: staff, sources, hours
patrons  a client of its webhooks    story    what they write, and when
keeping  what is kept between two starts
"""

from staffbot.demo.running import DATA, run_demo

__all__ = ["DATA", "run_demo"]
