"""`make demo`: the story of a wallet, told over HTTP against the stack that runs.

Each step prints what was asked, what came back and the balance after it, and checks all three; the
first answer that is not what it should be ends the story, and the exit status says so.

    python -m local.demo [--pace SECONDS]
"""

import argparse
import http.client
import itertools
import json
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from local import payer, session
from local.places import Places

type Document = dict[str, Any]

# What a busy machine may take for a webhook and its worker.
_WEBHOOK_SECONDS = 20.0


class Unexpected(Exception):
    """An answer is not what the story says; the message says where they part."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Document


@dataclass(slots=True)
class Api:
    """The API, as somebody who has only its address and the tokens sees it."""

    session: Document

    def call(
        self,
        who: str,
        method: str,
        path: str,
        body: Document | None = None,
        *,
        key: str | None = None,
    ) -> Answer:
        """One request, by somebody who has a token, or by whoever has an API key."""
        token = self.session["tokens"].get(who, who)
        headers = {"Authorization": f"Bearer {token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        connection = http.client.HTTPConnection(urlsplit(self.session["api"]).netloc, timeout=35)
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, json.loads(text) if text else {})


@dataclass(slots=True)
class Story:
    """Where Alice's wallet should be by now, in cents, and what was said so far."""

    api: Api
    pace_seconds: float = 0.0
    balance: int = 0
    held: int = 0
    steps: int = 0
    # A story told twice must not be taken for the first one repeated.
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def alice(self) -> str:
        name = self.api.session["users"]["alice"]
        assert isinstance(name, str)
        return name

    def key(self, name: str) -> str:
        return f"demo-{self.run}-{name}"

    def tell(self, text: str, *, balance: int = 0, held: int = 0) -> None:
        """Print a step, by how much it moved the wallet, and where the wallet is now.

        Raises:
            Unexpected: The wallet is somewhere else.
        """
        self.steps += 1
        self.balance += balance
        self.held += held
        wallet = self.api.call("alice", "GET", "/v1/billing/wallet").body
        wanted = (self.balance, self.held, self.balance - self.held)
        found = tuple(wallet[f"{name}_cents"] for name in ("balance", "held", "available"))
        print(f"{self.steps:2}  {text}")
        print(
            f"      balance {_money(found[0])}   held {_money(found[1])}"
            f"   available {_money(found[2])}\n",
            flush=True,
        )
        if found != wanted:
            raise Unexpected(f"balance, held and available should be {wanted}, not {found}")
        time.sleep(self.pace_seconds)


