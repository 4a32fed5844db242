"""A real WordPress on loopback for tests (Debian's packages), skipped with a word where none is.

MariaDB and PHP's own web server run as children of the test, on free ports, in a folder of their own.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from tests.machine import not_here

_SITE = Path("/usr/share/wordpress")
_NEEDED = ("mariadbd", "mariadb-install-db", "php")
_SBIN = "/usr/sbin:/usr/local/sbin"
ADMIN, ADMIN_PASSWORD = "admin", "admin-pass"

_CONFIG = """<?php
define('DB_NAME', 'wp'); define('DB_USER', 'wp'); define('DB_PASSWORD', 'wp');
define('DB_HOST', '127.0.0.1:%(database)d'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT',
  'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT'] as $k) define($k, 'scratch-' . $k);
define('WP_HOME', 'http://127.0.0.1:%(web)d'); define('WP_SITEURL', 'http://127.0.0.1:%(web)d');
define('WP_ENVIRONMENT_TYPE', 'local'); // application passwords without TLS
define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

_ROUTER = """<?php
$p = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$f = $_SERVER['DOCUMENT_ROOT'] . $p;
if ($p !== '/' && file_exists($f) && !is_dir($f)) return false;
if (is_dir($f) && $p !== '/' && file_exists(rtrim($f, '/') . '/index.php')) {
  require rtrim($f, '/') . '/index.php';
  return;
}
$_SERVER['SCRIPT_NAME'] = '/index.php';
chdir($_SERVER['DOCUMENT_ROOT']);
require $_SERVER['DOCUMENT_ROOT'] . '/index.php';
"""

_INSTALL = """<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1'; $_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
function wp_mail() { return true; }
wp_install('Riverside Library', 'admin', 'admin@example.com', false, '', 'admin-pass');
update_option('permalink_structure', '/%year%/%monthnum%/%postname%/');
update_option('comment_moderation', 0);
update_option('comment_previously_approved', 0);
update_option('comment_max_links', 3);
$id = wp_insert_user(['user_login' => 'desk', 'user_pass' => 'x' . wp_generate_password(),
  'user_email' => 'desk@example.com', 'display_name' => 'Riverside Library', 'role' => 'editor']);
[$pw] = WP_Application_Passwords::create_new_application_password($id, ['name' => 'staffbot']);
flush_rewrite_rules();
echo "\\n=$id:$pw=\\n";
"""


@dataclass
class Site:
    """A running site. `editor` is the number of the user that has an application password."""

    url: str
    editor: int
    password: str
    username: str = "desk"
    database: list[str] = field(default_factory=list)

    def comments(self, name: str, text: str, parent: int = 0, post: int = 1) -> None:
        """A patron fills in the public form under a post."""
        # Patrons may write once in 15 seconds; nobody waits for that here.
        self.sql("update wp_comments set comment_date_gmt = comment_date_gmt - interval 1 minute")
        form = {
            "comment": text, "author": name, "email": f"{name.split()[0].lower()}@example.org",
            "url": "", "comment_post_ID": post, "comment_parent": parent, "submit": "Post",
        }  # fmt: skip
        Browser(self.url).post("/wp-comments-post.php", form)

    def sql(self, statement: str) -> str:
        told = subprocess.run(
            [*self.database, "-N", "-e", statement, "wp"], check=True, capture_output=True
        )
        return told.stdout.decode().strip()


