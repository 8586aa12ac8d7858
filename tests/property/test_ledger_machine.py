"""The ledger against the model, with Hypothesis in the driver's seat.

It finds short stories that random traffic passes by, and shrinks what it finds to the fewest steps.
"""

from collections import Counter
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.model.hardware_model import PRICES
from tests.model.ledger_model import AMOUNT_MAX, Place, total
from tests.property.requests import Request
from tests.property.traffic import DAY, EXPECTED, HOUR, METERS, MINUTE, SECOND, Scoped
from tests.property.traffic import coverage_table as table_of
from tests.property.world import World

STEPS_MIN = 5_000

PLACES: list[Place] = [
    ("acme/live", "acme/alice", "usd"),
    ("acme/live", "acme/alice", "kwd"),
    ("acme/live", "acme/bob", "usd"),
    ("acme/test", "acme/alice", "usd"),
    ("globex/live", "acme/alice", "jpy"),
]
places = st.sampled_from(PLACES)
amounts = st.one_of(
    st.integers(1, 300).map(lambda cents: cents * 10_000),
    st.integers(1, 20_000_000),
    st.sampled_from([1, AMOUNT_MAX, AMOUNT_MAX + 1]),
)
spans = st.sampled_from([MINUTE, 10 * MINUTE, HOUR, DAY, 7 * DAY])
environments = st.integers(0, 2)
# Which of the things that are there: counted from the newest.
choices = st.integers(0, 12)
parts = st.sampled_from(["one", "half", "all", "one more", "far more"])
policies = st.fixed_dictionaries(
    {
        "policy": st.sampled_from(["release", "capture"]),
        "over": st.sampled_from(["reject", "cap", "overdraft"]),
        "limit": st.sampled_from([0, 1_000_000]),
        "expires": spans,
    }
)


meters = st.none() | st.sampled_from(METERS)
limits = st.sampled_from([1, 1_000_000, 5_000_000, 10**16])
windows = st.sampled_from(["day", "month", "total"])
granted = st.fixed_dictionaries(
    {
        "delay": st.none() | spans,
        "expires": st.none() | spans,
        "priority": st.integers(0, 2),
        "meters": st.sampled_from([(), METERS[:1], METERS]),
    }
)
capped = st.none() | st.none() | st.tuples(st.sampled_from(["key_1", "key_2"]), windows, limits)
scoped = st.none() | st.lists(
    st.tuples(st.sampled_from(["run", "workspace", "key"]), windows, limits),
    max_size=3,
    unique_by=lambda scope: scope[:2],
)


def _scope(place: Place, kind: str, name: str, window: str, limit: int) -> Scoped:
    return (place[1], kind, name, place[2], window, limit)


def _caps(place: Place, cap: tuple[str, str, int] | None) -> list[Scoped] | None:
    return None if cap is None else [_scope(place, "key", *cap)]


