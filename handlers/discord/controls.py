"""Controls of a message as Discord's buttons and selects, and back. Pure; knows no desk.

A custom id carries the control's stable name, the mention's number and a value, so that an old
button works after any restart and any update. The first one of a message also carries its mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.discord.text import address_of, cut, one_line
from staffbot.messages import Button, Choice, Control, Message, OpenLink, Row, plain

Json = dict[str, Any]

MOST_ROWS = 5
A_ROW = 5
OPTIONS = 25
LABEL = 80
OPTION = 100
CUSTOM_ID = 100
LINK = 512

ROW, BUTTON, SELECT = 1, 2, 3
PRIMARY, SECONDARY, DANGER, LINKS = 1, 2, 4, 5

MARK = r"[a-z2-7]{16}"
_BODY = rf"\|(?P<name>[a-z_]+)\|(?P<mention>\d*)\|(?P<value>[^|]*)(?:\|(?P<mark>{MARK}))?"
PRESSED = re.compile(rf"b1{_BODY}")
CHOSEN = re.compile(rf"s1{_BODY}")
# A select whose options are controls of their own.
MENU = "menu"
DISCUSS = "discuss"
_ASK = "?"  # an option needs a value: this one stands for none

SNOOZES = (
    ("1h", "For 1 hour"),
    ("3h", "For 3 hours"),
    ("opening", "Until the next opening"),
    ("tomorrow", "Until tomorrow"),
    ("patron", "Until the patron writes"),
    ("", "Until another time…"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What a button or an option stands for: `desk.press(name, mention, value)`."""

    name: str
    mention: int | None = None
    value: str = ""


def rows_of(message: Message, mark: str = "") -> list[Json]:
    """The action rows of a message; `mark` goes into the first custom id."""
    listed = [part for part in message.parts if isinstance(part, Row)]
    own = [control for control in message.controls if not _more(control)]
    more = [control for control in message.controls if _more(control)]
    if len(listed) == 1:
        own = [*listed[0].controls, *own]
        listed = []
    buttons: list[Json] = []
    selects: list[Json] = list(_menus_of_rows(listed))
    for control in own:
        match control:
            case Button() if _snoozes(control, message):
                selects.append(_snooze(control))
            case Button():
                buttons += _button(control)
            case OpenLink():
                buttons += _link(control)
            case Choice():
                selects += _choice(control)
    if message.mention is not None and not message.collapsed:
        more.append(Button(name=DISCUSS, label="Discuss in a thread", mention=message.mention))
    selects += [
        select for control in more if isinstance(control, Choice) for select in _choice(control)
    ]
    menu = [control for control in more if isinstance(control, Button)]
    selects += _menu("More…", "more", [(one, one.label) for one in menu], message.mention)
    return _marked(_unique(_arranged(buttons, selects)), mark)


def _more(control: Control) -> bool:
    return not isinstance(control, OpenLink) and control.more


def _snoozes(button: Button, message: Message) -> bool:
    """On a card, Snooze offers the usual times at once."""
    return button.name == "snooze" and not button.value and button.mention == message.mention


def _arranged(buttons: Sequence[Json], selects: Sequence[Json]) -> list[Json]:
    room = MOST_ROWS - min(len(selects), MOST_ROWS - bool(buttons))
    rows = [
        {"type": ROW, "components": list(buttons[at : at + A_ROW])}
        for at in range(0, min(len(buttons), room * A_ROW), A_ROW)
    ]
    left = MOST_ROWS - len(rows)
    kept = list(selects) if len(selects) <= left else [*selects[: left - 1], selects[-1]]
    return rows + [{"type": ROW, "components": [select]} for select in kept]


def _unique(rows: list[Json]) -> list[Json]:
    """Without a second control of the same effect: Discord refuses equal custom ids."""
    seen: set[str] = set()
    kept: list[Json] = []
    for row in rows:
        components = []
        for component in row["components"]:
            custom_id = component.get("custom_id", "")
            if custom_id not in seen:
                components.append(component)
            if custom_id:
                seen.add(custom_id)
        if components:
            kept.append({"type": ROW, "components": components})
    return kept


def _marked(rows: list[Json], mark: str) -> list[Json]:
    for component in _components(rows):
        if mark and "custom_id" in component:
            component["custom_id"] = f"{component['custom_id']}|{mark}"
            break
    return rows


def mark_of(rows: Iterable[Json]) -> str:
    """The mark that a message's components carry; nothing where there is none."""
    for component in _components(rows):
        found = _match(component.get("custom_id", ""))
        if found is not None and found["mark"]:
            return found["mark"]
    return ""


