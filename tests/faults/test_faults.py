"""The fault runs in the size of `make test`; each in a process of its own, as they fork."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.machine import not_here

# However slow the machine; on an idle one of two cores the longest takes about half a minute.
pytestmark = pytest.mark.timeout(900)


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return done.stdout


def test_480_kills_on_sqlite_lose_and_double_nothing() -> None:
    run("--only=kills", "--databases=sqlite", "--kills=480")


def test_60_kills_on_postgres_lose_and_double_nothing() -> None:
    run("--only=kills", "--databases=postgres", "--kills-postgres=60")


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_every_pair_of_fail_point_and_fault_is_met(database: str) -> None:
    run("--only=pairs", f"--databases={database}")


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_with_a_fault_between_any_two_steps_an_answer_goes_out_once(database: str) -> None:
    run("--only=answers", "--quick", f"--databases={database}")


def test_killed_between_steps_an_answer_stands_once_on_a_real_wordpress() -> None:
    """`python -m tests.faults --only=wordpress` kills at every single step."""
    said = run("--only=wordpress", "--quick")
    if "skipped" in said:
        not_here(said.strip())


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_claim_race_has_one_winner(database: str) -> None:
    run("--only=race", f"--databases={database}", "--mentions=150")


def test_two_outboxes_on_one_postgres_share_the_posts() -> None:
    run("--only=shared", "--databases=postgres", "--mentions=150")


def test_20_kills_of_a_real_run_lose_and_double_nothing() -> None:
    run("--only=runs", "--runs=20")


@pytest.mark.parametrize(("database", "every"), [("sqlite", 6), ("postgres", 20)])
def test_killed_at_any_step_a_sweep_is_one_nag_and_a_digest_one_digest(
    database: str, every: int
) -> None:
    """`python -m tests.faults --only=clock` kills at every single step."""
    run("--only=clock", f"--databases={database}", f"--every={every}")
