"""A post of the outbox as a Message, at the moment it is sent or asked for. Writes nothing.

A new kind of post is one function in RENDERERS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from staffbot.answering import IT_WAS_SENT, SEND_AGAIN, Standing, State
from staffbot.cards import card, moved_card, storm_card
from staffbot.desk import digest_contents, figures, nagging, offers, replying
from staffbot.desk.ledger import Tx, find
from staffbot.desk.people import name_of
from staffbot.desk.posted import Post, by_key
from staffbot.desk.reading import card_facts, network_of
from staffbot.desk.storm_reading import storm_facts
from staffbot.messages import Button, Message
from staffbot.model import Mention, Room, Status
from staffbot.words import a, kind_on, listed

Renderer = Callable[[Tx, Post], Message | None]


def shown(tx: Tx, key: str) -> Message | None:
    """What the post of that outbox key says now; None where it says nothing any more."""
    post = by_key(tx, key)
    return None if post is None else render(tx, post)


def render(tx: Tx, post: Post) -> Message | None:
    """What a post says now; None where it has nothing to say any more."""
    renderer = RENDERERS.get(post.kind)
    message = renderer(tx, post) if renderer else None
    return replace(message, silent=True) if message is not None and post.silent else message


def _card(tx: Tx, post: Post) -> Message | None:
    if post.mention is None or post.room is None:
        return None
    facts = card_facts(tx, post.mention, show_words=_is_private(tx, post.room))
    if facts is None:
        return None
    here = tx.settings.team_of_room(post.room)
    # A room that was taken out of the configuration keeps the state, which is no secret to it.
    if here is not None and here.key != facts.mention.team:
        there = tx.team(facts.mention.team).name
        return moved_card(replace(facts, team=there))
    return card(facts)


def _is_private(tx: Tx, room: Room) -> bool:
    return any(
        known.private for team in tx.settings.teams for known in team.rooms if known.room == room
    )


def _storm(tx: Tx, post: Post) -> Message | None:
    storm = post.detail.get("storm") or post.key.split(":")[1]
    facts = storm_facts(tx, int(storm))
    return None if facts is None or not facts.total else storm_card(facts)


def _told(tx: Tx, post: Post) -> Message | None:
    """A sentence to one person: that something happened to a mention of theirs."""
    mention = find(tx, post.mention) if post.mention is not None else None
    if mention is None:
        return None
    who = name_of(tx, post.detail["by"]) if post.detail.get("by") else "The patron"
    return _telling(tx, mention, post.detail.get("about", ""), who, post.detail.get("mentions", ()))


def _telling(
    tx: Tx, mention: Mention, about: str, who: str, several: Sequence[int]
) -> Message | None:
    what = f"{mention.number}, {a(kind_on(mention.kind, network_of(tx, mention.source)))}"
    claim = Button(name="claim", label="Claim", mention=mention.number, primary=True)
    show = Button(name="show", label="Show", mention=mention.number)
    match about:
        case "assigned":
            release = Button(name="release", label="Release", mention=mention.number)
            return _sentence(f"{who} gave you {what}.", show, release)
        case "handed_over":
            numbers = listed([str(number) for number in several]) or str(mention.number)
            mine = Button(name="mine", label="Show mine")
            return _sentence(f"{who} handed over to you: {numbers}.", mine)
        case "followed_up" if mention.status is Status.OPEN:
            return _sentence(f"The patron wrote again: {what}. Nobody has it now.", claim, show)
        case "followed_up":
            return _sentence(f"The patron wrote again: {what}.", show)
        case "kept_private":
            read = Button(name="read", label="Read privately", mention=mention.number)
            return _sentence(f"{who} kept {what}, private. You are named to read it.", read, claim)
        case "reply_failed" | "reply_unknown" | "reply_withdrawn":
            standing = replying.newest(tx, mention.number)
            if standing is None or not standing.said:
                return None
            return _sentence(f"{what}: {standing.said}", *_next(mention, standing), show)
        case _:
            return None


def _next(mention: Mention, standing: Standing) -> list[Button]:
    """What the author of an answer that did not surely go out can do at once."""
    number = mention.number
    again_ = Button(name="reply", label="Reply…", mention=number)
    if standing.state is not State.UNKNOWN:
        return [again_]
    return [
        Button(name="it_was_sent", label=IT_WAS_SENT, mention=number, primary=True),
        Button(name="send_it_again", label=SEND_AGAIN, mention=number),
        again_,
    ]


def _sentence(text: str, *controls: Button) -> Message:
    return Message(text=text, controls=controls)


RENDERERS: dict[str, Renderer] = {
    "card": _card,
    "storm": _storm,
    "told": _told,
    "nag": nagging.nag,
    "line": nagging.line,
    "offer": offers.rendered,
    "notice": nagging.notice,
    "digest": digest_contents.message,
    "figures": figures.shared,
}
