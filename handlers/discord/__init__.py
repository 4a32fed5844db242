"""The Discord door: the same desk in a Discord server. Knows no desk but `seams.Desk`.

view, controls, forms, text, sdk           a Message or a Form as Discord shows it
chat, cards, naming, problems, threads     posts, edits, looks up, writes to one person
client, identifies                         the connection
answering, first_replies, commands, people hears what people do, and answers privately
permissions, checking, pinging, typed, door   how it is set up
"""

from handlers.discord.door import DiscordOptions, door

__all__ = ["DiscordOptions", "door"]
