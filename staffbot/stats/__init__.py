"""Every figure, counted from the events by one set of functions: answer, chart, digest, CSV, export.

figures    the one count, and what it yields     counting   the SQL under it
periods    local hours, days, weeks, months      question   what somebody typed
asked      from a question to its answer         answer     figures as a Message
saying     figures in words                      table      figures as a CSV file
drawing    figures as a drawing                  draw       the program that draws it
picture    starts that program                   export     the events themselves
"""

from staffbot.stats.counting import By
from staffbot.stats.figures import FEWEST, Figures, Group, Times, figures

__all__ = ["FEWEST", "By", "Figures", "Group", "Times", "figures"]
