"""The ledger on a simulator beside the model: every request goes to both, every write is compared.

What was written is read from the table's stream, so nothing that is stored goes unseen: each new
entry must be the one that the model writes, each other record must be as the model has it, and
whoever was refused must have left nothing behind.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple

from holdfast.audit import audit_items
from holdfast.domain.accounts import Tenant, owner_of
from holdfast.domain.clock import rfc3339
from holdfast.domain.entries import canonical_json, document
from holdfast.domain.quotes import Quote
from holdfast.errors import IdempotencyKeyReused, KeyInUse, Refusal, Unavailable
from holdfast.store import items
from holdfast.store.ledger_store import Committed, LedgerStore
from holdfast.verify import Report, verify
from tests.model.hardware_model import HardwareModel
from tests.model.ledger_model import NEVER, Answered, Ask, Line, Place, Refused, Scope, Terms, total
from tests.property.requests import CHANGES, Request, instant, milliseconds
from tests.property.second_audit import Plain, plain, second_audit
from tests.simulator.client import Simulator
from tests.simulator.errors import ProcessKilled
from tests.simulator.faults import Plan
from tests.simulator.tables import LEDGER_TABLE

TABLE = LEDGER_TABLE["TableName"]
DELIVERIES_MAX = 200
SWEPT_FIRST = frozenset(CHANGES) - {"quote"}
"""Operations that see money free which a hold keeps past its time."""
TIME_ALONE = {"hold_due_at", "open_from", "gsi2pk", "gsi2sk", "version", "updated_at"}
"""What a sweep may rewrite of a wallet in which no money moved."""


class Differs(AssertionError):
    """The ledger did something else than the model."""


class Reply(NamedTuple):
    """How a request ended: a value, or the code of a refusal; and the instants it was tried at."""

    value: Any
    code: str | None
    tried_at: list[int]


class Picture(NamedTuple):
    """A record before and after a request."""

    before: Plain | None
    after: Plain


class First(NamedTuple):
    """The first answer to a request, and what was asked."""

    fingerprint: str
    answer: Any


class World:
    """Some environments on one table, one model, one clock, and all requests so far.

    With `faults` a delivery may fail: it is then repeated, to any environment and at any later
    time, until there is a definite answer.
    """

    def __init__(self, *, environments: int = 3, faults: Plan | None = None) -> None:
        self.simulator = Simulator(faults=faults)
        self.faulty = faults is not None
        self.stores = [self._environment() for _ in range(environments)]
        self.model = HardwareModel()
        self.now = 0
        self.history: list[Request] = []
        self.charges: list[tuple[str, Place]] = []
        self.coverage: Counter[tuple[str, str]] = Counter()
        self.deliveries = 0
        self.killed = 0
        self._first: dict[tuple[str, str, str], First] = {}
        self._users: dict[tuple[str, str], str] = {}

    def _environment(self) -> LedgerStore:
        return LedgerStore(
            self.simulator,  # type: ignore[arg-type]
            TABLE,
            pause=lambda seconds: None,
            jitter=lambda: 0.0,
        )

    def do(self, asked: Request, environment: int = 0) -> str:
        """Send a request, compare all that comes of it with the model; the outcome by name.

        Raises:
            Differs: The ledger and the model do not agree.
        """
        self._know(asked.tenant, asked.user)
        for payer, *_ in (*asked.args.get("caps", ()), *asked.args.get("scopes", ())):
            self._know(asked.tenant, payer)
        self.simulator.forget()
        reply = self._delivered(asked, environment)
        entries, records, receipts = self._written()
        try:
            main, by_system = self._follow(asked, entries, reply.tried_at)
            outcome = self._judge(asked, reply, main)
            self._compare(records)
            self._need_no_trace(asked, outcome, records, by_system=by_system, receipts=receipts)
        except AssertionError as wrong:
            raise Differs(f"{asked}, tried at {reply.tried_at}, gave {reply}: {wrong}") from wrong
        if asked.op in CHANGES and outcome != "replayed":
            self.history.append(asked)
        self.coverage[asked.op, outcome] += 1
        return outcome

    def _know(self, tenant: str, user: str) -> None:
        owner = owner_of(Tenant(*tenant.split("/")), user)
        self._users[tenant, owner.account_id] = user

    # Sending

    def _delivered(self, asked: Request, environment: int) -> Reply:
        tried_at: list[int] = []
        for attempt in range(DELIVERIES_MAX):
            place = (environment + attempt) % len(self.stores)
            # A client that got no answer asks again later, but not always in another millisecond.
            self.now += attempt % 3
            tried_at.append(self.now)
            self.deliveries += 1
            try:
                return Reply(asked.send(self.stores[place], self.now), None, tried_at)
            except (Unavailable, KeyInUse):
                if not self.faulty:
                    raise
            except ProcessKilled:
                self.stores[place] = self._environment()
                self.killed += 1
            except Refusal as refused:
                return Reply(None, refused.code, tried_at)
        raise Differs(f"{asked} has no answer after {DELIVERIES_MAX} deliveries")

    def _written(self) -> tuple[list[Plain], dict[tuple[str, str], Picture], int]:
        """The entries, in the order of their numbers; the other records; how many receipts."""
        entries, receipts = [], 0
        records: dict[tuple[str, str], Picture] = {}
        for event in self.simulator.stream:
            change = event["dynamodb"]
            assert "NewImage" in change, f"{change['Keys']} was deleted"
            after = plain(change["NewImage"])
            before = plain(change["OldImage"]) if "OldImage" in change else None
            key = (after["pk"], after["sk"])
            if after["sk"] != "ENTRY":
                version = before["version"] if before else 0
                assert after["version"] == version + 1, f"{key} was written under another guard"
                first = records[key].before if key in records else before
                records[key] = Picture(first, after)
                continue
            assert before is None, f"an entry was changed: {key}"
            if "gsi1sk" in after:
                entries.append(after)
            else:
                receipts += 1
        entries.sort(key=lambda entry: (entry["gsi1pk"], entry["gsi1sk"]))
        return entries, records, receipts

    # The model follows

    def _follow(
        self, asked: Request, entries: list[Plain], tried_at: list[int]
    ) -> tuple[Plain | None, int]:
        """Let the model write what was written; the entry that answers, and how many others."""
        main = None
        for place, lines in groupby(entries, key=self._place):
            for entry in lines:
                at = milliseconds(entry["created_at"])
                assert at in tried_at, f"an entry of another time: {entry}"
                ask = Ask(place, entry["pk"].split("#")[2], at)
                is_main = ask.entry == f"ent_{asked.digest}"
                opens = entry["type"] == "credit_grant" and not is_main
                if is_main:
                    assert main is None, "two effects of one request"
                    main = entry
                come = self.model.due_pending(place, at)
                assert bool(come) == opens, f"{come} is to be opened, and not by {entry['type']}"
                if entry["type"] != "lot_expiry" and not opens:
                    due = self.model.due_lots(place, at)
                    assert not due, f"{due} should have expired before {entry['type']}"
                if is_main and asked.op in SWEPT_FIRST:
                    self._need_swept(place, at)
                if is_main:
                    ask = ask._replace(caps=_scopes(asked, "caps"))
                line = self._by_request(asked, ask, entry) if is_main else self._alone(ask, entry)
                self._compare_line(line, entry)
            last = milliseconds(entry["created_at"])
            assert not self.model.due_lots(place, last), "lots are left that should have expired"
            assert not self.model.due_pending(place, last), "lots are left that should be open"
        return main, len(entries) - (main is not None)

    def _place(self, entry: Plain) -> Place:
        _, tenant, account, currency = entry["gsi1pk"].split("#")
        return (tenant, self._users[tenant, account], currency)

    def _need_swept(self, place: Place, at: int) -> None:
        due = self.model.due_holds(place, at)
        assert not due, f"{due} should have been swept first"

    def _alone(self, ask: Ask, entry: Plain) -> Line:
        """What the system writes by itself."""
        match entry["type"]:
            case "introductory_credit":
                return self.model.introduce(ask, entry["draws"][0]["id"])
            case "lot_expiry":
                return self.model.expire_lots(ask)
            case "credit_grant":
                return self.model.open_pending(ask)
            case "hold_expiry":
                return self.model.expire_hold(ask, entry["hold_id"])
            case other:
                raise AssertionError(f"nobody asked for this {other}: {entry}")

    def _by_request(self, asked: Request, ask: Ask, entry: Plain) -> Line:
        """What the model makes of a request; `entry` is empty for a request that made none."""
        model, args = self.model, asked.args
        match asked.op:
            case "deposit":
                until = ask.now + args["expires"] if "expires" in args else None
                return model.deposit(ask, args["amount"], f"lot_{asked.digest}", until)
            case "withdraw":
                return model.withdraw(ask, args["amount"])
            case "use":
                return model.use(ask, args["amount"], args.get("reference"), args.get("meter"))
            case "refund":
                return model.refund(ask, args["charge"], args["amount"])
            case "hold":
                names = ("policy", "over", "limit", "reference")
                more = {name: args[name] for name in names if name in args}
                until = ask.now + args["expires"]
                more["scopes"] = _scopes(asked, "scopes")
                return model.hold(ask, entry.get("hold_id", ""), args["amount"], until, **more)
            case "extend":
                until = ask.now + args["expires"] if "expires" in args else None
                return model.extend(ask, args["hold"], args["amount"], until)
            case "capture":
                return model.capture(ask, args["hold"], args["amount"], args["final"])
            case "release":
                return model.release(ask, args["hold"])
            case "hold_quoted":
                job, new_job = args.get("job", ""), f"job_{asked.digest}"
                return model.hold_quoted(ask, entry.get("hold_id", ""), args["quote"], job, new_job)
            case "release_job":
                return model.release_job(ask, args["job"], args["amount"])
        return self._credit_by_request(asked, ask, entry)

    def _credit_by_request(self, asked: Request, ask: Ask, entry: Plain) -> Line:
        model, args = self.model, asked.args
        match asked.op:
            case "adjust":
                return model.adjust(ask, args["amount"], args["down"])
            case "starter":
                return model.starter(ask, f"lot_{asked.digest}")
            case "grant":
                grant_id = entry["reference"] if entry else ""
                assert not entry or grant_id[16:] == f"{asked.digest}_{asked.currency}"
                return model.grant(ask, grant_id, args["amount"], _terms(args, ask.now))
            case "void":
                return model.void(ask, args["grant"])
        raise AssertionError(f"the model knows no {asked.op}")

    # Judging the answer

    def _judge(self, asked: Request, reply: Reply, main: Plain | None) -> str:
        at = reply.tried_at[-1]
        match asked.op:
            case "quote":
                return self._judge_quote(asked, reply)
            case "look":
                return self._judge_look(asked, reply, at)
            case "look_at_hold":
                return self._judge_look_at_hold(asked, reply, at)
            case "tick":
                left = [place for place in self.model.pots if self.model.due_holds(place, at)]
                left += [place for place in self.model.pots if self.model.due_lots(place, at)]
                left += [p for p in [*self.model.pending] if self.model.due_pending(p, at)]
                assert not left, f"the sweep left {left}"
                return "ok"
            case "save_card":
                self.model.cards.add((asked.tenant, asked.user))
                return "ok"
        name = (asked.tenant, asked.user, asked.key)
        if main is not None:
            return self._judge_effect(asked, reply, main, name)
        if first := self._first.get(name):
            return _judge_again(asked, reply, first)
        return self._judge_no_effect(asked, reply, at)

    def _judge_effect(
        self, asked: Request, reply: Reply, main: Plain, name: tuple[str, str, str]
    ) -> str:
        assert name not in self._first, "a second effect of one key"
        assert isinstance(reply.value, Committed), f"an effect, and no answer: {reply}"
        entry = reply.value.entry
        assert (entry.id, entry.hash) == (f"ent_{asked.digest}", main["hash"]), "another's answer"
        assert self.faulty or not reply.value.replayed, "a first answer that calls itself a replay"
        self._first[name] = First(asked.fingerprint, _rendered(reply.value))
        place = self._place(main)
        if self.model.entries[entry.id]["postings"].get("revenue", 0) > 0:
            self.charges.append((entry.id, place))
        return "ok"

    def _judge_no_effect(self, asked: Request, reply: Reply, at: int) -> str:
        currency = asked.currency
        if "hold" in asked.args:
            currency = asked.args["hold"].rpartition("_")[2]
        if asked.op == "hold_quoted":
            currency = "usd"
        ask = Ask((asked.tenant, asked.user, currency), "", at, _scopes(asked, "caps"))
        code, entry_id = self._predicted(asked, ask)
        if code is not None:
            assert reply.code == code, f"the model refuses: {code}"
            if code in ("insufficient_funds", "budget_exceeded"):
                self._need_swept(ask.place, at)
            return code
        assert isinstance(reply.value, Committed), f"the model answers with {entry_id}"
        assert reply.value.entry.id == entry_id, f"the model answers with {entry_id}"
        assert not reply.value.replayed
        return "same"

    def _predicted(self, asked: Request, ask: Ask) -> tuple[str | None, str]:
        """The code with which the model refuses, or the entry that it answers with."""
        try:
            line = self._by_request(asked, ask, {})
        except Refused as refused:
            return str(refused), ""
        except Answered as answered:
            return None, str(answered)
        raise AssertionError(f"the model does it: {line}")

    def _judge_quote(self, asked: Request, reply: Reply) -> str:
        name = (asked.tenant, asked.user, asked.key)
        if first := self._first.get(name):
            if first.fingerprint != asked.fingerprint:
                assert reply.code == IdempotencyKeyReused.code
                return IdempotencyKeyReused.code
            quote, replayed = reply.value.record, reply.value.replayed
            assert _as_quoted(quote) == first.answer, "another quote"
            assert replayed or quote.created_at == instant(reply.tried_at[-1])
            return "replayed"
        args = {name: asked.args.get(name, "") for name in ("device", "shots", "tasks", "job")}
        at = reply.tried_at[-1]
        if reply.code is None:
            at = milliseconds(rfc3339(reply.value.record.created_at))
            assert at in reply.tried_at
        place = (asked.tenant, asked.user, "usd")
        quote_id = f"quote_{asked.digest}"
        code = None
        try:
            self.model.quote(Ask(place, "", at), quote_id, **args)
        except Refused as refused:
            code = str(refused)
        assert reply.code == code, f"the model says {code}"
        if code is not None:
            return code
        known = self.model.quotes[quote_id]
        quote, replayed = reply.value.record, reply.value.replayed
        assert quote.id == quote_id
        assert quote.total_micros == known["total"], f"the model asks {known['total']}"
        assert quote.expires_at == instant(known["until"])
        assert self.faulty or not replayed
        self._need_swept(place, at)
        available = self.model.available(place, at)
        assert self.faulty or quote.available_micros == available, f"available are {available}"
        self._first[name] = First(asked.fingerprint, _as_quoted(quote))
        return "ok"

    def _judge_look(self, asked: Request, reply: Reply, at: int) -> str:
        place = (asked.tenant, asked.user, asked.currency)
        seen = reply.value
        assert self.model.due_lots(place, at) == [], "a wallet with lots whose time has come"
        assert self.model.due_pending(place, at) == [], "a wallet with lots whose day has come"
        self._need_swept(place, at)
        available = self.model.available(place, at)
        held = sum(held for _, held in self.model.pots[place].values())
        told = (seen.available_micros(instant(at)), seen.held_micros)
        assert told == (available, held), f"{told}, the model has {available} and {held} held"
        assert seen.balance_micros(instant(at)) == available + held
        assert seen.seq == self.model.counts[place]["seq"]
        if asked.args["own"]:
            assert (asked.tenant, asked.user) in self.model.accounts, "looked, and has no account"
        return "ok"

    def _judge_look_at_hold(self, asked: Request, reply: Reply, at: int) -> str:
        known = self.model.holds.get(asked.args["hold"])
        if known is None or known["place"][:2] != (asked.tenant, asked.user):
            assert reply.code == "hold_not_found"
            return reply.code
        hold, seen = reply.value
        assert known["status"] != "open" or known["until"] > at, "read after its time, and open"
        told = (hold.status, hold.remaining_micros, hold.captured_micros, hold.amount_micros)
        names = ("status", "draws", "captured", "amount")
        status, draws, captured, amount = (known[name] for name in names)
        assert told == (status, total(draws), captured, amount), f"the model has {known}"
        assert seen.seq == self.model.counts[known["place"]]["seq"]
        return "ok"

    # Comparing what was written

    def _compare_line(self, line: Line, entry: Plain) -> None:
        told = {
            "type": entry["type"],
            "amount": entry["amount"],
            "balance": entry["balance"],
            "held": entry.get("held", 0),
            "cash": entry.get("cash", 0),
            "postings": entry["postings"],
            "draws": [(draw["id"], draw["amount"]) for draw in entry.get("draws", ())],
            "reference": entry.get("reference"),
        }
        known = {name: line[name] for name in told}
        assert told == known, f"written {told}, the model has {known}"
        assert int(entry["gsi1sk"]) == self.model.counts[line["place"]]["seq"], "out of sequence"
        assert (entry.get("hold") is None) == (line["hold"] is None)
        if line["hold"]:
            told = dict(entry["hold"])
            if told.pop("as_drawn", False):
                told["draws"] = entry["draws"]
            self._compare_hold(line["hold"], told)
            assert entry["hold_id"] == line["hold"]["id"]

    def _compare(self, records: dict[tuple[str, str], Picture]) -> None:
        """Every record that was written is as the model has it."""
        for (pk, sk), (_, record) in records.items():
            _, tenant, _, account = pk.split("#")
            user = self._users[tenant, account]
            noun, _, name = sk.partition("#")
            match noun:
                case "WALLET":
                    self._compare_wallet((tenant, user, name), record)
                case "HOLD":
                    known = self.model.holds[name]
                    assert known["place"][:2] == (tenant, user), "in another's partition"
                    self._compare_hold(known, record)
                case "BUDGET":
                    kind, scope, currency, window = name.split("#")
                    known = self.model.budgets[tenant, user, kind, scope, currency, window]
                    counted = {"period": "", **record}
                    assert {each: counted[each] for each in known} == known, f"{record} is {known}"
                case "GRANT":
                    self._compare_grant(name, (tenant, user), record)
                case "STARTER":
                    assert record["entry_id"] == self.model.started[tenant, user]
                case "METHOD":
                    assert (tenant, user) in self.model.cards
                case "REFUNDED":
                    assert record["refunded"] == sum(self.model.refunds[name]), "another refund"
                case "QUOTE":
                    known = self.model.quotes[name]
                    told = (record.get("used_by"), record.get("entry_id"))
                    assert told == (known["job"], known["entry"]), f"{record} is {known}"
                case "JOB":
                    assert record["hold_id"] == self.model.jobs[tenant, user, name]
                case _:
                    assert sk == "ACCOUNT", f"what is {sk}?"
                    assert (tenant, user) in self.model.accounts

    def _compare_wallet(self, place: Place, record: Plain) -> None:
        pots = {lot["id"]: (lot["left"], lot.get("held", 0)) for lot in record.get("lots", ())}
        cash = (record["cash"], record.get("cash_held", 0))
        if any(cash):
            pots["cash"] = cash
        known = self.model.pots[place]
        assert pots == known, f"{place} is written as {pots}, the model has {known}"
        waiting = {lot["id"]: lot["left"] for lot in record.get("pending", ())}
        assert waiting == self.model.pending[place], f"{waiting} waits, not as in the model"
        counts = self.model.counts[place]
        for name in ("credited", "credits", "debits", "charged"):
            assert record.get(name, 0) == counts[name], f"{name} is not {counts[name]}"

    def _compare_grant(self, grant_id: str, owner: tuple[str, str], record: Plain) -> None:
        known = self.model.grants[grant_id]
        assert known["place"] == (*owner, grant_id[-3:]), "in another's partition"
        ended = milliseconds(record["voided_at"]) if "voided_at" in record else None
        assert (record["amount"], ended) == (known["amount"], known["voided"])
        terms = self.model.terms[grant_id]
        told = (record.get("priority", 0), tuple(record.get("meters", ())))
        assert told == (terms.priority, terms.meters), f"{record} is {terms}"
        assert milliseconds(record["effective_at"]) == terms.granted
        if ended is None:
            until = milliseconds(record["expires_at"]) if "expires_at" in record else NEVER
            assert until == terms.until

    def _compare_hold(self, known: Line, told: Plain) -> None:
        place = known["place"]
        scopes = [self._scope(place, scope) for scope in told.get("scopes", [])]
        assert scopes == list(known["scopes"]), f"under {scopes}, the model has {known['scopes']}"
        _compare_hold(known, told)

    def _scope(self, place: Place, told: Plain) -> Scope:
        """A scope as a hold's item has it; what is usual is left out there."""
        user = self._users[place[0], told["account_id"]] if "account_id" in told else place[1]
        names = (told["kind"], told["id"], told.get("currency", place[2]))
        return Scope((place[0], user, *names, told.get("window", "total")), told["limit"])

    def _need_no_trace(
        self,
        asked: Request,
        outcome: str,
        records: dict[tuple[str, str], Picture],
        *,
        by_system: int,
        receipts: int,
    ) -> None:
        """Who was refused, or asked again, or only looked, has left nothing behind."""
        no_money = asked.op in ("quote", "save_card") and outcome == "ok"
        assert receipts == no_money, f"{receipts} receipts"
        if outcome == "ok" and asked.op in (*CHANGES, "save_card"):
            return
        if asked.op in CHANGES and asked.op != "quote":
            assert outcome not in ("replayed", IdempotencyKeyReused.code) or not records
            assert not any(sk == "ACCOUNT" for _, sk in records), "refused, and has an account"
        if by_system == 0:
            for (_, sk), (before, after) in records.items():
                assert sk.startswith("WALLET#"), f"{outcome}, and wrote {sk}"
                changed = {
                    name
                    for name in after.keys() | (before or {}).keys()
                    if before is None or before.get(name) != after.get(name)
                }
                assert changed <= TIME_ALONE, f"{outcome}, and changed {changed} of {sk}"

    # At the end

    def stored(self) -> Iterator[dict[str, Any]]:
        """Every item of the table."""
        return (stored.item for stored in self.simulator.tables[TABLE].items())

    def audit(self) -> None:
        """Both audits, and the export of every wallet through the verifier.

        Raises:
            Differs: One of them found something.
        """
        found = [str(each) for each in audit_items(self.stored())] + second_audit(self.stored())
        if found:
            raise Differs("\n".join(found[:20]))
        heads = {
            (item["pk"]["S"].split("#")[3], item["sk"]["S"].partition("#")[2]): item["head"]["S"]
            for item in self.stored()
            if item["sk"]["S"].startswith("WALLET#")
        }
        report = verify(self.export()) if heads else Report(0, (), ())
        told = {(each.account_id, each.currency): each.head for each in report.wallets}
        if report.broken or told != heads:
            raise Differs(f"the export: {report.broken[:3]}")

    def export(self) -> Iterator[bytes]:
        """Every entry as its owner exports it, a line each."""
        for item in self.stored():
            if items.is_entry(item):
                entry = items.to_entry(item)
                yield canonical_json({**document(entry), "hash": entry.hash}) + b"\n"


