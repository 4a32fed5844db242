"""The Slack door, on slack-bolt. Knows no desk but `seams.Desk`, and decides nothing.

view, controls, lines, cutting, forms, home       a Message or a Form as Slack shows it
chat, history, files, api, refusals               posts, edits, looks up, writes to one person
listeners, bodies, once, people, replies,
ears, hints                                       hears what people do, and answers privately
manifest, commands, checking, pinging, door       how it is set up
"""

from handlers.slack.door import SlackOptions, door

__all__ = ["SlackOptions", "door"]
