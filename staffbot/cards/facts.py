"""What a card is made from, as the desk reads it. Knows no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from staffbot.answering import Standing
from staffbot.messages import (
    When,
    Who,
)
from staffbot.model import Mention, Status, Words
from staffbot.words import (
    kind_on,
    moment,
    web,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What a card is made from.

    words        None where they were erased
    show_words   False: kept private, and the reader is the open channel
    kept_by_us   a colleague kept it private, so that one can show it again; else the patron did
    team         the team's name, empty in a house of one team
    owner        who has it; of a closed one, who closed it
    can_reply    it can be answered from chat; `answers_there`: others can, this one on its network
    reply        the newest answer from chat
    earlier      how many mentions of the same author there were before
    twins        mentions that say the same by the same author elsewhere, not linked
    """

    mention: Mention
    words: Words | None
    network: str
    team: str
    zone: ZoneInfo
    owner: Who | None = None
    linked: tuple[int, ...] = ()
    show_words: bool = True
    kept_by_us: bool = True
    several_teams: bool = False
    can_reply: bool = False
    answers_there: bool = False
    reply: Standing | None = None
    earlier: int = 0
    twins: tuple[int, ...] = ()

    def when(self, at: datetime) -> When:
        return When(at=at, plain=moment(at, self.zone))

    @property
    def kind(self) -> str:
        return kind_on(self.mention.kind, self.network)

    @property
    def withheld(self) -> bool:
        return self.mention.private and not self.show_words

    @property
    def only_heard(self) -> bool:
        """No answer is owed and nobody has it, nor is there more to say of it: shown compactly."""
        mention = self.mention
        plain = mention.snoozed_until is None and mention.waiting_since is None
        quiet = self.reply is None or not self.reply.said
        return mention.status is Status.OPEN and not mention.expects_answer and plain and quiet

    @property
    def permalink(self) -> str:
        """The address of the post, where the reader may have it and a browser can open it."""
        if self.words is None or self.withheld or self.mention.deleted_at is not None:
            return ""
        return web(self.words.permalink)