def mention_of(rows: Iterable[Json]) -> int | None:
    """The mention that a card's components are about."""
    for component in _components(rows):
        found = _match(component.get("custom_id", ""))
        if found is not None and found["mention"]:
            return int(found["mention"])
    return None


def _components(rows: Iterable[Json]) -> Iterable[Json]:
    return (component for row in rows for component in row.get("components", ()))


def _match(custom_id: str) -> re.Match[str] | None:
    return PRESSED.fullmatch(custom_id) or CHOSEN.fullmatch(custom_id)


# --- one component --------------------------------------------------------------------------


def _button(button: Button) -> list[Json]:
    style = PRIMARY if button.primary else DANGER if button.danger else SECONDARY
    name = custom_id("b1", button.name, button.mention, button.value)
    label = cut(one_line(button.label), LABEL) or "…"
    if not name:
        return []
    return [{"type": BUTTON, "style": style, "label": label, "custom_id": name}]


def _link(control: OpenLink) -> list[Json]:
    url = address_of(control.url, LINK)
    label = cut(one_line(control.label), LABEL) or "Open"
    return [{"type": BUTTON, "style": LINKS, "label": label, "url": url}] if url else []


def _choice(choice: Choice) -> list[Json]:
    options = [
        {"label": cut(one_line(label), OPTION) or "…", "value": value or _ASK}
        for value, label in choice.options
        if len(value) <= OPTION
    ]
    return _select(choice.label, custom_id("s1", choice.name, choice.mention, ""), options)


def _snooze(button: Button) -> Json:
    choice = Choice(name="snooze", label="Snooze…", options=SNOOZES, mention=button.mention)
    return _choice(choice)[0]


def _menus_of_rows(rows: Sequence[Row]) -> Iterable[Json]:
    """For a list: one select a verb, with a line for each mention."""
    verbs: dict[str, list[tuple[Button, str]]] = {}
    for row in rows:
        for control in row.controls:
            match control:
                case Button():
                    verbs.setdefault(control.label, []).append((control, plain(row.line)))
                case Choice():
                    ask = Button(name=control.name, label=control.label, mention=control.mention)
                    verbs.setdefault(control.label, []).append((ask, plain(row.line)))
                case OpenLink():
                    pass
    for at, (label, controls) in enumerate(verbs.items()):
        yield from _menu(f"{label.rstrip('…')}…", f"rows{at}", controls, None)


def _menu(
    placeholder: str, which: str, controls: Sequence[tuple[Button, str]], mention: int | None
) -> list[Json]:
    options = [
        {"label": cut(one_line(label), OPTION) or "…", "value": _option(button)}
        for button, label in controls
    ]
    kept = [option for option in options if len(option["value"]) <= OPTION]
    return _select(placeholder, custom_id("s1", MENU, mention, which), kept)


def _select(placeholder: str, custom_id: str, options: Sequence[Json]) -> list[Json]:
    seen = {option["value"]: option for option in reversed(options)}
    unique = [option for option in options if seen.get(option["value"]) is option][:OPTIONS]
    if not unique or not custom_id:
        return []
    return [
        {
            "type": SELECT,
            "custom_id": custom_id,
            "placeholder": cut(one_line(placeholder), 150),
            "options": unique,
        }
    ]


# --- names to and fro -----------------------------------------------------------------------


def custom_id(kind: str, name: str, mention: int | None, value: str) -> str:
    """Nothing where it would be too long to be kept with its mark: a command can say it instead."""
    made = f"{kind}|{name}|{mention or ''}|{value.replace('%', '%25').replace('|', '%7C')}"
    if len(made) > CUSTOM_ID - 17 or _match(made) is None:
        return ""
    return made


def pressed(found: re.Match[str]) -> Pressed:
    """What a button's custom id stands for."""
    value = found["value"].replace("%7C", "|").replace("%25", "%")
    return Pressed(name=found["name"], mention=_number(found["mention"]), value=value)


def chosen(found: re.Match[str], value: str) -> Pressed:
    """What was chosen in the select of that custom id."""
    if found["name"] == MENU:
        name, _, rest = value.partition("|")
        mention, _, given = rest.partition("|")
        return Pressed(name=name, mention=_number(mention), value=given)
    value = "" if value == _ASK else value
    return Pressed(name=found["name"], mention=_number(found["mention"]), value=value)


def _option(button: Button) -> str:
    return f"{button.name}|{button.mention or ''}|{button.value}"


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
