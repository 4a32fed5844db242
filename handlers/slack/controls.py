"""Controls as Block Kit elements, and the names by which a press comes back. Pure.

An action id is `name:mention:place`: the place keeps two controls of one name in a block apart. It
holds nothing of a version, so buttons that were posted long ago still work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from handlers.slack.cutting import cut
from staffbot.messages import Button, Choice, Control, OpenLink

Json = dict[str, Any]

MORE = "more"
OPEN_LINK = "open_link"
IN_SIGHT = 4  # buttons beside "More…"
BUTTON = 75
OPTION = 75
OPTION_VALUE = 150
OPTIONS = 100
LABEL = 75
VALUE = 2000
URL = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What was used: a control's stable name, its mention and its value."""

    control: str
    mention: int | None
    value: str


def plain_text(text: str, limit: int) -> Json:
    return {"type": "plain_text", "text": cut(text, limit) or "\u2013", "emoji": False}


def elements(controls: Sequence[Control]) -> list[Json]:
    """At most five elements: what does not fit in sight stands under "More…"."""
    shown = [control for control in controls if usable(control)]
    hidden = [control for control in shown if isinstance(control, Button) and control.more]
    sight = [control for control in shown if control not in hidden]
    spare = IN_SIGHT if hidden or len(sight) > IN_SIGHT + 1 else IN_SIGHT + 1
    late = [control for control in sight[spare:] if isinstance(control, Button)]
    sight = [control for control in sight if control not in late]
    found = [element(control, place) for place, control in enumerate(sight)]
    if late or hidden:
        found.append(_more([*late, *hidden], len(sight)))
    return found


def usable(control: Control) -> bool:
    """A link has to lead to the web, and a choice to offer something."""
    match control:
        case OpenLink():
            return bool(web_url(control.url))
        case Choice():
            return bool(control.options)
        case Button():
            return True


def element(control: Control, place: int) -> Json:
    match control:
        case Button():
            return _button(control, place)
        case Choice():
            return _choice(control, place)
        case OpenLink():
            return {
                "type": "button",
                "action_id": f"{OPEN_LINK}::{place}",
                "text": plain_text(control.label, BUTTON),
                "url": web_url(control.url),
            }


def _button(button: Button, place: int) -> Json:
    made: Json = {
        "type": "button",
        "action_id": _action_id(button.name, button.mention, place),
        "text": plain_text(button.label, BUTTON),
    }
    if button.value:
        made["value"] = button.value[:VALUE]
    if button.primary:
        made["style"] = "primary"
    elif button.danger:
        made["style"] = "danger"
    if button.mention is not None and str(button.mention) not in button.label:
        made["accessibility_label"] = cut(f"{button.label} {button.mention}", LABEL)
    return made


def _choice(choice: Choice, place: int) -> Json:
    options = [
        {"text": plain_text(label, OPTION), "value": value[:OPTION_VALUE]}
        for value, label in choice.options
        if value
    ]
    return {
        "type": "static_select",
        "action_id": _action_id(choice.name, choice.mention, place),
        "placeholder": plain_text(choice.label, OPTION),
        "options": options[:OPTIONS],
    }


def _more(buttons: Sequence[Button], place: int) -> Json:
    mention = next((button.mention for button in buttons if button.mention is not None), None)
    options = [
        {
            "text": plain_text(button.label, OPTION),
            "value": f"{button.name}|{_number(button.mention)}|{button.value}"[:OPTION_VALUE],
        }
        for button in buttons
    ]
    return {
        "type": "static_select",
        "action_id": _action_id(MORE, mention, place),
        "placeholder": plain_text("More…", OPTION),
        "options": options[:OPTIONS],
    }


def pressed(action: Json) -> Pressed | None:
    """What a press of Slack's says; None for a link, which only opens."""
    name, _, rest = str(action.get("action_id", "")).partition(":")
    value = str(action.get("value") or "")
    chosen = action.get("selected_option")
    if isinstance(chosen, dict):
        value = str(chosen.get("value", ""))
    if name == OPEN_LINK or not name:
        return None
    if name == MORE:
        name, _, rest = value.partition("|")
        number, _, value = rest.partition("|")
    else:
        number = rest.partition(":")[0]
    mention = int(number) if number.isdigit() and len(number) < 18 else None
    return Pressed(control=name, mention=mention, value=value)


def web_url(url: str) -> str:
    """The address if it leads to the web, else nothing: `javascript:` and its like are no links."""
    if len(url) > URL or any(character.isspace() or character in '<>|"' for character in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def _action_id(name: str, mention: int | None, place: int) -> str:
    return f"{name}:{_number(mention)}:{place}"


def _number(mention: int | None) -> str:
    return "" if mention is None else str(mention)
