"""What people type as a time, read in the library's own zone. Pure; knows no database, no clock.

moments   one moment               periods  days by their names: november, q3, week 46
stretches whole days, for figures
"""

from staffbot.times.moments import parse_clock, parse_day, parse_moment, shown_at
from staffbot.times.stretches import Stretch, parse_span_of_days

__all__ = ["Stretch", "parse_clock", "parse_day", "parse_moment", "parse_span_of_days", "shown_at"]
