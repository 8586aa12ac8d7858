"""Lists are read page by page: no gap, nothing twice, and a cursor is good for its own list."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.cards import attach
from tests.api.world import BOB, TEST_ALICE, account_of
from tests.http.events import ADMIN, ALICE

COUNT = 7
"""How long every list here is."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One list: where it is, who reads it, what tells its items apart, how much it shows.

    `named` is the parameter that says whose list it is: an admin reads it. `{account}` in a path
    is the reader's.
    """

    path: str
    items: str
    name: str
    shown: int
    query: str = ""
    camel: bool = False
    named: str = ""
    most: int = 100

    def page(self, world: Any, *, by: dict[str, str] | None = None, **query: Any) -> Any:
        asked = {self.named: "acme/alice"} if self.named else {}
        asked |= dict(part.split("=") for part in self.query.split("&") if part)
        by = by or (ADMIN if self.named else ALICE)
        return world.ask("GET", self.path_of(by), by=by, query={**asked, **query})

    def path_of(self, by: dict[str, str]) -> str:
        return self.path.format(account=account_of(by))

    def read(self, world: Any, **query: Any) -> tuple[list[Any], str | None]:
        """What tells the items of a page apart, and where the list goes on."""
        answer = self.page(world, **query)
        assert answer.status == 200, answer.text
        found = [item[self.name] for item in answer.body[self.items]]
        cursor = answer.body["nextCursor" if self.camel else "next_cursor"]
        if not self.camel:
            assert answer.body["has_more"] is (cursor is not None)
        return found, cursor

    def walk(self, world: Any, *, limit: int, meanwhile: Any = None) -> list[Any]:
        """All pages, and what happens between them."""
        found: list[Any] = []
        more: dict[str, Any] = {}
        for _ in range(100):
            page, cursor = self.read(world, limit=limit, **more)
            assert len(page) <= limit
            found += page
            if cursor is None:
                return found
            more = {"cursor": cursor}
            if meanwhile is not None:
                meanwhile(world)
        raise AssertionError("the list never ends")


LISTS = {
    "entries": Listing("/v1/billing/entries", "data", "id", 20),
    "entries since noon": Listing(
        "/v1/billing/entries", "data", "id", 20, query="from=2026-11-21T12:00:00Z"
    ),
    "holds": Listing("/v1/billing/holds", "data", "id", 20),
    "open holds": Listing("/v1/billing/holds", "data", "id", 20, query="status=open"),
    "jobs": Listing("/v1/billing/jobs", "data", "hold_id", 20),
    "active jobs": Listing("/v1/billing/jobs", "data", "hold_id", 20, query="status=active"),
    "usage": Listing(
        "/api/v1/billing/usage", "usage", "transactionId", 100, camel=True, named="user"
    ),
    "usage in dollars": Listing(
        "/api/v1/billing/usage", "usage", "transactionId", 100, query="currency=usd", camel=True,
        named="user",
    ),
    "transactions": Listing(
        "/api/v1/billing/transactions", "transactions", "id", 100, camel=True, named="user"
    ),
    "transactions in dollars": Listing(
        "/api/v1/billing/transactions", "transactions", "id", 100, query="currency=usd", camel=True,
        named="user",
    ),
    "balance transactions": Listing(
        "/api/v1/billing/balance-transactions", "balanceTransactions", "id", 100, camel=True,
        named="customerId",
    ),
    "account transactions": Listing(
        "/billing-accounts/{account}/transactions", "data", "id", 50, camel=True, most=200
    ),
    "debits of an account": Listing(
        "/billing-accounts/{account}/transactions", "data", "id", 50, query="type=debit",
        camel=True, most=200,
    ),
    "credit grants": Listing(
        "/api/v1/billing/credit-grants", "grants", "id", 100, camel=True, named="userId"
    ),
    "attempts": Listing("/v1/billing/auto-recharge/attempts", "data", "attempt_id", 20),
    "skipped attempts": Listing(
        "/v1/billing/auto-recharge/attempts", "data", "attempt_id", 20, query="status=skipped"
    ),
    "API keys": Listing("/v1/me/api-keys", "data", "id", 20),
}  # fmt: skip
ALL = pytest.mark.parametrize("listing", LISTS.values(), ids=LISTS)


def job(world, number, by=ALICE):
    quote = world.quote(by=by)["quote_id"]
    body = {"quote_id": quote, "job_id": f"job-{number}"}
    world.post("/v1/billing/hardware/hold", by=by, body=body)


def give(world):
    body = {"userId": "acme/alice", "amountCents": 1, "eligibility": ["meter-1"]}
    world.post("/api/v1/billing/credit-grants", by=ADMIN, body=body)


def make_key(world):
    world.post("/v1/me/api-keys", body={"name": "ci", "scopes": ["wallet:read"]})


def recharged(world):
    attach(world)
    funding = {"amount": 5, "threshold": 1}
    assert world.ask("PUT", "/api/agents/v1/wallet/auto-funding", body=funding).status == 200


def rehearse(world):
    world.post("/v1/billing/auto-recharge/test", body={})


def busy(world):
    """Jobs, other holds, usage in three currencies, credit, keys, and tests of auto-recharge."""
    world.deposit(5000)
    recharged(world)
    for number in range(COUNT):
        world.wait(seconds=1)
        world.use(1, currency=["usd", "eur", "jpy"][number % 3])
        world.wait(seconds=1)
        world.hold(1)
        world.wait(seconds=1)
        job(world, number)
        give(world)
        make_key(world)
        rehearse(world)
    world.wait(seconds=1)


def one_more(world):
    world.wait(seconds=1)
    world.use(1)
    world.use(1, currency="kwd")
    world.hold(1)
    job(world, f"at-{world.now:%H%M%S}")
    give(world)
    make_key(world)
    rehearse(world)


@ALL
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_make_up_the_list(world, listing, limit):
    busy(world)
    whole, _ = listing.read(world, limit=100)

    assert len(whole) == len(set(whole)) >= 3
    assert listing.walk(world, limit=limit) == whole


@ALL
@pytest.mark.parametrize("limit", [1, 3])
def test_what_arrives_meanwhile_moves_no_page(world, listing, limit):
    busy(world)
    whole, _ = listing.read(world, limit=100)

    assert listing.walk(world, limit=limit, meanwhile=one_more) == whole


@ALL
def test_a_new_reader_begins_with_what_is_newest(world, listing):
    busy(world)
    before, _ = listing.read(world, limit=100)
    one_more(world)

    after, _ = listing.read(world, limit=100)

    assert set(before) < set(after)
    assert after[-len(before) :] == before


@ALL
def test_a_page_that_is_full_to_the_end_of_the_list_is_the_last(world, listing):
    busy(world)
    whole, _ = listing.read(world, limit=100)

    page, cursor = listing.read(world, limit=len(whole))

    assert page == whole
    # Entries that are no usage are looked at before the list is known to be over.
    assert cursor is None or listing.items == "usage"
    assert cursor is None or listing.read(world, cursor=cursor) == ([], None)


@ALL
def test_a_page_shows_so_many_unless_asked(world, listing):
    if "auto-recharge" in listing.path:
        recharged(world)
    for number in range(listing.shown + 1):
        world.wait(seconds=1)
        if "jobs" in listing.path:
            world.deposit(200)
            job(world, number)
        elif "holds" in listing.path:
            world.hold(1)
        elif "grants" in listing.path:
            give(world)
        elif "keys" in listing.path:
            make_key(world)
        elif "auto-recharge" in listing.path:
            rehearse(world)
        elif listing.named == "customerId":
            world.deposit(1)
        else:
            world.use(1)

    page, cursor = listing.read(world)

    assert len(page) == listing.shown
    assert cursor is not None


NO_LIMITS = [
    "0", "-1", "5.0", "١", "５", "", " 5", "5 ", "+5", "05", "1_0", "0x5", "1e1", "five",
    "true", "null", "9" * 30, "5\0",
]  # fmt: skip


@ALL
def test_a_limit_is_a_whole_number_from_one_to_what_the_list_allows(world, listing):
    least_and_most = (1, listing.most)
    assert [listing.page(world, limit=limit).status for limit in least_and_most] == [200, 200]
    mark = world.mark()
    wrong = [*NO_LIMITS, str(listing.most + 1)]

    refusals = {limit: listing.page(world, limit=limit).refusal[:3] for limit in wrong}

    assert refusals == dict.fromkeys(wrong, (422, "invalid_field", "limit"))
    assert world.written_since(mark) == []


@ALL
def test_a_cursor_is_good_for_the_list_that_gave_it_out(world, listing):
    busy(world)
    _, cursor = listing.read(world, limit=1)

    for other in LISTS.values():
        if other is not listing:
            refusal = other.page(world, cursor=cursor).refusal
            assert refusal == (422, "invalid_cursor", "cursor", {}), other


@ALL
def test_a_cursor_is_good_for_the_account_that_it_was_given_to(world, listing):
    busy(world)
    _, cursor = listing.read(world, limit=1)

    if listing.named:
        answers = [listing.page(world, cursor=cursor, **{listing.named: "acme/bob"})]
    else:
        answers = [listing.page(world, by=by, cursor=cursor) for by in (BOB, ADMIN, TEST_ALICE)]

    for answer in answers:
        assert answer.refusal[:3] == (422, "invalid_cursor", "cursor")


@pytest.mark.parametrize(
    ("path", "query", "other"),
    [
        ("/v1/billing/entries", {}, {"currency": "eur"}),
        ("/v1/billing/entries", {}, {"from": "2026-11-21T12:00:00Z"}),
        ("/v1/billing/entries", {}, {"to": "2026-11-22T12:00:00Z"}),
        ("/v1/billing/holds", {}, {"status": "open"}),
        ("/v1/billing/holds", {"status": "open"}, {"status": "released"}),
        ("/v1/billing/jobs", {"status": "active"}, {}),
        ("/v1/billing/auto-recharge/attempts", {}, {"status": "skipped"}),
    ],
)
def test_a_cursor_is_good_for_the_filter_that_it_was_given_for(world, path, query, other):
    busy(world)
    cursor = world.get(path, query={**query, "limit": 1})["next_cursor"]

    refusal = world.ask("GET", path, query={**other, "limit": 1, "cursor": cursor}).refusal

    assert refusal[:3] == (422, "invalid_cursor", "cursor")


NO_CURSORS = [
    "", "x", "null", "e30", "W10", "WzEsMl0", "WyIiLCIiXQ", "%00", "ключ", "a" * 1025, "====",
    "WyIwIiwiMCJd", "../..", "9" * 40,
]  # fmt: skip


@ALL
def test_what_was_never_given_out_is_no_cursor(world, listing):
    listing.page(world)

    refusals = {cursor: listing.page(world, cursor=cursor).refusal[:3] for cursor in NO_CURSORS}

    assert refusals == dict.fromkeys(NO_CURSORS, (422, "invalid_cursor", "cursor"))


def forged(cursor, position):
    """A cursor of the same list, with another place in it."""
    mark, _ = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    written = json.dumps([mark, position], separators=(",", ":"))
    return urlsafe_b64encode(written.encode()).decode().rstrip("=")


MINE, BOBS = account_of(ALICE), account_of(BOB)
NO_PLACES = [
    "", "a#b", "#", "~", " ", "0", "-1", "usd=", "usd=-1", "usd=0", "usd=1e3", "usd=1,usd=2",
    "usd=99999999999999999999", "usd=9999999999999999", "xxx=5", "=", ",", "usd=٣", "usd=5#",
    "hold_", "hold_00000000000000000000000000_zzz", "2026-11-21T12:00:00.000Z#x", "\0", 5, None,
    ["usd=1"], {"usd": 1}, "x" * 600, f"{MINE}:", f"{MINE}:usd", f"{MINE}:usd=0", f"{MINE}:usd=-1",
    f"{MINE}:usd=9999999999999999", f"{MINE}:usd=1,usd=2", f"{MINE}:xxx=5", f"{MINE}:usd=5;",
    f"{BOBS}:usd=5", f"{MINE}:usd=1;{BOBS}:usd=5", ":", ";", ":usd=5",
]  # fmt: skip


@ALL
def test_a_forged_cursor_shows_nothing_of_others_and_breaks_nothing(world, listing):
    busy(world)
    world.deposit(1, user="acme/bob")
    world.hold(1, by=BOB)
    whole, _ = listing.read(world, limit=100)
    _, cursor = listing.read(world, limit=1)
    mark = world.mark()

    for position in NO_PLACES:
        answer = listing.page(world, cursor=forged(cursor, position), limit=100)

        if answer.status == 200:
            shown = {item[listing.name] for item in answer.body[listing.items]}
            assert shown <= set(whole), position
        else:
            assert answer.refusal[:3] == (422, "invalid_cursor", "cursor"), position
    assert world.written_since(mark) == []


@ALL
def test_a_cursor_given_twice_is_refused(world, listing):
    busy(world)
    _, cursor = listing.read(world, limit=1)
    named = f"{listing.named}=alice&" if listing.named else ""

    by = ADMIN if listing.named else ALICE
    refusal = world.refused(
        "GET", listing.path_of(by), by=by, query=f"{named}cursor={cursor}&cursor={cursor}"
    )

    assert refusal[:3] == (422, "invalid_field", "cursor")


@pytest.mark.parametrize("offset", [0, 1, 4, 100])
def test_an_offset_and_a_cursor_go_together(world, offset):
    busy(world)
    transactions = LISTS["transactions in dollars"]
    whole, _ = transactions.read(world, limit=100)
    _, cursor = transactions.read(world, limit=2)

    page, _ = transactions.read(world, limit=3, offset=offset, cursor=cursor)

    assert page == whole[2 + offset : 5 + offset]


@pytest.mark.parametrize("offset", ["-1", "10001", "1.0", "", "x", "１"])
def test_an_offset_is_a_whole_number(world, offset):
    world.wallet()

    refusal = world.refused(
        "GET", "/api/v1/billing/transactions", query={"user": "alice", "offset": offset}
    )

    assert refusal[:3] == (422, "invalid_field", "offset")
