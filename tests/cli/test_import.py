"""``clock import``: a schedule file on stdout, what was left out on stderr, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Clock
from tests.importing import rq_crons
from tests.importing.crontabs import FORUM, SHOP, SYSTEM
from tests.importing.rq_crons import BILLING, FEEDS


@pytest.mark.parametrize(("text", "words"), [(SHOP, ()), (FORUM, ()), (SYSTEM, ("--system",))])
def test_what_is_written_passes_the_check(
    clock: Clock, tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "crontab").write_text(text)
    code, out, err = clock("import", "crontab", str(tmp_path / "crontab"), *words)
    assert code == 1
    assert all(line.startswith(f"{tmp_path}/crontab:") for line in err.splitlines())
    (tmp_path / "written.py").write_text(out)
    code, out, _ = clock("check", str(tmp_path / "written.py"))
    assert (code, out.endswith("no mistakes\n")) == (0, True)


def test_a_crontab_of_which_all_has_a_counterpart_ends_with_0(clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "crontab").write_text("0 3 * * * /bin/true\n")
    assert clock("import", "crontab", str(tmp_path / "crontab"), "--tz", "Asia/Tokyo") == (
        0,
        "from clock import command, defaults, every, timezone\n"
        "\n"
        'timezone("Asia/Tokyo")\n'
        "defaults(timeout=-1)\n"
        "\n"
        'every("0 3 * * *", command("/bin/true"))\n',
        "",
    )


def test_the_zone_is_that_of_the_machine(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    (tmp_path / "crontab").write_text("0 3 * * * /bin/true\n")
    _, out, _ = clock("import", "crontab", str(tmp_path / "crontab"))
    assert 'timezone("Europe/Berlin")\n' in out


def test_a_file_that_does_not_exist_is_a_usage_error(clock: Clock) -> None:
    code, out, err = clock("import", "crontab", "nowhere")
    assert (code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(("text", "code"), [(rq_crons.SHOP, 0), (FEEDS, 1), (BILLING, 1)])
def test_what_is_written_of_an_rq_cron_file_passes_the_check(
    clock: Clock, tmp_path: Path, text: str, code: int
) -> None:
    (tmp_path / "cron_config.py").write_text(text)
    done, out, err = clock("import", "rq-cron", str(tmp_path / "cron_config.py"))
    assert (done, bool(err)) == (code, bool(code))
    (tmp_path / "written.py").write_text(out)
    done, out, _ = clock("check", str(tmp_path / "written.py"))
    assert (done, out.endswith("no mistakes\n")) == (0, True)
