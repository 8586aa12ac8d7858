import pytest

from holdfast.domain.accounts import owner_of
from holdfast.domain.quotes import job_status
from holdfast.errors import (
    AmountTooLarge,
    DeviceNotFound,
    HoldExceeded,
    InsufficientFunds,
    JobHeld,
    JobNotFound,
    QuoteExpired,
    QuoteNotFound,
    QuoteUsed,
    ReleaseDiffers,
)
from holdfast.services import quotes
from tests.services.caller import (
    CENT,
    HOUR,
    INTRODUCTORY,
    MILLISECOND,
    TEST,
    Ask,
    Caller,
    bob,
    later,
)

# 1,000 shots on the Garnet: 0.30 and 1.45 dollars.
PRICE = 175
QUARTER = HOUR / 4


def held(job_id: str = "job-1") -> Caller:
    """Alice with a hold for a job."""
    alice = Caller()
    alice.hold_quoted(alice.quote().id, job_id=job_id)
    return alice


@pytest.mark.parametrize(
    ("device", "shots", "cents"),
    [
        ("ionq-forte", 100, 830),
        ("ionq-aria", 100, 330),
        ("iqm-garnet", 1000, 175),
        ("iqm-garnet", 1, 31),
        ("quera-aquila", 100, 130),
        ("rigetti-ankaa", 1, 31),
        ("rigetti-ankaa", 1000, 120),
    ],
)
def test_a_job_is_priced_by_its_device(device, shots, cents):
    quoted = Caller().quote(shots, device=device)

    assert quoted.total_micros == cents * CENT
    assert quoted.device == device


@pytest.mark.parametrize(
    "name",
    [
        "iqm-garnet",
        "IQM-Garnet",
        "Garnet",
        "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet",
    ],
)
def test_a_device_goes_by_its_id_its_name_and_its_arn(name):
    assert quotes.device_price("Braket", name).device == "iqm-garnet"


@pytest.mark.parametrize(
    ("provider", "device"),
    [("braket", "garnet 2"), ("ibm", "iqm-garnet"), ("", ""), ("braket", "iqm-garnet ")],
)
def test_a_device_without_a_price_is_unknown(provider, device):
    with pytest.raises(DeviceNotFound):
        quotes.device_price(provider, device)


def test_a_quote_moves_no_money_and_does_not_fail_for_lack_of_it():
    alice = Caller()

    quoted = alice.quote(100_000)

    assert quoted.shortfall_micros == quoted.total_micros - INTRODUCTORY * CENT
    assert alice.entries() == ["introductory_credit"]


@pytest.mark.parametrize(
    ("ask", "refusal"),
    [
        (lambda alice: alice.quote(device="abacus"), DeviceNotFound),
        (lambda alice: alice.quote(10**15), AmountTooLarge),
    ],
    ids=["unknown device", "too dear"],
)
def test_a_quote_that_is_refused_is_not_kept(ask, refusal):
    alice = Caller()
    alice.wallet()
    before = alice.stored()

    with pytest.raises(refusal):
        ask(alice)

    assert alice.stored() == before


def test_a_quoted_amount_is_held_for_the_job():
    alice = held()

    assert alice.balance() == (INTRODUCTORY - PRICE, PRICE)


@pytest.mark.parametrize("job_id", ["job-1", None])
def test_the_same_quote_again_gives_the_first_answer(job_id):
    alice = Caller()
    quote_id = alice.quote().id
    first = alice.hold_quoted(quote_id, job_id=job_id)
    before = alice.stored()

    again = alice.hold_quoted(quote_id, job_id=job_id)
    much_later = later(alice, HOUR).hold_quoted(quote_id, job_id=job_id)

    assert again.entry == much_later.entry == first.entry
    assert alice.stored() == before


def test_a_job_gets_a_name_if_it_has_none():
    alice = Caller()
    named = alice.quote(job_id="job-7")

    by_quote = alice.hold_quoted(named.id).entry.hold
    by_request = alice.hold_quoted(alice.quote().id).entry.hold

    assert by_quote is not None
    assert by_request is not None
    assert by_quote.job is not None
    assert by_request.job is not None
    assert by_quote.job.job_id == "job-7"
    assert by_request.job.job_id.startswith("job_")


def test_one_quote_places_one_hold_whatever_the_job_did_since():
    alice = Caller()
    first, second = alice.quote().id, alice.quote().id
    placed = alice.hold_quoted(first, job_id="job-1")
    alice.release_job("job-1")
    alice.hold_quoted(second, job_id="job-1")
    alice.release_job("job-1")
    before = alice.stored()

    again = alice.hold_quoted(first, job_id="job-1")

    assert again.entry == placed.entry
    assert alice.stored() == before


@pytest.mark.parametrize(
    ("ask", "refusal"),
    [
        (lambda alice: alice.hold_quoted("quote_never"), QuoteNotFound),
        (lambda alice: bob(alice).hold_quoted(quote_of(alice)), QuoteNotFound),
        (lambda alice: in_test_mode(alice).hold_quoted(quote_of(alice)), QuoteNotFound),
        (lambda alice: alice.hold_quoted(used_quote_of(alice), job_id="job-2"), QuoteUsed),
        (lambda alice: alice.hold_quoted(quote_of(alice), job_id="job-1"), JobHeld),
        (lambda alice: later(alice, QUARTER).hold_quoted(quote_of(alice)), QuoteExpired),
        (lambda alice: alice.hold_quoted(dear_quote_of(alice)), InsufficientFunds),
    ],
    ids=["unknown", "another's", "another mode's", "used", "job held", "expired", "no money"],
)
def test_what_cannot_be_held(ask, refusal):
    alice = Caller()
    alice.quote(key="used")
    alice.hold_quoted(used_quote_of(alice), job_id="job-1")
    alice.quote(key="quote")
    alice.quote(100_000, key="dear")
    for each in (bob(alice), in_test_mode(alice)):
        each.wallet()
    before = alice.stored()

    with pytest.raises(refusal):
        ask(alice)

    assert alice.stored() == before


