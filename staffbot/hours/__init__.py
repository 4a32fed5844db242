"""Opening time of a team: weekly hours, holidays and closures. Pure; knows no database, no clock.

line        sums over opening time           expression  weekly hours as text
free_days   public holidays                  wall        from the clock on the wall to a moment
"""

from staffbot.hours.expression import check_expression
from staffbot.hours.free_days import check_holidays
from staffbot.hours.line import LOOK_AHEAD, Closure, Hours
from staffbot.hours.wall import first_shown

__all__ = [
    "LOOK_AHEAD",
    "Closure",
    "Hours",
    "check_expression",
    "check_holidays",
    "first_shown",
]