class Browser:
    """A person at the site, with cookies."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def get(self, path: str) -> str:
        with self._open.open(self._url + path, timeout=30) as answer:
            return str(answer.read().decode())

    def post(self, path: str, form: Mapping[str, object]) -> str:
        data = urlencode(form).encode()
        with self._open.open(self._url + path, data, timeout=30) as answer:
            return str(answer.read().decode())

    def sign_in(self) -> None:
        self.get("/wp-login.php")
        self.post(
            "/wp-login.php",
            {"log": ADMIN, "pwd": ADMIN_PASSWORD, "wp-submit": "Log In", "testcookie": 1},
        )

    def answer(self, comment: int, text: str, post: int = 1) -> str:
        """As somebody does it under Comments in wp-admin."""
        page = self.get("/wp-admin/edit-comments.php")
        found = re.search(r'id="_ajax_nonce-replyto-comment"[^>]*value="(\w+)"', page)
        assert found is not None
        return self.post(
            "/wp-admin/admin-ajax.php",
            {
                "action": "replyto-comment", "comment_ID": comment, "comment_post_ID": post,
                "content": text, "mode": "detail", "user_ID": 1,
                "_ajax_nonce-replyto-comment": found[1],
            },
        )  # fmt: skip


def _find(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=_SBIN)


@contextmanager
def wordpress() -> Iterator[Site]:
    """A site that is there until the end of the block."""
    missing = [name for name in _NEEDED if _find(name) is None]
    if missing or not _SITE.is_dir():
        not_here(
            "no WordPress on this machine (Debian: apt install wordpress mariadb-server php-cli "
            "php-mysql)"
        )
    folder = Path(tempfile.mkdtemp(prefix="staffbot-wordpress-"))
    folder.chmod(0o755)
    children: list[subprocess.Popen[bytes]] = []
    try:
        yield _started(folder, children)
    finally:
        for child in reversed(children):
            # PHP's server leaves its workers behind unless its whole group is told.
            os.killpg(child.pid, signal.SIGTERM)
            child.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, children: list[subprocess.Popen[bytes]]) -> Site:
    database, web = _port(), _port()
    client = _database(folder, database, children)
    site = folder / "site"
    shutil.copytree(_SITE, site, symlinks=False, ignore=shutil.ignore_patterns("wp-config.php"))
    (site / "wp-config.php").write_text(_CONFIG % {"database": database, "web": web})
    (folder / "router.php").write_text(_ROUTER)
    (folder / "install.php").write_text(_INSTALL)
    php = _find("php") or "php"
    told = subprocess.run(
        [php, str(folder / "install.php"), str(site)], check=True, capture_output=True, timeout=120
    )
    made = re.search(r"=(\d+):(.+)=", told.stdout.decode())
    assert made is not None, told.stdout
    children.append(
        subprocess.Popen(
            [php, "-S", f"127.0.0.1:{web}", "-t", str(site), str(folder / "router.php")],
            env={**os.environ, "PHP_CLI_SERVER_WORKERS": "2"}, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
    )  # fmt: skip
    url = f"http://127.0.0.1:{web}"
    _wait(lambda: Browser(url).get("/wp-json/"))
    return Site(url=url, editor=int(made[1]), password=made[2], database=client)


def _database(folder: Path, port: int, children: list[subprocess.Popen[bytes]]) -> list[str]:
    data, sock = folder / "db", folder / "s.sock"
    data.mkdir()
    user = []
    if os.getuid() == 0:
        shutil.chown(data, "mysql")
        shutil.chown(folder, "mysql")
        user = ["--user=mysql"]
    subprocess.run(
        [
            _find("mariadb-install-db") or "", "--no-defaults", f"--datadir={data}", *user,
            "--auth-root-authentication-method=normal", "--skip-test-db",
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    children.append(
        subprocess.Popen(
            [
                _find("mariadbd") or "", "--no-defaults", f"--datadir={data}", *user,
                "--bind-address=127.0.0.1", f"--port={port}", f"--socket={sock}",
                "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M",
                "--skip-log-bin", f"--pid-file={folder}/m.pid",
            ],
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
    )  # fmt: skip
    client = [_find("mariadb") or "mariadb", "--no-defaults", "-S", str(sock), "-uroot"]
    made = (
        "create database if not exists wp; "
        "create user if not exists wp@'127.0.0.1' identified by 'wp'; "
        "grant all on wp.* to wp@'127.0.0.1'; "
        "create user if not exists wp@localhost identified by 'wp'; "
        "grant all on wp.* to wp@localhost"
    )
    _wait(lambda: subprocess.run([*client, "-e", made], check=True, capture_output=True))
    return client


def _port() -> int:
    """A free port below those that clients are given."""
    while True:
        port = random.SystemRandom().randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def _wait(true: object) -> None:
    assert callable(true)
    until = time.monotonic() + 60
    while True:
        try:
            true()
        except (OSError, subprocess.CalledProcessError, urllib.error.URLError):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
