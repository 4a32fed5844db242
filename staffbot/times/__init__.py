"""What people type as a time, read in the library's own zone. Pure; knows no database, no clock.

clock      a time of day                  days     one day
moments    one moment                     periods  days by their names: november, q3, week 46
stretches  whole days, for figures
"""

from staffbot.times.clock import parse_clock, parse_clocks
from staffbot.times.days import days_later, parse_day
from staffbot.times.moments import parse_moment, shown_at
from staffbot.times.stretches import Stretch, parse_span_of_days

__all__ = [
    "Stretch", "days_later", "parse_clock", "parse_clocks", "parse_day", "parse_moment",
    "parse_span_of_days", "shown_at",
]  # fmt: skip