def quote_of(alice: Caller) -> str:
    return f"quote_{alice.once('quote').digest}"


def used_quote_of(alice: Caller) -> str:
    return f"quote_{alice.once('used').digest}"


def dear_quote_of(alice: Caller) -> str:
    return f"quote_{alice.once('dear').digest}"


def in_test_mode(alice: Caller) -> Caller:
    return alice.elsewhere(owner=owner_of(TEST, "acme/alice"))


def test_a_quote_holds_until_a_quarter_of_an_hour_has_passed():
    alice = Caller()
    quote_id = alice.quote().id

    later(alice, QUARTER - MILLISECOND).hold_quoted(quote_id)

    assert alice.balance() == (INTRODUCTORY - PRICE, PRICE)


@pytest.mark.parametrize(
    ("cents", "entry_type", "status"),
    [
        (0, "release", "released"),
        (1, "capture", "partially_captured"),
        (PRICE - 1, "capture", "partially_captured"),
        (PRICE, "capture", "captured"),
    ],
)
def test_a_job_is_charged_what_it_cost(cents, entry_type, status):
    alice = held()

    committed = alice.release_job("job-1", cents, reason="completed")

    assert committed.entry.type == entry_type
    assert alice.balance() == (INTRODUCTORY - cents, 0)
    assert jobs(alice) == [("job-1", status)]


def jobs(alice: Caller, *, status: str | None = None) -> list[tuple[str, str]]:
    """Jobs and what became of them, newest first, page by page."""
    found: list[tuple[str, str]] = []
    place: str | None = None
    while True:
        one = quotes.jobs(
            alice.store, alice.owner, status=status, before=place, limit=2, now=alice.now
        )
        for hold in one.holds:
            assert hold.job is not None
            found.append((hold.job.job_id, job_status(hold)))
        place = one.next_id
        if place is None:
            return found


RELEASES: dict[str, Ask] = {
    "more than was held": lambda alice: alice.release_job("job-1", PRICE + 1),
    "an unknown job": lambda alice: alice.release_job("job-2"),
    "another's job": lambda alice: bob(alice).release_job("job-1"),
    "another mode's job": lambda alice: in_test_mode(alice).release_job("job-1"),
}


@pytest.mark.parametrize("name", RELEASES)
def test_a_job_that_cannot_be_released(name):
    refusal = HoldExceeded if name == "more than was held" else JobNotFound
    alice = held()
    for each in (bob(alice), in_test_mode(alice)):
        each.wallet()
    before = alice.stored()

    with pytest.raises(refusal):
        RELEASES[name](alice)

    assert alice.stored() == before


@pytest.mark.parametrize("parts", [[], [5], [5, 7]], ids=["whole", "after a part", "after two"])
@pytest.mark.parametrize("cents", [0, 1, 100])
def test_the_same_release_again_gives_the_first_answer(cents, parts):
    alice = held()
    hold_id = jobs_hold(alice)
    for part in parts:
        alice.capture(hold_id, part, final=False)
    first = alice.release_job("job-1", cents)
    before = alice.stored()

    again = alice.release_job("job-1", cents)

    assert again.entry == first.entry
    assert alice.stored() == before
    with pytest.raises(ReleaseDiffers):
        alice.release_job("job-1", cents + 1)
    assert alice.stored() == before


def jobs_hold(alice: Caller) -> str:
    one = quotes.jobs(alice.store, alice.owner, status=None, before=None, limit=1, now=alice.now)
    return one.holds[0].id


@pytest.mark.parametrize("cents", [0, 1, PRICE + 1])
def test_the_release_of_an_expired_job_says_so_and_charges_nothing(cents):
    alice = held()
    tomorrow = later(alice, 24 * HOUR)

    first = tomorrow.release_job("job-1", cents)
    again = tomorrow.release_job("job-1", cents)

    assert first.entry == again.entry
    assert first.entry.type == "hold_expiry"
    assert tomorrow.balance() == (INTRODUCTORY, 0)
    assert jobs(tomorrow) == [("job-1", "expired")]


def test_a_job_can_be_held_again_when_its_hold_is_over():
    alice = held()
    alice.release_job("job-1", 100)

    alice.hold_quoted(alice.quote().id, job_id="job-1")
    alice.release_job("job-1", 50)

    assert alice.balance() == (INTRODUCTORY - 150, 0)
    assert len(jobs(alice)) == 2


def test_jobs_are_listed_newest_first_and_by_what_became_of_them():
    alice = Caller()
    alice.deposit(5_000)
    for number in range(6):
        alice = later(alice, MILLISECOND)
        alice.hold_quoted(alice.quote().id, job_id=f"job-{number}")
    alice.release_job("job-1")
    alice.release_job("job-2", PRICE)
    alice.release_job("job-3", 1)
    alice.hold(5)

    assert jobs(alice) == [
        ("job-5", "active"),
        ("job-4", "active"),
        ("job-3", "partially_captured"),
        ("job-2", "captured"),
        ("job-1", "released"),
        ("job-0", "active"),
    ]
    assert jobs(alice, status="active") == [
        ("job-5", "active"),
        ("job-4", "active"),
        ("job-0", "active"),
    ]
    assert jobs(alice, status="captured") == [("job-2", "captured")]
    assert jobs(later(alice, 24 * HOUR), status="expired") == [
        ("job-5", "expired"),
        ("job-4", "expired"),
        ("job-0", "expired"),
    ]
    assert jobs(bob(alice)) == []
