"""Random requests, by the seed alone: what clients do, do twice, and get wrong."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from tests.model.hardware_model import PRICES
from tests.model.ledger_model import AMOUNT_MAX, LOTS_MAX, Line, Place, total
from tests.property.requests import Request
from tests.property.world import World

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

TENANTS = ("acme/live", "acme/test", "globex/live")
USERS = ("acme/alice", "acme/bob", "acme/carol")
CURRENCIES = ("usd", "usd", "usd", "eur", "jpy", "kwd")
METERS = ("tokens", "shots")
type Scoped = tuple[str, str, str, str, str, int]
"""User, kind, name, currency, window, limit."""
HOARDER: Place = ("globex/live", "globex/hoarder", "eur")
"""Somebody with as many lots as a wallet can have."""
HOARDS_AT = 4_000

WEIGHTS = {
    "deposit": 14,
    "use": 14,
    "hold": 16,
    "capture": 14,
    "refund": 9,
    "release": 8,
    "extend": 7,
    "withdraw": 6,
    "quote": 6,
    "hold_quoted": 7,
    "release_job": 5,
    "grant": 9,
    "void": 5,
    "adjust": 3,
    "starter": 2,
    "save_card": 1,
    "look": 4,
    "look_at_hold": 3,
    "tick": 1,
}

EXPECTED = {
    "deposit": "ok replayed idempotency_key_reused amount_too_large too_many_lots",
    "use": "ok replayed idempotency_key_reused amount_too_large budget_exceeded",
    "withdraw": "ok replayed idempotency_key_reused amount_too_large budget_exceeded "
    "insufficient_funds",
    "refund": "ok replayed idempotency_key_reused amount_too_large transaction_not_found "
    "invalid_field not_refundable refund_exceeded",
    "hold": "ok replayed idempotency_key_reused amount_too_large budget_exceeded "
    "insufficient_funds",
    "capture": "ok replayed idempotency_key_reused amount_too_large hold_not_found hold_expired "
    "hold_closed hold_exceeded budget_exceeded insufficient_funds",
    "extend": "ok replayed idempotency_key_reused amount_too_large hold_not_found hold_expired "
    "hold_closed forbidden budget_exceeded insufficient_funds",
    "release": "ok same replayed idempotency_key_reused hold_not_found hold_closed",
    "quote": "ok replayed idempotency_key_reused device_not_found amount_too_large",
    "hold_quoted": "ok same replayed idempotency_key_reused quote_not_found quote_already_used "
    "job_already_held quote_expired budget_exceeded insufficient_funds",
    "release_job": "ok same replayed idempotency_key_reused job_not_found release_differs "
    "hold_exceeded",
    "grant": "ok replayed idempotency_key_reused amount_too_large",
    "void": "ok replayed idempotency_key_reused credit_grant_not_found credit_grant_voided",
    "adjust": "ok replayed idempotency_key_reused amount_too_large budget_exceeded",
    "starter": "ok replayed idempotency_key_reused payment_method_needed starter_credit_granted",
    "save_card": "ok",
    "look": "ok",
    "look_at_hold": "ok hold_not_found",
    "tick": "ok",
}
"""What a run of some thousand operations must have met, by operation."""


def never_met(world_coverage: Any) -> list[str]:
    """Outcomes that should have happened and did not."""
    return [
        f"{op} {outcome}"
        for op, outcomes in EXPECTED.items()
        for outcome in outcomes.split()
        if not world_coverage[op, outcome]
    ]


def coverage_table(coverage: Any) -> str:
    """Operation by outcome, with how often each happened."""
    lines = []
    for op in EXPECTED:
        met = sorted(
            ((count, outcome) for (name, outcome), count in coverage.items() if name == op),
            reverse=True,
        )
        lines.append(f"{op:12} " + "  ".join(f"{outcome} {count}" for count, outcome in met))
    return "\n".join(lines)


class Traffic:
    """A stream of requests to one world; the same seed gives the same stream."""

    def __init__(self, world: World, seed: str, *, duplicates: float = 0.2) -> None:
        self.world = world
        self.random = Random(seed)
        self.duplicates = duplicates
        self.made = 0
        # The wallet in which something expires right now, if the clock was set by it.
        self.beside: Place | None = None
        self.refunded_last = ""
        self.recent_holds: deque[str] = deque(maxlen=40)
        self.recent_grants: deque[str] = deque(maxlen=30)
        self.recent_quotes: deque[tuple[Place, str]] = deque(maxlen=8)
        self.recent_jobs: deque[tuple[Place, str]] = deque(maxlen=12)
        self._ops, self._weights = list(WEIGHTS), list(WEIGHTS.values())
        self._makers: dict[str, Callable[[], Request]] = {
            "deposit": self._deposit,
            "use": self._use,
            "withdraw": self._withdraw,
            "refund": self._refund,
            "hold": self._hold,
            "capture": self._capture,
            "extend": self._extend,
            "release": self._release,
            "quote": self._quote,
            "hold_quoted": self._hold_quoted,
            "release_job": self._release_job,
            "grant": self._grant,
            "void": self._void,
            "adjust": self._adjust,
            "starter": self._starter,
            "save_card": self._save_card,
            "look": self._look,
            "look_at_hold": self._look_at_hold,
            "tick": self._tick,
        }

    def run(self, operations: int, *, audit_every: int = 0) -> None:
        """Make so many requests, with an audit after every `audit_every` of them and at the end.

        Raises:
            Differs: The ledger and the model do not agree, or an audit found something.
        """
        for number in range(1, operations + 1):
            self.step()
            if audit_every and number % audit_every == 0 and number < operations:
                self.world.audit()
        self.world.audit()

    def step(self) -> None:
        """One request."""
        self.beside = None
        self._let_time_pass()
        self.made += 1
        if self.made == HOARDS_AT:
            self._hoard()
        asked = self._next()
        outcome = self.world.do(asked, self.random.randrange(len(self.world.stores)))
        self._remember(asked, outcome)

    def _let_time_pass(self) -> None:
        lucky = self.random.random()
        if lucky < 0.001:
            self.world.now += self.random.randint(0, 5 * DAY)
        elif lucky < 0.01:
            self.world.now += self.random.randint(0, HOUR)
        elif lucky < 0.022:
            self._come_to_an_expiry()
        else:
            self.world.now += self.random.randint(0, SECOND)

    def _come_to_an_expiry(self) -> None:
        """To the very instant at which a hold or a lot expires, or one before, or one after."""
        model, place = self.world.model, self._place()
        instants = [model.holds[hold_id]["until"] for hold_id in model.open[place]]
        instants += [model.terms[lot].until for lot in model.pots[place]]
        instants += [model.terms[lot].granted for lot in model.pending[place]]
        soon = [at for at in instants if self.world.now < at < self.world.now + DAY]
        if soon:
            self.world.now = min(soon) + self.random.choice((-1, 0, 0, 0, 1))
            self.beside = place

    def _next(self) -> Request:
        again = self.random.random() < self.duplicates and bool(self.world.history)
        if not again:
            (op,) = self.random.choices(self._ops, self._weights)
            return self._makers[op]()
        history = self.world.history
        late = self.random.random() < 0.4
        first = self.random.choice(history if late else history[-30:])
        lucky = self.random.random()
        if lucky < 0.75:
            return first
        # The same key for something else: another amount, or another operation.
        if lucky < 0.9:
            changed = {**first.args, "amount": self._bounded()}
            if first.op == "quote":
                changed = {**first.args, "shots": first.args["shots"] + 1}
            if "amount" in changed or first.op == "quote":
                return replace(first, args=changed)
        other = self._makers[self.random.choice(("deposit", "use", "hold", "release"))]()
        return replace(other, tenant=first.tenant, user=first.user, key=first.key)

    def _remember(self, asked: Request, outcome: str) -> None:
        model = self.world.model
        place = (asked.tenant, asked.user, "usd")
        if outcome != "ok":
            return
        if asked.op == "quote":
            self.recent_quotes.append((place, f"quote_{asked.digest}"))
        if asked.op == "grant":
            self.recent_grants.append(next(reversed(model.grants)))
        if asked.op in ("hold", "hold_quoted"):
            newest = next(reversed(model.holds))
            self.recent_holds.append(newest)
            if job := model.holds[newest]["job"]:
                self.recent_jobs.append((place, job))

    # Who, and how much

    def _place(self) -> Place:
        if self.made > HOARDS_AT and self.random.random() < 0.004:
            return HOARDER
        if self.beside and self.random.random() < 0.8:
            return self.beside
        choice = self.random.choice
        return (choice(TENANTS), choice(USERS), choice(CURRENCIES))

    def _amount(self) -> int:
        lucky = self.random.random()
        if lucky < 0.01:
            return AMOUNT_MAX + self.random.randint(1, 5)
        if lucky < 0.5:
            return self.random.randint(1, 300) * 10_000
        if lucky < 0.52:
            return self.random.randint(1, 9)
        return self.random.randint(1, 6_000_000)

    def _bounded(self) -> int:
        """An amount for what may not exist: the edge has refused all that no operation moves."""
        return min(self._amount(), AMOUNT_MAX)

    def _ask(self, op: str, place: Place, **args: Any) -> Request:
        key = f"k{self.random.getrandbits(64):016x}"
        tenant, user, currency = place
        kept = {name: value for name, value in args.items() if value is not None}
        return Request(op=op, tenant=tenant, user=user, key=key, currency=currency, args=kept)

    def _span(self) -> int:
        return self.random.choice((MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY))

    def _caps(self, place: Place) -> list[Scoped] | None:
        """The cap of the key that the caller has, if it has one; now and then somebody else's."""
        if self.random.random() > 0.25:
            return None
        choice = self.random.choice
        user = choice((place[1], place[1], place[1], choice(USERS)))
        number, window = choice((("1", "day"), ("2", "month"), ("3", "total")))
        currency = "usd" if self.random.random() < 0.03 else place[2]
        limit = choice((8_000_000, 40_000_000, 4_000_000_000))
        return [(user, "key", f"key_{number}", currency, window, limit)]

    def _scopes(self, place: Place) -> list[Scoped] | None:
        """What a hold is placed under: nested or not, tight or wide, a key's own cap among it."""
        if self.random.random() > 0.4:
            return None
        choice = self.random.choice
        kinds = choice((("run",), ("run", "workspace"), ("run", "workspace", "key")))
        names = {"run": f"r{self.random.randint(1, 40)}", "workspace": "ws_1", "key": "key_1"}
        windows = {"run": "total", "workspace": choice(("month", "total")), "key": "day"}
        limits = {"run": choice((3_000_000, 20_000_000)), "workspace": 10**9, "key": 10**9}
        return [
            (place[1], kind, names[kind], place[2], windows[kind], limits[kind]) for kind in kinds
        ]

    # One maker an operation

    def _deposit(self) -> Request:
        if self.random.random() < 0.45:
            expires = self._span()
            return self._ask("deposit", self._place(), amount=self._amount(), expires=expires)
        amount = self._amount() * self.random.choice((1, 5, 20))
        return self._ask("deposit", self._place(), amount=amount)

    def _use(self) -> Request:
        reference = self.random.choice((None, "request 7", "Straße\x7f"))
        amount = self._amount() * self.random.choice((1, 1, 4))
        place, meter = self._place(), self.random.choice((None, None, *METERS))
        told = {"reference": reference, "meter": meter, "caps": self._caps(place)}
        return self._ask("use", place, amount=amount, **told)

    def _withdraw(self) -> Request:
        place = self._place()
        return self._ask("withdraw", place, amount=self._amount(), caps=self._caps(place))

    def _adjust(self) -> Request:
        place, down = self._place(), self.random.random() < 0.5
        return self._ask("adjust", place, amount=self._amount(), down=down, caps=self._caps(place))

    def _grant(self) -> Request:
        choice = self.random.choice
        expires = choice((None, self._span(), self._span()))
        return self._ask(
            "grant",
            self._place(),
            amount=self._amount(),
            delay=choice((None, None, -HOUR, self._span())),
            expires=expires,
            priority=choice((0, 0, 1, 7)),
            meters=choice(((), (), METERS[:1], METERS)),
        )

    def _void(self) -> Request:
        if not self.recent_grants or self.random.random() < 0.1:
            never = "grant_" + "0" * 10 + "a" * 26 + "_usd"
            return self._ask("void", self._place(), grant=never)
        grant_id = self.random.choice(self.recent_grants)
        tenant, user, currency = self.world.model.grants[grant_id]["place"]
        if self.random.random() < 0.05:
            tenant = self.random.choice(TENANTS)
        return self._ask("void", (tenant, user, currency), grant=grant_id)

    def _starter(self) -> Request:
        return self._ask("starter", (*self._place()[:2], "usd"))

    def _save_card(self) -> Request:
        with_account = sorted(self.world.model.accounts - self.world.model.cards)
        if not with_account:
            return self._look()
        tenant, user = self.random.choice(with_account)
        return self._ask("save_card", (tenant, user, "usd"))

    def _refund(self) -> Request:
        place, lucky = self._place(), self.random.random()
        if lucky < 0.04 or not self.world.charges:
            return self._ask("refund", place, amount=self._bounded(), charge="ent_" + "a" * 26)
        if lucky < 0.12:
            first = self.random.choice(self.world.history)
            place = (first.tenant, first.user, first.currency)
            charge = f"ent_{first.digest}"
            return self._ask("refund", place, amount=self._bounded(), charge=charge)
        charge, owner = self._some_charge()
        left = self.world.model.entries[charge]["amount"]
        left -= sum(self.world.model.refunds[charge])
        amount = self.random.choice((left, self.random.randint(1, max(1, left)), self._amount()))
        if lucky < 0.2:
            amount = min(amount, AMOUNT_MAX)
        elif lucky > 0.985:
            amount = AMOUNT_MAX + 1
        if lucky < 0.16:
            owner = (*owner[:2], "eur" if owner[2] == "usd" else "usd")
        elif lucky < 0.2:
            owner = place
        return self._ask("refund", owner, amount=max(1, amount), charge=charge)

    def _some_charge(self) -> tuple[str, Place]:
        """A charge of the last ones: often one of several lots, often the one of last time."""
        entries = self.world.model.entries
        if self.refunded_last and self.random.random() < 0.5:
            return self.refunded_last, entries[self.refunded_last]["place"]
        some = self.random.choices(self.world.charges[-60:], k=4)
        charge, place = max(some, key=lambda each: len(entries[each[0]]["draws"]))
        self.refunded_last = charge
        return charge, place

    def _hold(self) -> Request:
        choice = self.random.choice
        place = self._place()
        over = choice(("reject", "cap", "overdraft"))
        limit = choice((0, 50_000, 5_000_000)) if over == "overdraft" else 0
        return self._ask(
            "hold",
            place,
            amount=self._amount(),
            scopes=self._scopes(place),
            caps=self._caps(place),
            expires=self._span(),
            policy=choice(("release", "release", "capture")),
            over=over,
            limit=limit,
            reference=choice((None, "order 4711")),
        )

    def _some_hold(self) -> tuple[Place, str, int]:
        """A hold, whose it is said to be, and what is left of it: mostly open, now and then not."""
        model, lucky = self.world.model, self.random.random()
        if lucky < 0.02 or not self.recent_holds:
            return self._place(), "hold_" + "0" * 26 + "_usd", 1
        hold_id = self.random.choice(self.recent_holds)
        if self.beside and model.open[self.beside]:
            hold_id = min(model.open[self.beside], key=lambda each: model.holds[each]["until"])
            return self.beside, hold_id, total(model.holds[hold_id]["draws"])
        place: Place = model.holds[hold_id]["place"]
        if lucky < 0.8 and model.open[place]:
            # A set has no order that a seed could repeat.
            hold_id = self.random.choice(sorted(model.open[place]))
        if lucky > 0.97:
            place = (*self._place()[:2], place[2])
        return place, hold_id, total(model.holds[hold_id]["draws"])

    def _is_whose(self, hold_id: str, place: Place) -> bool:
        return self.world.model.holds.get(hold_id, {}).get("place") == place

    def _capture(self) -> Request:
        place, hold_id, left = self._some_hold()
        part = self.random.randint(1, max(1, left))
        other = self._amount() if self._is_whose(hold_id, place) else self._bounded()
        # More than any hold allows, however much may be overdrawn.
        available = self.world.model.available(place, self.world.now)
        beyond = min(AMOUNT_MAX, left + max(0, available) + 5_000_001)
        amounts = (part, part, part, part, max(1, left), left + part, other, beyond)
        amount, final = self.random.choice(amounts), self.random.random() < 0.3
        if self._is_whose(hold_id, place) and self.random.random() < 0.015:
            amount = AMOUNT_MAX + 1
        caps = self._caps_of(place, hold_id)
        return self._ask("capture", place, hold=hold_id, amount=amount, final=final, caps=caps)

    def _extend(self) -> Request:
        place, hold_id, _ = self._some_hold()
        expires = self.random.choice((None, self._span()))
        amount = self._amount() if self._is_whose(hold_id, place) else self._bounded()
        if expires and self.random.random() < 0.4:
            amount = 0
        elif self._is_whose(hold_id, place) and self.random.random() < 0.03:
            amount = AMOUNT_MAX
        caps = self._caps_of(place, hold_id)
        args = {"amount": amount, "expires": expires, "caps": caps}
        return self._ask("extend", place, hold=hold_id, **args)

    def _caps_of(self, place: Place, hold_id: str) -> list[Scoped] | None:
        """A cap, mostly one that the hold was placed under."""
        scopes = self.world.model.holds.get(hold_id, {}).get("scopes", ())
        own = [scope for scope in scopes if scope.place[2] == "key"]
        if own and self.random.random() < 0.8:
            return [(*own[0].place[1:], own[0].limit)]
        return self._caps(place) if self.random.random() < 0.5 else None

    def _release(self) -> Request:
        place, hold_id, _ = self._some_hold()
        return self._ask("release", place, hold=hold_id)

    def _quote(self) -> Request:
        lucky = self.random.random()
        device = "abacus" if lucky < 0.05 else self.random.choice(sorted(PRICES))
        shots = self.random.randint(1, 10_000 if lucky > 0.9 else 40)
        if 0.05 <= lucky < 0.08:
            shots = 10**13
        job = self._job() if self.random.random() < 0.3 else None
        place = (self.random.choice(TENANTS[:2]), self.random.choice(USERS[:2]), "usd")
        return self._ask("quote", place, device=device, shots=shots, tasks=1, job=job)

    def _job(self) -> str:
        return f"job-{self.random.randint(1, 25)}"

    def _hold_quoted(self) -> Request:
        job = self.random.choice((None, self._job()))
        if self.recent_jobs and self.random.random() < 0.2:
            job = self.recent_jobs[-1][1]
        if not self.recent_quotes or self.random.random() < 0.05:
            return self._ask("hold_quoted", self._place(), quote="quote_" + "b" * 26, job=job)
        place, quote_id = self.random.choice(self.recent_quotes)
        if self.random.random() < 0.03:
            place = self._place()
        return self._ask("hold_quoted", place, quote=quote_id, job=job, caps=self._caps(place))

    def _release_job(self) -> Request:
        if not self.recent_jobs or self.random.random() < 0.05:
            return self._ask("release_job", self._place(), job="job-none", amount=0)
        some = self.random.choices(self.recent_jobs, k=3)
        still_open = [each for each in some if self._hold_of(*each)["status"] == "open"]
        place, job = (still_open or some)[0]
        hold = self._hold_of(place, job)
        part = self.random.randint(1, hold["amount"])
        amount = self.random.choice((0, part, hold["amount"], hold["last"], hold["amount"] + 1))
        reason = self.random.choice((None, "completed", "cancelled"))
        return self._ask("release_job", place, job=job, amount=amount, reason=reason)

    def _hold_of(self, place: Place, job: str) -> Line:
        model = self.world.model
        return model.holds[model.jobs[*place[:2], job]]

    def _look(self) -> Request:
        return self._ask("look", self._place(), own=self.random.random() < 0.5)

    def _look_at_hold(self) -> Request:
        place, hold_id, _ = self._some_hold()
        return self._ask("look_at_hold", place, hold=hold_id)

    def _tick(self) -> Request:
        return self._ask("tick", self._place())

    def _hoard(self) -> None:
        for _ in range(LOTS_MAX + 1):
            asked = self._ask("deposit", HOARDER, amount=self.random.randint(1, 9), expires=5 * DAY)
            if self.world.do(asked) != "ok":
                break
