"""`docs/how-to/stripe-webhooks.md` says what the code does."""

import re
from pathlib import Path

from holdfast.domain import stripe_events as words
from holdfast.gateways.endpoint_secrets import PREVIOUS
from holdfast.services import stripe_events
from stripe_webhook import notices

PAGE = (Path(__file__).resolve().parents[2] / "docs/how-to/stripe-webhooks.md").read_text()


def test_the_page_lists_every_type_of_event_that_is_looked_into():
    (listed,) = re.findall(r"<!-- events -->(.+?)<!-- end -->", PAGE, re.DOTALL)

    assert re.findall(r"`([^`]+)`", listed) == sorted(stripe_events.TYPES)


def test_the_page_explains_every_outcome():
    explained = re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE)

    assert explained == [words.APPLIED, words.ACKNOWLEDGED, words.FOREIGN, words.PARKED]


def test_the_page_names_what_is_counted_and_what_is_to_be_put_where():
    for name in (notices.IGNORED_METRIC, notices.PARKED_METRIC, f"…{PREVIOUS}"):
        assert f"`{name}`" in PAGE
