from __future__ import annotations

import os

import pytest

from dca.config import ConfigWatch, change_remote, load


class Watched:
    """A config file, its watch and a clock that only the test moves."""

    def __init__(self, folder):
        self.path = folder / "dca.toml"
        self.now = 0.0
        self.errors = []
        self.good = 0
        self.moment = 1_000_000_000
        self.write("[limits]\nretries = 1\n")
        self.watch = ConfigWatch(
            self.path,
            load(self.path),
            on_error=self.errors.append,
            on_good=self.note_good,
            settle=2.0,
            clock=lambda: self.now,
        )

    def note_good(self):
        self.good += 1

    def write(self, text):
        self.path.write_text(text)
        self.moment += 1_000_000_000
        os.utime(self.path, ns=(self.moment, self.moment))

    def after(self, seconds):
        self.now += seconds
        return self.watch.poll()

    def settled(self):
        """Poll until a change would have been taken."""
        return [config.limits.retries for config in (self.after(0.1), self.after(2.0), self.after(10)) if config]


@pytest.fixture
def watched(tmp_path):
    return Watched(tmp_path)


def test_nothing_happens_while_nothing_changes(watched):
    assert watched.settled() == []
    assert watched.settled() == []


def test_a_change_is_taken_once(watched):
    watched.settled()
    watched.write("[limits]\nretries = 3\n")
    assert watched.settled() == [3]
    assert watched.settled() == []
    assert watched.watch.current.limits.retries == 3


def test_a_change_before_the_first_poll_is_not_missed(watched):
    watched.write("[limits]\nretries = 3\n")
    assert watched.settled() == [3]


def test_a_file_is_read_only_when_it_has_not_changed_for_a_while(watched):
    watched.settled()
    watched.write("[limits]\nretries = 3\n")
    assert watched.after(1) is None
    watched.write("[limits]\nretries = 4\n")
    assert watched.after(1.5) is None
    assert watched.after(1.5) is None
    config = watched.after(1)
    assert config is not None
    assert config.limits.retries == 4


def test_a_wrong_file_is_told_once_and_the_old_config_stays(watched):
    watched.settled()
    watched.write("[limits]\nretries = 99\n")
    assert watched.settled() == []
    assert watched.settled() == []
    assert ["retries" in str(error) for error in watched.errors] == [True]
    assert watched.watch.current.limits.retries == 1
    watched.write("[limits]\nretries = 98\n")
    assert watched.settled() == []
    assert len(watched.errors) == 2
    watched.write("[limits]\nretries = 5\n")
    assert watched.settled() == [5]


def test_a_file_that_is_gone_is_told_once_and_taken_when_it_is_back(watched):
    watched.settled()
    watched.path.unlink()
    assert watched.settled() == []
    assert watched.settled() == []
    assert len(watched.errors) == 1
    watched.write("[limits]\nretries = 2\n")
    assert watched.settled() == [2]


def test_a_touched_file_is_no_new_config(watched):
    watched.settled()
    watched.write("[limits]\nretries = 1\n# the same\n")
    assert watched.settled() == []
    assert watched.errors == []


def test_a_file_that_is_good_again_as_it_was_is_told_for_there_is_no_new_config(watched):
    watched.settled()
    assert watched.good == 1, "the first look"
    watched.write("[limits]\nretries = 99\n")
    watched.settled()
    assert (watched.good, len(watched.errors)) == (1, 1)
    watched.write("[limits]\nretries = 1\n")
    assert watched.settled() == []
    assert (watched.good, len(watched.errors)) == (2, 1)
    watched.settled()
    assert watched.good == 2, "not at each look"
    assert watched.watch.reload() is None
    assert watched.good == 3


def test_a_new_config_is_no_good_news_of_the_old_one(watched):
    watched.settled()
    watched.write("[limits]\nretries = 3\n")
    assert watched.settled() == [3]
    assert watched.good == 1


def test_what_the_hub_has_set_is_followed_too(tmp_path):
    watched = Watched(tmp_path)
    watched.write(
        "[limits]\nretries = 1\n[agent]\nstate_dir = 'state'\n"
        "[policy]\nallow = ['apply_config']\nconfig_keys = ['limits.retries']\n"
    )
    (tmp_path / "state").mkdir()
    assert watched.settled() == [1]
    change_remote(watched.watch.current, {"limits.retries": 4})
    assert watched.settled() == [4]
    change_remote(watched.watch.current, {"limits.retries": None})
    assert watched.settled() == [1]


def test_a_file_that_changes_while_it_is_read_waits_until_it_has_settled(tmp_path):
    watched = Watched(tmp_path)
    watched.settled()
    watched.write("[limits]\nretries = 3\n")
    calls = []

    def stat(path):
        calls.append(path)
        if len(calls) == 3:  # between the read and the look after it
            watched.write("[limits]\nretries = 4\n")
        return os.stat(path)  # noqa: PTH116  # what the watch itself uses

    watch = ConfigWatch(
        watched.path, watched.watch.current, on_error=watched.errors.append, clock=lambda: watched.now, stat=stat
    )
    assert watch.poll() is None
    watched.now += 3
    assert watch.poll() is None
    watched.now += 1
    assert watch.poll() is None
    watched.now += 3
    config = watch.poll()
    assert config is not None
    assert config.limits.retries == 4


def test_a_reload_reads_at_once_also_what_secrets_refer_to(tmp_path):
    path, errors = tmp_path / "dca.toml", []
    path.write_text("[[credential]]\nname = 'c'\ncommunity = 'file:community'\n")
    secret = tmp_path / "community"
    secret.write_text("first")
    secret.chmod(0o600)
    watch = ConfigWatch(path, load(path), on_error=errors.append)
    assert watch.reload() is None
    secret.write_text("second")
    config = watch.reload()
    assert config is not None
    community = config.credentials["c"].community
    assert community is not None
    assert community.reveal() == "second"
    secret.unlink()
    assert watch.reload() is None
    assert len(errors) == 1
