"""The audit of what money was set aside for, given, and given back."""

from collections import defaultdict

from holdfast.audit.books import Found, Owned, held_delta
from holdfast.domain import entries as words
from holdfast.domain import holds
from holdfast.domain.credits import STARTER_CREDIT_MICROS, STARTER_LIFE, CreditGrant, origin_of
from holdfast.domain.entries import Entry
from holdfast.domain.holds import Hold, Job
from holdfast.domain.lots import CASH, STARTER_TAG, Draw, Terms
from holdfast.domain.wallet import CHARGES
from holdfast.errors import GrantNotFound


def holds_stand(owned: Owned) -> Found:
    """Each hold is as its last entry left it, and its money is all there or accounted for."""
    by_hold: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(owned.entries.values(), key=lambda entry: entry.seq):
        if entry.hold_id is not None:
            by_hold[entry.hold_id].append(entry)
    for hold_id in by_hold.keys() - owned.holds.keys():
        yield hold_id, "entries of a hold that is not there"
    for hold_id, hold in owned.holds.items():
        mine = by_hold[hold_id]
        if not mine or mine[0].type != words.HOLD:
            yield hold_id, "was never placed"
            continue
        if mine[-1].hold != hold or hold.version != len(mine):
            yield hold_id, "is not as its last entry left it"
        if any(entry.hold is None or entry.hold.status != holds.OPEN for entry in mine[:-1]):
            yield hold_id, "was closed more than once"
        if any(entry.hold is None or entry.hold.scopes != hold.scopes for entry in mine):
            yield hold_id, "has changed its scopes"
        if hold.closed_by != (None if hold.status == holds.OPEN else mine[-1].id):
            yield hold_id, f"{hold.status}, closed by {hold.closed_by}"
        placed_micros = sum(
            entry.amount_micros for entry in mine if entry.type in (words.HOLD, words.EXTENSION)
        )
        charged_micros = -sum(entry.balance_delta_micros for entry in mine)
        if (hold.amount_micros, hold.captured_micros) != (placed_micros, charged_micros):
            yield hold_id, f"its entries hold {placed_micros} and capture {charged_micros}"
        yield from _hold_adds_up(hold, pinned_micros=sum(map(held_delta, mine)))


def _hold_adds_up(hold: Hold, *, pinned_micros: int) -> Found:
    if hold.remaining_micros != pinned_micros:
        yield hold.id, f"has {hold.remaining_micros} left, its entries leave {pinned_micros}"
    if any(draw.amount_micros <= 0 for draw in hold.draws):
        yield hold.id, "has pinned nothing of a lot, or less"
    if len({scope.place for scope in hold.scopes}) != len(hold.scopes):
        yield hold.id, "names one scope twice"
    if hold.status == holds.OPEN:
        # Money that was added after an overdraft is left beside what was captured above the hold.
        gone_micros = hold.captured_micros + hold.remaining_micros
        whole = hold.captured_last_micros == hold.released_micros == 0
    else:
        gone_micros = hold.captured_micros + hold.released_micros
        whole = not hold.draws and hold.captured_last_micros <= hold.captured_micros
    above = hold.over_capture == holds.OVERDRAFT and gone_micros > hold.amount_micros
    if not whole or min(hold.captured_micros, hold.released_micros) < 0:
        yield hold.id, f"is {hold.status}, and its amounts say otherwise"
    if gone_micros != hold.amount_micros and not above:
        yield hold.id, f"{gone_micros} of {hold.amount_micros} are accounted for"


def refunds_add_up(owned: Owned) -> Found:
    """What was given back of a charge is what its refunds say, and not more than it took."""
    given: defaultdict[str, list[int]] = defaultdict(list)
    for entry in owned.entries.values():
        if entry.type == words.REFUND:
            given[str(entry.reference)].append(entry.amount_micros)
    for entry_id in given.keys() | owned.refunded.keys():
        amounts = given[entry_id]
        record = owned.refunded.get(entry_id)
        stored = (record.refunded_micros, record.version) if record else (0, 0)
        if stored != (sum(amounts), len(amounts)):
            yield entry_id, f"{sum(amounts)} were refunded in {len(amounts)}, noted is {stored}"
        charge = owned.entries.get(entry_id)
        if charge is None or charge.type not in CHARGES:
            yield entry_id, "refunds of what is no charge of this account"
        elif sum(amounts) > charge.postings.get(words.REVENUE, 0):
            yield entry_id, "more was refunded than was charged"


