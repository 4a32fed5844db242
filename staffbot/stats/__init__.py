"""Every figure, counted from the events by one set of functions: answer, chart, digest, CSV, export.

figures   the one count, and what it yields      counting   the SQL under it
periods   local hours, days, weeks, months
"""

from staffbot.stats.counting import By
from staffbot.stats.figures import FEWEST, Figures, Group, Times, figures

__all__ = ["FEWEST", "By", "Figures", "Group", "Times", "figures"]
