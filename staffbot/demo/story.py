"""What the demo's patrons write, and when. Made up, all of it; knows nothing of how it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# Where the demo's patrons write: name of the source, what people call it.
NETWORKS = {
    "mastodon": "Mastodon",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "reviews": "Google reviews",
    "blog": "the library blog",
    "bluesky": "Bluesky",
    "form": "the contact form",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One post. `wait`: seconds after the one before; `ago`: how long ago it was written."""

    wait: float
    network: str
    kind: str
    name: str
    text: str
    ago: timedelta = timedelta(minutes=1)
    handle: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def body(self, id: str, now: datetime) -> dict[str, Any]:
        """As it goes to the webhook (docs/webhook.md)."""
        author = {"name": self.name, "handle": self.handle}
        body: dict[str, Any] = {
            "id": id,
            "kind": self.kind,
            "text": self.text,
            "author": author,
            "posted_at": (now - self.ago).isoformat(),
        }
        if self.network != "form":
            body["permalink"] = f"https://{self.network}.example/posts/{id}"
        return body | self.more


STORY = (
    Scene(
        wait=0.5,
        network="mastodon",
        kind="mention",
        name="Marisol Vega",
        handle="@marisol@libros.example",
        ago=timedelta(minutes=24),
        text="@riverside Hola, ¿tienen libros en español para niños de cinco años? Mi hija empieza "
        "la escuela en otoño y le encantan los dinosaurios 🦕",
        more={"language": "es"},
    ),
    Scene(
        wait=0.5,
        network="reviews",
        kind="review",
        name="Tom Whitlock",
        ago=timedelta(minutes=16),
        text="Five stars for the lady at the desk on Saturday who found my late wife's favourite "
        "poem from two half-remembered lines. I did not catch her name. Thank you.",
        more={"language": "en", "title": "★★★★★ Kindness itself"},
    ),
    Scene(
        wait=1,
        network="facebook",
        kind="comment",
        name="Denise Kowalski",
        ago=timedelta(minutes=9),
        text="Third week in a row that the lift at Riverside is out of order. My mother is in a "
        "wheelchair and had to turn back. Who do I talk to about this?",
        more={
            "language": "en",
            "media": [
                {
                    "url": "https://facebook.example/photos/lift.jpg",
                    "alt": "A paper sign on a lift door: Out of order, please use the stairs",
                }
            ],
        },
    ),
    Scene(
        wait=9,
        network="instagram",
        kind="hashtag",
        name="shelfie.sam",
        handle="@shelfie.sam",
        ago=timedelta(minutes=3),
        text="Sunday haul from the best place in town 📚☕ #RiversideReads #librarylove",
        more={"language": "en"},
    ),
    Scene(
        wait=11,
        network="mastodon",
        kind="mention",
        name="Jo Adeyemi",
        handle="@jo@town.example",
        text="@riverside is the author evening with Ines Okoro on Thursday already full? The page "
        "says registration opens today, but the button does nothing.",
        more={"language": "en"},
    ),
    Scene(
        wait=14,
        network="bluesky",
        kind="reply",
        name="Kurt M.",
        handle="@kurtm.example",
        text="So the e-book app has logged me out AGAIN, in the middle of a chapter. Does anybody "
        "at the library even test this thing?",
        more={"language": "en", "conversation": "demo-kurt"},
    ),
    Scene(
        wait=12,
        network="form",
        kind="message",
        name="Hannah Brandt",
        text="I lost my library card on the tram yesterday, number 2 0417 7731, and I am worried "
        "that somebody borrows on it. My new address is 14 Mill Lane. Can you block it?",
        more={"language": "en", "private": True},
    ),
    Scene(
        wait=10,
        network="bluesky",
        kind="reply",
        name="Kurt M.",
        handle="@kurtm.example",
        ago=timedelta(seconds=5),
        text="Still nothing. I pay taxes for this. Unbelievable.",
        more={"language": "en", "conversation": "demo-kurt"},
    ),
    Scene(
        wait=14,
        network="blog",
        kind="comment",
        name="Prof. Lindqvist",
        text="Can I order a dissertation from Uppsala (1974) by interlibrary loan, and what does "
        "it cost? It is not in the union catalogue: “Vattnets bibliotek”, by K. Ahlström.",
        more={"language": "en", "title": "On: Borrowing from afar"},
    ),
    Scene(
        wait=15,
        network="facebook",
        kind="comment",
        name="Priya Raman",
        text="An idea: a shelf by the entrance with board games to take home. Half of our street "
        "would use it, and we would happily give ten games to start with.",
        more={"language": "en"},
    ),
    Scene(
        wait=13,
        network="bluesky",
        kind="reply",
        name="Kurt M.",
        handle="@kurtm.example",
        ago=timedelta(seconds=5),
        text="OK, it works again after a new install. Would have been nice if someone had told me "
        "that. Page 212, by the way.",
        more={"language": "en", "conversation": "demo-kurt"},
    ),
    Scene(
        wait=16,
        network="instagram",
        kind="mention",
        name="Fatou & the twins",
        handle="@fatou.reads",
        text="@riverside story time with Mr. Okafor made our whole week. The twins now roar at "
        "every bus. 🦁🚌 Is there one during the holidays too?",
        more={"language": "en"},
    ),
    Scene(
        wait=17,
        network="mastodon",
        kind="mention",
        name="Левко",
        handle="@levko@kyiv.example",
        text="@riverside Добрий день! Чи можна записатися до бібліотеки без постійної адреси? "
        "Ми живемо тут лише два місяці.",
        more={"language": "uk"},
    ),
    Scene(
        wait=18,
        network="reviews",
        kind="review",
        name="A. Becker",
        text="Lovely building, but the reading room closes at six, exactly when people who work "
        "could come. Two stars until that changes.",
        more={"language": "en", "title": "★★☆☆☆"},
    ),
)