def _part(whole: int, part: str) -> int:
    sizes = {"one": 1, "half": whole // 2, "all": whole, "one more": whole + 1}
    return max(1, sizes.get(part, whole + 10_000_000))


class LedgerMachine(RuleBasedStateMachine):
    """Each rule is one request, to one of three environments that remember what they wrote."""

    coverage: ClassVar[Counter[tuple[str, str]]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world = World(environments=3)
        self.keys = 0

    def ask(self, op: str, place: Place, environment: int, **args: object) -> str:
        self.keys += 1
        kept = {name: value for name, value in args.items() if value is not None}
        tenant, user, currency = place
        asked = Request(op, tenant, user, f"k{self.keys}", currency, kept)
        return self.send(asked, environment)

    def send(self, asked: Request, environment: int) -> str:
        outcome = self.world.do(asked, environment)
        self.coverage[asked.op, outcome] += 1
        return outcome

    def a_hold(self, which: int) -> tuple[Place, str, int]:
        holds = list(self.world.model.holds.values())
        hold = holds[-1 - which % len(holds)]
        return hold["place"], hold["id"], total(hold["draws"])

    @rule(place=places, amount=amounts, expires=st.none() | spans, at=environments)
    def deposit(self, place, amount, expires, at):
        self.ask("deposit", place, at, amount=amount, expires=expires)

    @rule(place=places, amount=amounts, cap=capped, at=environments)
    def withdraw(self, place, amount, cap, at):
        self.ask("withdraw", place, at, amount=amount, caps=_caps(place, cap))

    @rule(place=places, amount=amounts, meter=meters, cap=capped, at=environments)
    def use(self, place, amount, meter, cap, at):
        self.ask("use", place, at, amount=amount, meter=meter, caps=_caps(place, cap))

    @rule(place=places, amount=amounts, down=st.booleans(), cap=capped, at=environments)
    def adjust(self, place, amount, down, cap, at):
        self.ask("adjust", place, at, amount=amount, down=down, caps=_caps(place, cap))

    @rule(place=places, amount=amounts, terms=granted, at=environments)
    def grant(self, place, amount, terms, at):
        self.ask("grant", place, at, amount=amount, **terms)

    @precondition(lambda self: self.world.model.grants)
    @rule(which=choices, thief=places, steals=st.booleans(), at=environments)
    def void(self, which, thief, steals, at):
        grants = list(self.world.model.grants)
        grant_id = grants[-1 - which % len(grants)]
        place = thief if steals else self.world.model.grants[grant_id]["place"]
        self.ask("void", (*place[:2], grant_id[-3:]), at, grant=grant_id)

    @precondition(lambda self: self.world.model.accounts - self.world.model.cards)
    @rule(at=environments)
    def save_card(self, at):
        tenant, user = min(self.world.model.accounts - self.world.model.cards)
        self.ask("save_card", (tenant, user, "usd"), at)

    @rule(place=places, at=environments)
    def starter(self, place, at):
        self.ask("starter", (*place[:2], "usd"), at)

    @precondition(lambda self: self.world.charges)
    @rule(which=choices, part=parts, at=environments)
    def refund(self, which, part, at):
        charge, place = self.world.charges[-1 - which % len(self.world.charges)]
        model = self.world.model
        left = model.entries[charge]["amount"] - sum(model.refunds[charge])
        self.ask("refund", place, at, charge=charge, amount=min(AMOUNT_MAX, _part(left, part)))

    @rule(
        place=places,
        amount=amounts,
        terms=policies,
        limits=st.tuples(scoped, capped),
        at=environments,
    )
    def hold(self, place, amount, terms, limits, at):
        scopes, cap = limits
        names = {"run": "r1", "workspace": "ws_1", "key": "key_1"}
        named = [_scope(place, kind, names[kind], *rest) for kind, *rest in scopes or ()]
        told = {"scopes": named or None, "caps": _caps(place, cap)}
        self.ask("hold", place, at, amount=amount, **told, **terms)

    @precondition(lambda self: self.world.model.holds)
    @rule(which=choices, part=parts, final=st.booleans(), cap=capped, at=environments)
    def capture(self, which, part, final, cap, at):
        place, hold_id, left = self.a_hold(which)
        told = {"final": final, "caps": _caps(place, cap)}
        self.ask("capture", place, at, hold=hold_id, amount=_part(left, part), **told)

    @precondition(lambda self: self.world.model.holds)
    @rule(which=choices, amount=amounts, expires=st.none() | spans, cap=capped, at=environments)
    def extend(self, which, amount, expires, cap, at):
        place, hold_id, _ = self.a_hold(which)
        told = {"expires": expires, "caps": _caps(place, cap)}
        self.ask("extend", place, at, hold=hold_id, amount=amount, **told)

    @precondition(lambda self: self.world.model.holds)
    @rule(which=choices, expires=spans, at=environments)
    def extend_by_time_alone(self, which, expires, at):
        place, hold_id, _ = self.a_hold(which)
        self.ask("extend", place, at, hold=hold_id, amount=0, expires=expires)

    @precondition(lambda self: self.world.model.holds)
    @rule(which=choices, at=environments)
    def release(self, which, at):
        place, hold_id, _ = self.a_hold(which)
        self.ask("release", place, at, hold=hold_id)

    @precondition(lambda self: self.world.model.holds)
    @rule(which=choices, thief=places, at=environments)
    def release_of_whoever_asks(self, which, thief, at):
        _, hold_id, _ = self.a_hold(which)
        self.ask("release", thief, at, hold=hold_id)

    @rule(
        device=st.sampled_from(sorted(PRICES)),
        shots=st.integers(1, 200),
        job=st.none() | st.sampled_from(["job-1", "job-2"]),
        at=environments,
    )
    def quote(self, device, shots, job, at):
        self.ask("quote", PLACES[0], at, device=device, shots=shots, tasks=1, job=job)

    @precondition(lambda self: self.world.model.quotes)
    @rule(which=choices, job=st.none() | st.sampled_from(["job-1", "job-2"]), at=environments)
    def hold_quoted(self, which, job, at):
        quotes = list(self.world.model.quotes)
        quote_id = quotes[-1 - which % len(quotes)]
        self.ask("hold_quoted", PLACES[0], at, quote=quote_id, job=job)

    @precondition(lambda self: self.world.model.jobs)
    @rule(which=choices, part=parts | st.just("none"), at=environments)
    def release_job(self, which, part, at):
        jobs = list(self.world.model.jobs)
        job = jobs[-1 - which % len(jobs)]
        amount = self.world.model.holds[self.world.model.jobs[job]]["amount"]
        actual = 0 if part == "none" else _part(amount, part)
        self.ask("release_job", PLACES[0], at, job=job[2], amount=actual)

    @rule(place=places, cents=st.integers(1, 300), part=parts, final=st.booleans(), at=environments)
    def pay_in_hold_and_capture(self, place, cents, part, final, at):
        amount = cents * 10_000
        self.ask("deposit", place, at, amount=amount)
        if self.ask("hold", place, at, amount=amount, expires=HOUR) == "ok":
            _, hold_id, left = self.a_hold(0)
            self.ask("capture", place, at, hold=hold_id, amount=_part(left, part), final=final)

    @rule(job=st.sampled_from(["job-3", "job-4"]), part=parts, at=environments)
    def run_a_job(self, job, part, at):
        self.ask("quote", PLACES[0], at, device="iqm-garnet", shots=10, tasks=1)
        quote_id = next(reversed(self.world.model.quotes))
        if self.ask("hold_quoted", PLACES[0], at, quote=quote_id, job=job) == "ok":
            _, _, left = self.a_hold(0)
            self.ask("release_job", PLACES[0], at, job=job, amount=_part(left, part))

    @rule(place=places, own=st.booleans(), at=environments)
    def look(self, place, own, at):
        self.ask("look", place, at, own=own)

    @precondition(lambda self: self.world.model.holds)
    @rule(which=choices, at=environments)
    def look_at_hold(self, which, at):
        place, hold_id, _ = self.a_hold(which)
        self.ask("look_at_hold", place, at, hold=hold_id)

    @rule(at=environments)
    def tick(self, at):
        self.ask("tick", PLACES[0], at)

    @precondition(lambda self: self.world.history)
    @rule(which=choices, at=environments)
    def ask_again(self, which, at):
        history = self.world.history
        self.send(history[-1 - which % len(history)], at)

    @precondition(lambda self: self.world.history)
    @rule(which=choices, amount=amounts, at=environments)
    def use_a_key_again(self, which, amount, at):
        history = self.world.history
        first = history[-1 - which % len(history)]
        args = {"amount": amount}
        self.send(Request("use", first.tenant, first.user, first.key, first.currency, args), at)

    @rule(span=st.sampled_from([SECOND, MINUTE, 15 * MINUTE, HOUR, DAY, 8 * DAY]))
    def let_time_pass(self, span):
        self.world.now += span
        self.coverage["time", "passes"] += 1

    def teardown(self):
        self.world.audit()


def test_no_story_tells_the_ledger_from_the_model(record_property):
    LedgerMachine.coverage.clear()

    # Some steps do nothing, and Hypothesis does not count those.
    twice = settings(max_examples=2 * settings().max_examples)
    run_state_machine_as_test(LedgerMachine, settings=twice)

    steps = LedgerMachine.coverage.total()
    table = table_of(LedgerMachine.coverage)
    record_property("figure", f"{steps:,} steps of Hypothesis's stories\n{table}")
    assert steps >= STEPS_MIN
    assert [op for op in EXPECTED if not LedgerMachine.coverage[op, "ok"]] == []
