"""The name by which a post is known on Discord, made from its outbox key. Pure.

nonce   Discord refuses a second message with it for a few minutes, then forgets it
mark    stands in the message itself, so that history can tell years later
"""

from __future__ import annotations

import base64
import hashlib

# Discord takes 25 characters.
_NONCE = 25
_MARK = 16


def nonce(key: str) -> str:
    """The same for the same key, whichever process asks."""
    digest = hashlib.sha256(key.encode()).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:_NONCE]


def mark(key: str) -> str:
    return nonce(key)[:_MARK]