def grants_stand(owned: Owned) -> Found:
    """Each grant was given once, as it says, and was voided once if it says so."""
    told = (words.CREDIT_GRANT, words.CREDIT_SCHEDULED, words.CREDIT_VOID)
    by_grant: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(owned.entries.values(), key=lambda entry: entry.seq):
        if entry.type in told and entry.source != "system":
            by_grant[str(entry.reference)].append(entry)
    for grant_id in by_grant.keys() - owned.grants.keys():
        yield grant_id, "entries of a grant that is not there"
    for grant_id, grant in owned.grants.items():
        if not by_grant[grant_id] or by_grant[grant_id][0].type == words.CREDIT_VOID:
            yield grant_id, "was never given"
            continue
        given, *ended = by_grant[grant_id]
        as_granted = (Draw(grant.id, grant.amount_micros, grant.terms),)
        if given.draws != as_granted or given.created_at != grant.created_at:
            yield grant_id, "was given as something else than it says"
        if _origin(grant) != (given.id, given.currency):
            yield grant_id, "does not name the entry that gave it"
        voided = [entry.created_at for entry in ended if entry.type == words.CREDIT_VOID]
        if len(ended) != len(voided) or grant.version != 1 + len(voided):
            yield grant_id, f"was given or voided {len(ended)} times more, version {grant.version}"
        if voided != [grant.voided_at] * (grant.voided_at is not None):
            yield grant_id, f"was voided at {voided}, and says {grant.voided_at}"


def _origin(grant: CreditGrant) -> tuple[str, str]:
    try:
        return origin_of(grant.id)
    except GrantNotFound:
        return "", ""


def started_once(owned: Owned) -> Found:
    """The starter credit was given once at most, as cash for a month, and is noted."""
    given = [entry for entry in owned.entries.values() if entry.type == words.STARTER_CREDIT]
    noted = [owned.starter.entry_id] if owned.starter else []
    if [entry.id for entry in given] != noted or (owned.starter and owned.starter.version != 1):
        yield "starter", f"noted is {noted}, given was {[entry.id for entry in given]}"
    for entry in given:
        terms = Terms(
            kind=CASH,
            granted_at=entry.created_at,
            expires_at=entry.created_at + STARTER_LIFE,
            tag=STARTER_TAG,
        )
        # What paid a debt is plain cash.
        odd = [draw for draw in entry.draws if draw.terms not in (None, terms)]
        if odd or entry.amount_micros != STARTER_CREDIT_MICROS:
            yield "starter", f"{entry.amount_micros} were given as {odd}"


def quotes_hold_once(owned: Owned) -> Found:
    """A quote is held once, for the amount that was quoted, and names the job and the entry."""
    by_quote: defaultdict[str, list[Hold]] = defaultdict(list)
    for hold in owned.holds.values():
        if hold.job is not None:
            by_quote[hold.job.quote_id].append(hold)
    for quote_id in by_quote.keys() - owned.quotes.keys():
        yield quote_id, "was held for and is not there"
    for quote_id, quote in owned.quotes.items():
        match by_quote[quote_id]:
            case []:
                if quote.used_by is not None or quote.entry_id is not None:
                    yield quote_id, "is used, and no hold was placed for it"
            case [Hold(job=Job(job_id=job_id)) as hold]:
                entry = owned.entries.get(quote.entry_id or "")
                if entry is None or (entry.type, entry.hold_id) != (words.HOLD, hold.id):
                    yield quote_id, "does not name the entry that placed its hold"
                elif entry.amount_micros != quote.total_micros:
                    yield quote_id, "was held for another amount than was quoted"
                if quote.used_by != job_id:
                    yield quote_id, f"names job {quote.used_by}, its hold {job_id}"
            case several:
                yield quote_id, f"was held {len(several)} times"


def jobs_hold_once(owned: Owned) -> Found:
    """A job points at the hold that was placed for it last, and has one open hold at most."""
    by_job: defaultdict[str, list[Hold]] = defaultdict(list)
    for hold in owned.holds.values():
        if hold.job is not None:
            by_job[hold.job.job_id].append(hold)
    for job_id in by_job.keys() | owned.jobs.keys():
        job, placed = owned.jobs.get(job_id), by_job[job_id]
        if sum(hold.status == holds.OPEN for hold in placed) > 1:
            yield job_id, "has more than one open hold"
        if job is None or job.hold_id not in {hold.id for hold in placed}:
            yield job_id, "does not point at a hold of its own"
        elif job.version != len(placed):
            yield job_id, f"was noted {job.version} times and held {len(placed)} times"


CHECKS = (
    holds_stand,
    refunds_add_up,
    grants_stand,
    started_once,
    quotes_hold_once,
    jobs_hold_once,
)
