"""A real Dovecot on loopback for tests, with an own configuration; skipped with a word where none is.

Every user there is, with one password, and has an empty mailbox at first.
"""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.machine import not_here

PASSWORD = "secret"
_FOUND = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")

_CONFIGURATION = """
base_dir = {folder}/base
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
mail_fsync = never
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
mail_location = maildir:{folder}/mail/%u
mail_uid = {user}
mail_gid = {group_of_mail}
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group_of_mail} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = subscribe
    special_use = \\Sent
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    port: int

    @contextmanager
    def client(self, user: str) -> Iterator[imaplib.IMAP4]:
        """A mail program of that user."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=30) as client:
            client.login(user, PASSWORD)
            yield client

    def put(
        self, user: str, raw: bytes, at: datetime, *, folder: str = "INBOX", flags: str = ""
    ) -> None:
        """A message arrives, or is filed in a folder."""
        with self.client(user) as client:
            moment = imaplib.Time2Internaldate(at)
            status, told = client.append(folder, flags, moment, raw.replace(b"\n", b"\r\n"))
            assert status == "OK", told


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A server that is there until the end of the block."""
    if _FOUND is None:
        not_here("no Dovecot on this machine (Debian: apt install dovecot-imapd)")
    folder = Path(tempfile.mkdtemp(prefix="staffbot-dovecot-"))
    folder.chmod(0o755)
    try:
        for _ in range(5):
            port = random.SystemRandom().randrange(20_000, 30_000)  # below what clients are given
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    continue
            process = _started(folder, port)
            try:
                if _listens(process, port):
                    yield Dovecot(port)
                    return
            finally:
                process.terminate()
                process.wait(timeout=30)
        log = folder / "dovecot.log"
        not_here(f"Dovecot does not start here: {log.read_text()[-300:] if log.exists() else ''}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    me = pwd.getpwuid(os.getuid()).pw_name
    mine = grp.getgrgid(os.getgid()).gr_name
    root = os.getuid() == 0
    mail = folder / "mail"
    mail.mkdir(exist_ok=True)
    if root:
        shutil.chown(mail, "mail", "mail")
    file = folder / "dovecot.conf"
    file.write_text(
        _CONFIGURATION.format(
            folder=folder, port=port, password=PASSWORD,
            internal="dovecot" if root else me, login="dovenull" if root else me,
            group="dovecot" if root else mine, user="mail" if root else me,
            group_of_mail="mail" if root else mine,
        )
    )  # fmt: skip
    assert _FOUND is not None
    return subprocess.Popen(
        [_FOUND, "-F", "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            with imaplib.IMAP4("127.0.0.1", port, timeout=10) as client:
                client.login("probe", PASSWORD)
                return True
        except (OSError, imaplib.IMAP4.error):
            time.sleep(0.05)
    return False
