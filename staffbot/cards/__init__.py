"""Cards: pure Messages from the facts of a mention or a storm. Knows no database and no platform.

card    the card of a mention     body      what it says      controls  its buttons
storm   the card of a storm       facts     what a card is made from
"""

from staffbot.cards.body import body, said
from staffbot.cards.card import card, moved_card
from staffbot.cards.controls import controls
from staffbot.cards.facts import CardFacts
from staffbot.cards.storm import StormFacts, storm_card

__all__ = [
    "CardFacts", "StormFacts", "body", "card", "controls", "moved_card", "said", "storm_card",
]  # fmt: skip
