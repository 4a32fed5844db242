"""The desk: use cases, one transaction each, grouped by what a person would look for.

ledger      the transaction and how to write to it        people          who is who
arrivals    what sources bring                            claims          who has it
closing     done, reopened                                conversations   notes, moves, links, privacy
undoing     one act taken back                            reading         queues and single mentions
mailroom    what is to be said where                      posted          what is asked about posts
delivery    what became of a post                         rendering       a post as a message
"""
