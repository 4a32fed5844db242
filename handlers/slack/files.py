"""Files of ours on Slack: charts within a message, and a file for one person alone."""

from __future__ import annotations

from typing import Any

from handlers.slack.api import Api
from staffbot.errors import DeliveryError


class Files:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def put(
        self, name: str, content: bytes, *, alt: str = "", channel: str = "", title: str = ""
    ) -> str:
        """Upload, into a channel where one is given. Returns the file's id."""
        doing = f"upload {name}"
        more: dict[str, Any] = {"alt_txt": alt[:1000]} if alt else {}
        place = await self._api.ask(
            lambda client: client.files_getUploadURLExternal(
                filename=name, length=len(content), **more
            ),
            doing,
        )
        if not await self._api.upload(str(place["upload_url"]), content):
            raise DeliveryError(f"Slack did not take the file {name}.")
        file_id = str(place["file_id"])
        whole: list[dict[str, str | None]] = [{"id": file_id, "title": title or name}]
        await self._api.ask(
            lambda client: client.files_completeUploadExternal(
                files=whole, channel_id=channel or None
            ),
            doing,
        )
        return file_id
