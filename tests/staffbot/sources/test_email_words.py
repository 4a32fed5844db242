"""E-mails as mentions: bytes in, words out; no mailbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffbot.model import IncomingMention, Kind, Visibility
from staffbot.sources.email_letter import Letter, mention
from staffbot.sources.email_words import written

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
RECORDED = Path(__file__).parent / "recorded" / "email"
HEAD = (
    "From: Ada Reader <ada@mail.test>\nTo: info@library.example\nMessage-ID: <1@mail.test>\n"
    "Date: Tue, 03 Mar 2026 08:00:00 +0000\n"
)


def read(raw: str | bytes, names: tuple[str, ...] = ()) -> IncomingMention | None:
    data = raw.encode() if isinstance(raw, str) else raw
    letter = Letter(raw=data, received_at=NOW - timedelta(hours=1), names=names)
    own = frozenset({"info@library.example"})
    return mention(letter, source="mail", kind=Kind.MESSAGE, own=own, now=NOW)


def test_a_contact_form_is_the_patrons_who_filled_it_in() -> None:
    raw = (RECORDED / "contact_form.eml").read_bytes()
    found = mention(
        Letter(raw=raw), source="mail", kind=Kind.MESSAGE,
        own=frozenset({"library@library.example"}),
        now=datetime(2026, 11, 24, tzinfo=UTC),
    )  # fmt: skip
    assert found is not None
    assert found.patron.name == "Ada Reader"
    assert found.title == "Website contact form: café hours"
    assert found.text == "Name: Ada Reader\nMessage: When does the café open? 🍅"
    assert found.visibility is Visibility.PRIVATE
    assert found.native_id == "f1@library.example"
    assert "ada@example.org" not in repr(found)


def test_the_thread_is_known_by_its_first_mail() -> None:
    more = "References: <a@x> <b@x>\nIn-Reply-To: <b@x>\n"
    found = read(f"{HEAD}{more}\nThanks!\n")
    assert found is not None
    assert found.conversation == "a@x"
    alone = read(f"{HEAD}In-Reply-To: <b@x>\n\nThanks!\n")
    assert alone is not None
    assert alone.conversation == "b@x"


@pytest.mark.parametrize(
    "tail",
    [
        "On Mon, 2 Mar 2026 at 10:00, Riverside Library <info@library.example> wrote:\n> Yes\n",
        "On Mon, 2 Mar 2026 at 10:00, Riverside Library\n<info@library.example> wrote:\n\n> Yes\n",
        "Am 02.03.2026 um 10:00 schrieb Bibliothek:\n> Ja",
        "Le lun. 2 mars 2026 à 10:00, Bibliothèque <info@library.example> a écrit :\n> Oui",
        "El lun, 2 mar 2026 a las 10:00, Biblioteca escribió:\n> Sí",
        "-----Original Message-----\nFrom: Library\nYes",
        "-----Ursprüngliche Nachricht-----\nVon: Bibliothek\nJa",
        "________________________________\nFrom: Library <x@y>\nSent: Monday\nTo: Ada\n\nYes",
        "From: Library <x@y>\nSent: Monday, 2 March 2026\nTo: Ada\nSubject: Re\n\nYes we are",
        "> Yes, we are open.\n> On Sunday.",
        "-- \nAda Reader\n12 River Street",
        "Sent from my iPhone",
        "Von meinem Telefon gesendet",
    ],
)
def test_what_was_quoted_or_signed_is_cut(tail: str) -> None:
    assert written(f"Are you open\non Sunday?\n\n{tail}\n") == "Are you open\non Sunday?"


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote to you about my card.\nNobody answered.",
        "From: what I heard you are closed.\nIs that so?",
        "My list:\n-- skis\n-- sledges",
        "Le livre que ma fille a écrit est perdu.",
        "> all of it is quoted",
    ],
)
def test_what_only_looks_like_it_is_kept(text: str) -> None:
    assert written(text) == text


def test_answers_between_quotes_stay() -> None:
    assert written("> When?\nOn Sunday.\n> Where?\nAt the desk.") == "On Sunday.\nAt the desk."


@given(st.text(alphabet=st.sampled_from("ab:>-_\n <x@y.z>OnwroteFmSt,"), max_size=200))
def test_a_cut_never_takes_everything(text: str) -> None:
    assert bool(written(f"Question {text}")) is True


@pytest.mark.parametrize(
    "more",
    [
        "Auto-Submitted: auto-replied\n",
        "Auto-Submitted: auto-generated\n",
        "Auto-Submitted: auto-replied\nReply-To: ada@mail.test\n",
        "X-Autoreply: yes\n",
        "Precedence: bulk\n",
        "Precedence: auto_reply\n",
        "List-Id: <news.example>\n",
        "Return-Path: <>\n",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x\n",
        "Reply-To: MAILER-DAEMON@mail.test\n",
        "Reply-To: info@library.example\n",
    ],
)
def test_what_no_patron_wrote_is_left_out(more: str) -> None:
    assert read(f"{HEAD}{more}\nI am away until Monday.\n") is None


def test_a_form_that_calls_itself_automatic_has_a_person_behind_it() -> None:
    more = "Auto-Submitted: auto-generated\nReply-To: Lena <lena@mail.test>\n"
    found = read(f"{HEAD}{more}\nMay I bring my dog?\n")
    assert found is not None
    assert (found.patron.name, found.text) == ("Lena", "May I bring my dog?")


def test_an_address_is_nobodys_name() -> None:
    for writer in ("lena@mail.test", '"lena@mail.test" <lena@mail.test>'):
        found = read(f"From: {writer}\nMessage-ID: <2@x>\n\nHi\n")
        assert found is not None
        assert (found.patron.name, found.patron.nameless) == ("Somebody by e-mail", True)
    found = read("From: www@site.test\nMessage-ID: <2@x>\n\nName: Lena P.\nMessage: Hi\n")
    assert found is not None
    assert found.patron.name == "Lena P."


def test_html_alone_is_read_without_its_quote() -> None:
    html = "<p>Are you open?<br>Lena</p><div class='gmail_quote'>On Monday ...</div>"
    found = read(f"{HEAD}Content-Type: text/html; charset=utf-8\n\n{html}\n")
    assert found is not None
    assert found.text == "Are you open?\nLena"


def test_attachments_are_named() -> None:
    parts = (
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/plain\n\nSee the picture.\n--b\nContent-Type: image/png\n"
        "Content-Disposition: attachment; filename*=utf-8''caf%C3%A9.png\n\nxxx\n--b--\n"
    )
    found = read(HEAD + parts)
    assert found is not None
    assert found.text == "See the picture.\n\nAttached: café.png"
    other = read(HEAD + parts, names=("café.png", "far behind.pdf"))
    assert other is not None
    assert other.text.endswith("Attached: café.png, far behind.pdf")


def test_a_date_that_cannot_be_is_when_the_mailbox_got_it() -> None:
    for date in ("Tue, 03 Mar 1998 08:00:00 +0000", "yesterday", "Tue, 99 Mar 2026 08:00:00"):
        found = read(f"From: Ada <a@b>\nMessage-ID: <1@x>\nDate: {date}\n\nHi\n")
        assert found is not None
        assert found.posted_at == NOW - timedelta(hours=1)


def test_a_mail_without_id_gets_one_that_stays() -> None:
    raw = "From: Ada <a@b>\nDate: Tue, 03 Mar 2026 08:00:00 +0000\nSubject: Skis\n\nDo you?\n"
    one, again = read(raw), read(raw.replace("\n", "\r\n"))
    other = read(raw.replace("Do you", "Did you"))
    assert one is not None
    assert again is not None
    assert other is not None
    assert one.native_id == again.native_id != other.native_id


@pytest.mark.parametrize(
    ("charset", "raw", "said"),
    [
        (
            "iso-2022-jp",
            "図書館は開いていますか。".encode("iso-2022-jp"),
            "図書館は開いていますか。",
        ),
        ("windows-1252", b"Don\x92t you lend \x80 5?", "Don\u2019t you lend € 5?"),
        ("iso-8859-1", b"Don\x92t you lend \x80 5?", "Don\u2019t you lend € 5?"),
        ("us-ascii", "Café?".encode(), "Café?"),
        ("us-ascii", b"Caf\xe9?", "Café?"),
        ("gb2312", "图书馆開門嗎".encode("gb18030"), "图书馆開門嗎"),
        ("x-no-such", "Café?".encode(), "Café?"),
        ("utf-8", b"Caf\xe9?", "Café?"),
        ("utf-16", b"odd", "odd"),
    ],
)
def test_words_are_read_as_they_were_meant(charset: str, raw: bytes, said: str) -> None:
    head = f"{HEAD}Content-Type: text/plain; charset={charset}\n\n"
    found = read(head.encode() + raw)
    assert found is not None
    assert found.text == said


@pytest.mark.parametrize(
    "more",
    [
        "Auto-Submitted: auto-replied (vacation)\nPrecedence: bulk\n",
        "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n",
        "X-Autorespond: yes\n",
        "Return-Path: <>\nX-Autoreply: yes\n",
    ],
)
def test_an_absence_notice_in_answer_to_us_is_no_patron_who_writes_again(more: str) -> None:
    thread = (
        "In-Reply-To: <0123.ours@library.example>\nReferences: <1@x> <0123.ours@library.example>\n"
    )
    assert read(f"{HEAD}{thread}{more}\nI am away until Monday.\n") is None
    found = read(f"{HEAD}{thread}\nThank you!\n")
    assert found is not None
    assert found.conversation == "1@x"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_left_out(body: bytes) -> None:
    for head in (
        HEAD.encode(),
        HEAD.encode() + b"Content-Type: text/plain; charset=no-such\n",
        b"",
    ):
        found = read(head + b"\n" + body)
        if found is not None:
            assert found.native_id
            assert found.patron.name
            found.text.encode()
