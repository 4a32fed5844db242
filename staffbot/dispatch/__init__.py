"""The one way in for every door: a command, press or form becomes a Message. Knows no platform.

entrance    Dispatch itself                   jobs        one command within its transaction
seeing      verbs that only look              working     take and finish
passing     give on, and more about one       pausing     the clock, hours, away
contacting  the patron: answer, services, earlier contact, mute
figuring    figures, and sharing them
asking      the form that is asked first      completing  a line that is being typed
lateness    what was said while nobody listened
"""

from staffbot.dispatch.entrance import Dispatch

__all__ = ["Dispatch"]
