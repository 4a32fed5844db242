"""A drawn payload as what discord.py sends. Knows no desk; the only place that builds its objects."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from handlers.discord.controls import BUTTON, Json
from handlers.discord.forms import INPUT, SHOWN
from handlers.discord.view import Payload, Upload


def sent(payload: Payload) -> dict[str, Any]:
    """The arguments of a `send`."""
    said: dict[str, Any] = {"content": payload.content, "silent": payload.silent}
    if payload.embeds:
        said["embeds"] = [discord.Embed.from_dict(dict(embed)) for embed in payload.embeds]
    if payload.rows:
        said["view"] = view_of(payload.rows)
    if payload.files:
        said["files"] = [file_of(upload) for upload in payload.files]
    return said


def edited(payload: Payload) -> dict[str, Any]:
    """The arguments of an `edit`: what is not there any more is taken away."""
    return {
        "content": payload.content,
        "embeds": [discord.Embed.from_dict(dict(embed)) for embed in payload.embeds],
        "view": view_of(payload.rows) if payload.rows else None,
        "attachments": [file_of(upload) for upload in payload.files],
    }


def file_of(upload: Upload) -> discord.File:
    return discord.File(
        io.BytesIO(upload.content), filename=upload.name, description=upload.alt or None
    )


def view_of(rows: Sequence[Json]) -> ui.View:
    """The components as a view that is over already: presses are heard by `DynamicItem`s alone,

    so that nothing has to be kept in memory for each message ever sent.
    """
    view = ui.View(timeout=None)
    for at, row in enumerate(rows):
        for component in row["components"]:
            item = _button(component) if component["type"] == BUTTON else _select(component)
            item.row = at
            view.add_item(item)
    view.stop()
    return view


def _button(component: Json) -> ui.Item[ui.View]:
    return ui.Button(
        style=discord.ButtonStyle(component["style"]),
        label=component["label"],
        custom_id=component.get("custom_id"),
        url=component.get("url"),
    )


def _select(component: Json) -> ui.Item[ui.View]:
    return ui.Select(
        custom_id=component["custom_id"],
        placeholder=component.get("placeholder"),
        options=[_option(one) for one in component["options"]],
    )


def _option(one: Json) -> discord.SelectOption:
    return discord.SelectOption(
        label=one["label"], value=one["value"], default=bool(one.get("default"))
    )


def modal_of(drawn: Json) -> ui.Modal:
    """A modal that is over already, for the same reason."""
    modal = ui.Modal(title=drawn["title"], custom_id=drawn["custom_id"])
    for question in drawn["components"]:
        if question["type"] == SHOWN:
            modal.add_item(ui.TextDisplay(question["content"]))
            continue
        inner = question["component"]
        item = _input(inner) if inner["type"] == INPUT else _menu(inner)
        label: ui.Label[ui.Modal] = ui.Label(
            text=question["label"], description=question.get("description"), component=item
        )
        modal.add_item(label)
    modal.stop()
    return modal


def _input(inner: Json) -> ui.Item[ui.Modal]:
    return ui.TextInput(
        custom_id=inner["custom_id"],
        style=discord.TextStyle(inner["style"]),
        required=inner["required"],
        max_length=inner["max_length"],
        default=inner.get("value"),
    )


def _menu(inner: Json) -> ui.Item[ui.Modal]:
    return ui.Select(
        custom_id=inner["custom_id"],
        options=[_option(one) for one in inner["options"]],
        min_values=inner["min_values"],
        max_values=inner["max_values"],
        required=inner["required"],
    )
