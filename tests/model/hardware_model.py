"""The model's hardware jobs: a quote, a hold for it, and what the job really cost."""

from tests.model.ledger_model import Answered, Ask, Line, Model, Refused, total

MINUTE = 60_000
CENT = 10_000
# Micros for a task, and for each of its shots.
PRICES = {
    "ionq-forte": (300_000, 80_000),
    "ionq-aria": (300_000, 30_000),
    "iqm-garnet": (300_000, 1_450),
    "quera-aquila": (300_000, 10_000),
    "rigetti-ankaa": (300_000, 900),
}


class HardwareModel(Model):
    """The model with quotes and jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.quotes: dict[str, Line] = {}
        self.jobs: dict[tuple[str, ...], str] = {}

    def quote(
        self, ask: Ask, quote_id: str, *, device: str, shots: int, tasks: int, job: str
    ) -> Line:
        """A price for a quarter of an hour, rounded up to a cent."""
        if device not in PRICES:
            raise Refused("device_not_found")
        per_task, per_shot = PRICES[device]
        cents = -(-(per_task * tasks + per_shot * tasks * shots) // CENT)
        self._bound(cents * CENT)
        quote = {"owner": ask.place[:2], "total": cents * CENT, "asked": job, "job": None}
        quote |= {"until": ask.now + 15 * MINUTE, "entry": None}
        self.quotes[quote_id] = quote
        return quote

    def hold_quoted(self, ask: Ask, hold_id: str, quote_id: str, job: str, new_job: str) -> Line:
        """The quoted amount set aside for a day, for one job."""
        quote = self.quotes.get(quote_id)
        if quote is None or quote["owner"] != ask.place[:2]:
            raise Refused("quote_not_found")
        job = job or quote["asked"] or quote["job"] or new_job
        if quote["entry"]:
            if quote["job"] != job:
                raise Refused("quote_already_used")
            raise Answered(quote["entry"])
        prior = self.holds.get(self.jobs.get((*ask.place[:2], job), ""))
        if prior and prior["status"] == "open" and prior["until"] > ask.now:
            raise Refused("job_already_held")
        if quote["until"] <= ask.now:
            raise Refused("quote_expired")
        until = ask.now + 24 * 60 * MINUTE
        line = self.hold(ask, hold_id, quote["total"], until, reference=job, job=job)
        quote |= {"job": job, "entry": ask.entry}
        self.jobs[*ask.place[:2], job] = hold_id
        return line

    def release_job(self, ask: Ask, job: str, amount: int) -> Line:
        """What the job really cost is charged, the rest given back. Again: the same."""
        hold = self.holds.get(self.jobs.get((*ask.place[:2], job), ""))
        if hold is None:
            raise Refused("job_not_found")
        if hold["status"] == "expired":
            raise Answered(hold["closed_by"])
        if hold["status"] != "open":
            if hold["last"] != amount:
                raise Refused("release_differs")
            raise Answered(hold["closed_by"])
        if hold["until"] <= ask.now or amount == 0:
            return self.release(ask, hold["id"])
        if amount > total(hold["draws"]):
            raise Refused("hold_exceeded")
        return self.capture(ask, hold["id"], amount, final=True)