def _scopes(asked: Request, name: str) -> tuple[Scope, ...]:
    """The scopes that a request names, or the caps of whoever makes it, as the model has them."""
    return tuple(Scope((asked.tenant, *count), limit) for *count, limit in asked.args.get(name, ()))


def _terms(args: Plain, now: int) -> Terms:
    """What a grant says of itself."""
    day = now + max(0, args.get("delay") or 0)
    until = day + args["expires"] if "expires" in args else NEVER
    priority, meters = args.get("priority", 0), tuple(args.get("meters", ()))
    return Terms("credit", day, until, priority, meters)


def _rendered(committed: Committed) -> bytes:
    """What every answer is made of: the entry's document, and the hold as the entry left it."""
    entry = committed.entry
    told = canonical_json({**document(entry), "hash": entry.hash}) + repr(entry.hold).encode()
    return sha256(told).digest()


def _as_quoted(quote: Quote) -> str:
    """What the answer to a quote is made of: not what became of the quote since."""
    return repr(replace(quote, used_by=None, entry_id=None, version=1))


def _judge_again(asked: Request, reply: Reply, first: First) -> str:
    if first.fingerprint != asked.fingerprint:
        assert reply.code == IdempotencyKeyReused.code, "a key was used for two requests"
        return IdempotencyKeyReused.code
    assert isinstance(reply.value, Committed), f"the same request, and no answer: {reply}"
    assert reply.value.replayed, "an answer of before that does not say so"
    assert _rendered(reply.value) == first.answer, "another answer than the first"
    return "replayed"


def _compare_hold(known: Line, told: Plain) -> None:
    seen = {
        "status": told["status"],
        "amount": told["amount"],
        "captured": told.get("captured", 0),
        "last": told.get("captured_last", 0),
        "released": told.get("released", 0),
        "draws": [(draw["id"], draw["amount"]) for draw in told.get("draws", ())],
        "until": milliseconds(told["expires_at"]),
        "closed_by": told.get("closed_by"),
        "policy": told.get("expiry_policy", "release"),
        "over": told.get("over_capture", "reject"),
        "limit": told.get("overdraft", 0),
        "reference": told.get("reference"),
    }
    expected = {name: known[name] for name in seen}
    assert seen == expected, f"the hold is {seen}, the model has {expected}"
