"""The Slack door, on slack-bolt. Knows no desk but `seams.Desk`, and decides nothing.

view, fitting, controls, lines, cutting, forms,
home                                              a Message or a Form as Slack shows it
chat, history, files, api, refusals               posts, edits, looks up, writes to one person
listeners, typed, pressing, reactions, home_tab   what people do, each by its kind
asking, people, members, once, bodies, tracked,
replies, hints                                    who does it, once; the answer to them alone
ears, catch_up, missed                            how Slack is heard, also after a gap
manifest, commands, checking, pinging, door       how it is set up
"""

from handlers.slack.door import SlackOptions, door

__all__ = ["SlackOptions", "door"]
