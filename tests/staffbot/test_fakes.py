"""The fake chat keeps to the same contract as every platform."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from staffbot.model import MessageRef, Room
from staffbot.seams import Chat
from tests.chat_contract import ChatContract, Stage
from tests.fakes import FakeChat, Fault


class TestFakeChatKeepsTheContract(ChatContract):
    @pytest.fixture
    def stage(self) -> Stage:
        chat = FakeChat()

        async def seen(room: Room) -> Sequence[str]:
            return chat.texts(room)

        async def delete(ref: MessageRef) -> None:
            chat.delete(ref)

        async def again() -> Chat:
            return FakeChat(history=chat.history)

        def next_meets(fault: Fault) -> Callable[[], None]:
            return lambda: chat.faults["post"].append(fault)

        return Stage(
            chat=chat,
            room=Room(platform="fake", id="main"),
            other=Room(platform="fake", id="children"),
            user_id="U1",
            seen=seen,
            delete=delete,
            again=again,
            faults={fault: next_meets(fault) for fault in Fault},
        )
