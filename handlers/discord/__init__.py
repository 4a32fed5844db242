"""The Discord door: the same desk in a Discord server. Knows no desk but `seams.Desk`."""

from handlers.discord.door import DiscordOptions, door

__all__ = ["DiscordOptions", "door"]
