"""The lockout in any order of tries, answers, cuts, kills, unlockings and restarts: never a sixth code."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dca.contract.codes import NO_PIN, Code, make_code
from dca.errors import LockedError
from dca.identity.lockout import MOST, Lockout

CODES = [make_code(NO_PIN) for _ in range(9)]


class Machine(RuleBasedStateMachine):
    """`sent` are the codes that went out, `judged` those that the hub refused, since it was last opened.

    `taken` are besides those whose process was killed before it sent: nobody can tell.

    A try that is under way while somebody opens it belongs to the five before; its refusal counts again.
    """

    @initialize()
    def start(self):
        self.root = Path(tempfile.mkdtemp(prefix="dca-test-"))
        self.disk = mock.patch("os.fsync")  # a kill is played here; that it is on disk shows test_processes.py
        self.disk.start()
        self.lockout = Lockout(self.root)
        self.sent: set[str] = set()
        self.judged: set[str] = set()
        self.taken: set[str] = set()
        self.under_way: Code | None = None
        self.of_before = False

    def teardown(self):
        if hasattr(self, "root"):
            self.disk.stop()
            shutil.rmtree(self.root)

    @precondition(lambda self: self.under_way is None)
    @rule(code=st.sampled_from(CODES))
    def reserve(self, code):
        try:
            self.lockout.check(code)
            self.lockout.reserve(code)
        except LockedError:
            assert code.id in self.judged or len(self.taken | {code.id}) > MOST
        else:
            assert code.id not in self.judged
            self.under_way, self.of_before = code, False

    @precondition(lambda self: self.under_way)
    @rule()
    def has_no_connection(self):
        self.lockout.give_back(self.under_way)
        self.under_way = None

    @precondition(lambda self: self.under_way)
    @rule()
    def is_refused(self):
        self.sent.add(self.under_way.id)
        self.judged.add(self.under_way.id)
        self.taken.add(self.under_way.id)
        standing = self.lockout.refuse(self.under_way, "no")
        assert standing.used >= len(self.sent)
        self.under_way = None

    @precondition(lambda self: self.under_way)
    @rule()
    def hears_no_answer(self):
        if not self.of_before:
            self.sent.add(self.under_way.id)
            self.taken.add(self.under_way.id)
        self.under_way = None

    @precondition(lambda self: self.under_way)
    @rule()
    def is_killed_before_it_is_sent(self):
        if not self.of_before:
            self.taken.add(self.under_way.id)
        self.under_way = None
        self.lockout = Lockout(self.root)

    @precondition(lambda self: self.under_way)
    @rule()
    def is_let_in(self):
        self.lockout.clear()
        self.sent, self.judged, self.taken, self.under_way = set(), set(), set(), None

    @rule()
    def starts_anew(self):
        self.lockout = Lockout(self.root)

    @rule()
    def is_unlocked(self):
        self.lockout.unlock()
        self.sent, self.judged, self.taken, self.of_before = set(), set(), set(), True

    @invariant()
    def never_a_sixth(self):
        if not hasattr(self, "root"):
            return
        assert len(self.sent) <= MOST
        standing = self.lockout.standing()
        assert standing.used >= len(self.taken) >= len(self.sent)
        if len(self.sent) == MOST:
            assert standing.locked


TestLockoutModel = Machine.TestCase
TestLockoutModel.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
