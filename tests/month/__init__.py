"""A simulated month of a real-looking library, run through the whole program with its clock stepped.

world       what comes in, and when; seeded
staff       what people do about it: claim, answer, forget, snooze, wait, go away, hand over
running     steps the clock: intake, sweep, digests, outbox to a chat that remembers everything
watching    every law, asserted after each step from what the chat saw and from the database
figures     an independent count of what happened, by another method than `stats`
transcript  one day of it as people saw it, for docs/example-day.md
"""