def main() -> int:
    """Tell the story; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=main.__doc__)
    parser.add_argument("--pace", type=float, default=0.0, metavar="SECONDS")
    pace_seconds = parser.parse_args().pace
    try:
        api = Api(session.read(Places.of_environment()))
    except FileNotFoundError:
        print("No stack runs: start one with make run, in another terminal.", file=sys.stderr)
        return 1
    story = Story(api, pace_seconds=pace_seconds)
    try:
        _credit(story)
        _topped_up(story)
        usage = _hold_and_usage(story)
        _refusal(story)
        _refund(story, usage)
        _granted(story)
        _agent(story)
        _statement(story)
    except Unexpected as unexpected:
        print(f"Not as it should be: {unexpected}", file=sys.stderr)
        return 1
    except payer.NotPaid as refused:
        print(f"The payment page was not content: {refused}", file=sys.stderr)
        return 1
    except (OSError, http.client.HTTPException) as error:
        print(
            f"The stack at {story.api.session['api']} is gone ({error}). What was answered above"
            " is kept: start it again with make run.",
            file=sys.stderr,
        )
        return 1
    print(f"All {story.steps} steps were answered as they should be.")
    return 0


def _credit(story: Story) -> None:
    """The introductory credit is there at first sight; a deposit counts once."""
    wallet = _ok(story.api.call("alice", "GET", "/v1/billing/wallet"), 200)
    if wallet["lifetime_credited_cents"] < 1000:
        raise Unexpected(f"the introductory credit of 10.00 is missing: {wallet}")
    story.balance, story.held = wallet["balance_cents"], wallet["held_cents"]
    story.tell("Alice looks at her wallet: 10.00 of introductory credit came with it.")

    deposit = {"user": story.alice, "amount": 5000, "notes": "top-up"}
    path = "/api/v1/billing/deposit"
    first = story.api.call("admin", "POST", path, deposit, key=story.key("deposit"))
    made = _ok(first, 201, amount=5000, type="deposit")
    story.tell(f"Her admin deposits 50.00: {made['transactionId']}.", balance=5000)

    again = story.api.call("admin", "POST", path, deposit, key=story.key("deposit"))
    if _ok(again, 201) != made or again.headers.get("idempotent-replayed") != "true":
        raise Unexpected(f"the same key must bring the first answer again, not {again}")
    story.tell("The same request with the same key: the first answer again, nothing moves.")

    other = {**deposit, "amount": 6000}
    reused = story.api.call("admin", "POST", path, other, key=story.key("deposit"))
    _refused(reused, 422, "idempotency_key_reused")
    story.tell("Another request with that key: refused (422 idempotency_key_reused).")


def _topped_up(story: Story) -> None:
    """Real money comes in: at once from a saved card, or from whoever opens a payment page."""
    cards = _ok(story.api.call("alice", "GET", "/v1/me/payment-methods"), 200)["data"]
    if not story.api.session["stripe"] or not cards:
        # With the real Stripe a person would have to type a card here.
        return
    path = "/api/agents/v1/wallet/fund"
    by_card = {"amount": 25.0, "payment_method_id": cards[0]["id"]}
    first = story.api.call("alice", "POST", path, by_card, key=story.key("fund"))
    charged = _ok(first, 200)["data"]["payment"]
    story.tell(f"Her saved card is charged 25.00: {charged['payment_intent_id']}.", balance=2500)

    again = story.api.call("alice", "POST", path, by_card, key=story.key("fund"))
    if _ok(again, 200)["data"]["payment"] != charged:
        raise Unexpected(f"the same key must not charge the card again: {again}")
    story.tell("The same request with the same key: no second charge.")

    asked = story.api.call("alice", "POST", path, {"amount": 40.0}, key=story.key("page"))
    page = _ok(asked, 200)["data"]
    story.tell(f"Without a card there is a page to pay on: {page['checkout_url']}")

    payer.pay(page["checkout_url"])
    _wait_for(story, story.balance + 4000)
    story.tell("Somebody pays 40.00 there, and Stripe's webhook credits the wallet.", balance=4000)

    told = {"session_id": page["session_id"]}
    confirmed = story.api.call("alice", "POST", "/api/agents/v1/wallet/confirm-checkout", told)
    if not _ok(confirmed, 200)["data"]["already_confirmed"]:
        raise Unexpected(f"the webhook has credited the wallet already: {confirmed}")
    story.tell("The agent asks whether it was paid: it was, and is credited once.")


def _wait_for(story: Story, balance: int) -> None:
    """Return when the wallet has this balance, or after a while; `tell` says which."""
    until = time.monotonic() + _WEBHOOK_SECONDS
    while time.monotonic() < until:
        wallet = story.api.call("alice", "GET", "/v1/billing/wallet").body
        if wallet["balance_cents"] == balance:
            return
        time.sleep(0.05)


def _hold_and_usage(story: Story) -> str:
    """Money is set aside, a part is taken and the rest comes back; then usage. Its transaction."""
    wanted = {"amount": 1200, "reference": "render job"}
    placed = story.api.call("alice", "POST", "/v1/billing/holds", wanted, key=story.key("hold"))
    hold = _ok(placed, 201, status="open", remaining=1200)
    story.tell(f"A hold of 12.00 for a render job: {hold['id']}.", held=1200)

    path = f"/v1/billing/holds/{hold['id']}"
    part = {"amount": 700, "final": False}
    captured = story.api.call("alice", "POST", f"{path}/capture", part, key=story.key("capture"))
    _ok(captured, 200, status="open", captured=700, remaining=500)
    story.tell("The job cost 7.00 so far: a part of the hold is captured.", balance=-700, held=-700)

    released = story.api.call("alice", "POST", f"{path}/release", key=story.key("release"))
    _ok(released, 200, status="released", captured=700, remaining=0)
    story.tell("It is done: the other 5.00 are released.", held=-500)

    used = {"user": story.alice, "amount": 350, "model": "zen4", "requestId": story.key("usage")}
    answer = story.api.call("admin", "POST", "/api/v1/billing/usage", used)
    usage = _ok(answer, 201, amount=350, type="withdraw")
    story.tell(
        f"3.50 of API usage, charged after the fact: {usage['transactionId']}.", balance=-350
    )
    return str(usage["transactionId"])


def _refusal(story: Story) -> None:
    """More than there is cannot be held, by a single cent."""
    available = story.balance - story.held
    greedy = story.api.call("alice", "POST", "/v1/billing/holds", {"amount": available + 1})
    details = _refused(greedy, 402, "insufficient_funds")
    if (details["needed"], details["available"]) != (available + 1, available):
        raise Unexpected(f"the refusal must say what is needed and available: {details}")
    story.tell("One cent more than she has: refused (402 insufficient_funds).")


def _refund(story: Story, usage: str) -> None:
    """A charge is given back in part, never by more than is left of it."""
    path = "/api/v1/billing/refund"
    refund = {"user": story.alice, "amount": 200, "originalTransactionId": usage}
    answer = story.api.call("admin", "POST", path, refund, key=story.key("refund"))
    _ok(answer, 201, amount=200, originalTransactionId=usage)
    story.tell("2.00 of that usage are refunded.", balance=200)

    again = story.api.call("admin", "POST", path, refund, key=story.key("refund-again"))
    _refused(again, 422, "refund_exceeded")
    story.tell("Another 2.00 of it, when 1.50 are left: refused (422 refund_exceeded).")


def _granted(story: Story) -> None:
    """Credit is given with a purpose, used up before cash, and taken back where nobody spent it."""
    given = {"userId": story.alice, "amountCents": 400, "expiresIn": "720h", "tags": "promo"}
    path = "/api/v1/billing/credit-grants"
    grant = _ok(story.api.call("admin", "POST", path, given), 201, remainingCents=400)
    story.tell(f"4.00 of credit for a month: {grant['id']}.", balance=400)

    who = f"userId={story.alice}"
    shown = story.api.call("alice", "GET", f"/api/v1/billing/credit-balance/breakdown?{who}")
    promo = _ok(shown, 200)["breakdown"].get("promo", {}).get("cents", 0)
    story.tell(f"By tag, {_money(promo).strip()} of her credit is promotional.")

    _ok(story.api.call("admin", "POST", f"{path}/{grant['id']}/void"), 200, voided=True)
    story.tell("The grant is voided: what nobody spent of it is gone.", balance=-400)

    starter = story.api.call("alice", "POST", "/api/v1/billing/credit", {"user": story.alice})
    if starter.status == 201:
        _ok(starter, 201, amount=500, tags="starter-credit")
        story.tell("A card is on file: 5.00 of starter credit, once in a lifetime.", balance=500)
    again = story.api.call("alice", "POST", "/api/v1/billing/credit", {"user": story.alice})
    _refused(again, 409, "starter_credit_granted")
    story.tell("Once more: refused (409 starter_credit_granted).")


def _agent(story: Story) -> None:
    """An agent has a key with a cap that no hold of it can pass, within a run that has its own."""
    wanted = {
        "name": "render agent",
        "scopes": ["holds:write", "holds:read"],
        "spend_cap": {"amount": 300, "window": "day"},
    }
    made = _ok(story.api.call("alice", "POST", "/v1/me/api-keys", wanted), 201)
    story.tell(f"Alice gives an agent a key that may spend 3.00 a day: {made['prefix']}…")

    run = {"kind": "run", "id": story.key("run"), "limit": 250}
    step = {"amount": 200, "scopes": [run]}
    placed = story.api.call(made["key"], "POST", "/v1/billing/holds", step)
    hold = _ok(placed, 201, status="open")
    story.tell("The agent holds 2.00 in a run that may spend 2.50.", held=200)

    details = _refused(
        story.api.call(made["key"], "POST", "/v1/billing/holds", step), 402, "budget_exceeded"
    )
    if details["scope"] != f"run:{run['id']}":
        raise Unexpected(f"the refusal must name the run: {details}")
    story.tell("2.00 more in that run: refused (402 budget_exceeded, which names the run).")

    other = {"amount": 200, "scopes": [{**run, "id": story.key("other-run")}]}
    details = _refused(
        story.api.call(made["key"], "POST", "/v1/billing/holds", other), 402, "budget_exceeded"
    )
    if details["scope"] != f"key:{made['id']}":
        raise Unexpected(f"the refusal must name the key: {details}")
    story.tell("2.00 in another run: refused again, by the cap of the key.")

    _ok(story.api.call(made["key"], "POST", f"/v1/billing/holds/{hold['id']}/release"), 200)
    story.tell("The agent gives its hold back; so do the run and the key.", held=-200)


def _statement(story: Story) -> None:
    """Every entry names the one before it, up to the head of the ledger."""
    page = _ok(story.api.call("alice", "GET", "/v1/billing/entries?limit=7"), 200)
    entries = page["data"]
    print("    The statement, newest first:")
    for entry in entries:
        print(
            f"      {entry['seq']:4}  {entry['type']:20}{_money(entry['amount'])}"
            f"   after it {_money(entry['balance_after'])}   {entry['hash'][:12]}…"
            f" follows {entry['prev'][:12]}…"
        )
    for newer, older in itertools.pairwise(entries):
        if newer["prev"] != older["hash"] or newer["seq"] != older["seq"] + 1:
            raise Unexpected(f"entry {newer['seq']} does not follow {older['seq']}")
        if sum(posting["amount"] for posting in newer["postings"]) != 0:
            raise Unexpected(f"the postings of entry {newer['seq']} do not sum to zero")
    head = _ok(story.api.call("alice", "GET", "/v1/billing/ledger/head"), 200)
    if (head["seq"], head["head"]) != (entries[0]["seq"], entries[0]["hash"]):
        raise Unexpected(f"the head of the ledger is {head}")
    print()
    story.tell(f"The head of her ledger is entry {head['seq']}, {head['head'][:12]}…")


def _ok(answer: Answer, status: int, /, **fields: Any) -> Document:
    """The body, if it and the status are as they should be.

    Raises:
        Unexpected: They are not.
    """
    found = {name: answer.body.get(name) for name in fields}
    if answer.status != status or found != fields:
        raise Unexpected(f"wanted {status} {fields}, got {answer.status} {answer.body}")
    return answer.body


def _refused(answer: Answer, status: int, code: str) -> Document:
    """The details of a refusal.

    Raises:
        Unexpected: It was not refused, or for another reason.
    """
    error = answer.body.get("error") or {}
    if (answer.status, error.get("code")) != (status, code):
        raise Unexpected(f"wanted {status} {code}, got {answer.status} {answer.body}")
    details = error["details"]
    assert isinstance(details, dict)
    return details


def _money(cents: int) -> str:
    sign, cents = ("-" if cents < 0 else ""), abs(cents)
    return f"{f'{sign}{cents // 100}.{cents % 100:02}':>9}"


if __name__ == "__main__":
    sys.exit(main())
