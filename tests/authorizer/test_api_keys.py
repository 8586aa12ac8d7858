"""Which API keys let whom in, and that nothing is paid for one before it is seen."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from authorizer.api_keys import Records, context_of_key, records_of
from authorizer.decision import authorizer, issuer_of, key_context_of
from authorizer.denied import Denied
from holdfast.domain import api_keys as rules
from holdfast.domain.accounts import Tenant
from holdfast.domain.api_keys import ApiKey, SpendCap
from holdfast.errors import Unauthenticated, Unavailable
from holdfast.http.credential import KeyUse, principal_of
from tests.architecture.source import FUNCTIONS, LAYER
from tests.authorizer.tokens import AUDIENCE, ISSUER, jwks, token
from tests.domain.samples import HOUR, MILLISECOND, NOW, TENANT, once

SECRET = bytes(range(32))
CAP = SpendCap(amount_micros=5_000_000, currency="usd", window="day")
ENVIRONMENT = {"OIDC_ISSUER": ISSUER, "OIDC_AUDIENCE": AUDIENCE, "OIDC_JWKS": jwks()}
NAMED = {"TABLE_NAME": "holdfast", "API_KEY_SECRET_PARAMETER": "/holdfast/secret"}


def issue(
    name="first", *, tenant=TENANT, scopes=("wallet:read",), cap=None, expires_at=None
) -> tuple[str, ApiKey]:
    return rules.issue(
        replace(once(name), tenant=tenant),
        house_secret=SECRET,
        user="acme/alice",
        name=name,
        scopes=scopes,
        cap=cap,
        expires_at=expires_at,
    )


TOKEN, KEY = issue()
OTHER_TOKEN, OTHER_KEY = issue("second")
TEST_TOKEN, TEST_KEY = issue(tenant=Tenant("acme", "test"))
EXPIRING_TOKEN, EXPIRING_KEY = issue("expiring", expires_at=NOW + HOUR)
REVOKED_TOKEN, REVOKED_KEY = issue("revoked", expires_at=NOW + HOUR)
ADMIN_TOKEN, ADMIN_KEY = issue("admin", scopes=("admin", "holds:write"))
CAPPED_TOKEN, CAPPED_KEY = issue("capped", cap=CAP, expires_at=NOW + HOUR)
FOREIGN_TOKEN, FOREIGN_KEY = issue(tenant=Tenant("globex", "live"))
UNKEPT_TOKEN, UNKEPT_KEY = issue("never kept")

KEPT = [
    KEY,
    OTHER_KEY,
    TEST_KEY,
    EXPIRING_KEY,
    rules.revoked(REVOKED_KEY, NOW),
    ADMIN_KEY,
    CAPPED_KEY,
]


@dataclass
class House:
    """Records in memory, that write down which of them was asked for."""

    kept: list[ApiKey] = field(default_factory=lambda: list(KEPT))
    secret: bytes | None = SECRET
    failure: Exception | None = None
    opened: int = 0
    asked: list[str] = field(default_factory=list)

    def find(self, key_id):
        self.asked.append(key_id)
        if self.failure is not None:
            raise self.failure
        return next((key for key in self.kept if key.id == key_id), None)

    def open(self):
        self.opened += 1
        return Records(find=self.find, house_secret=lambda: self.secret)

    def handler(self, now=NOW):
        return authorizer(
            issuer_of(ENVIRONMENT), lambda credential: context_of_key(credential, self.open, now)
        )


def context_for(credential, house=None, *, now=NOW, **event):
    headers = {} if credential is None else {"authorization": credential}
    handle = (house or House()).handler(now)
    answer = handle({"version": "2.0", "headers": headers, **event}, None)
    assert set(answer) == {"isAuthorized", "context"}
    assert answer["isAuthorized"] is True
    assert all(isinstance(value, str) for value in answer["context"].values())
    return answer["context"]


def denied_for(token, house=None, **how):
    context = context_for(f"Bearer {token}", house, **how)
    assert set(context) == {"denied"}
    return context["denied"]


# --- Good keys -----------------------------------------------------------------------------------


def test_a_good_key_makes_a_principal():
    context = context_for(f"Bearer {CAPPED_TOKEN}")

    assert json.loads(context.pop("key")) == {
        "id": CAPPED_KEY.id,
        "scopes": ["wallet:read"],
        "cap": {"amount_micros": 5_000_000, "currency": "usd", "window": "day"},
        "expires_at": "2026-11-21T04:30:00.000Z",
    }
    assert context == {
        "org": "acme",
        "mode": "live",
        "subject": f"key:{CAPPED_KEY.id}",
        "user": "acme/alice",
        "roles": "[]",
        "tier": "",
    }


def test_a_key_need_not_have_a_cap_or_an_expiry():
    use = json.loads(context_for(f"Bearer {TOKEN}")["key"])

    assert (use["cap"], use["expires_at"]) == (None, None)


@pytest.mark.parametrize(
    ("token", "key"), [(TOKEN, KEY), (TEST_TOKEN, TEST_KEY), (CAPPED_TOKEN, CAPPED_KEY)]
)
def test_what_the_authorizer_says_of_a_key_the_api_understands(token, key):
    caller = principal_of(context_for(f"Bearer {token}"), clock=lambda: NOW)

    assert (caller.tenant, caller.user, caller.caller) == (
        key.tenant,
        "acme/alice",
        f"key:{key.id}",
    )
    assert caller.key == KeyUse(
        id=key.id, scopes=key.scopes, cap=key.cap, expires_at=key.expires_at
    )
    assert (caller.is_admin, caller.is_platform) == (False, False)


def test_only_a_key_with_the_scope_has_the_power_of_an_admin():
    caller = principal_of(context_for(f"Bearer {ADMIN_TOKEN}"))
    others = [principal_of(context_for(f"Bearer {each}")) for each in (TOKEN, TEST_TOKEN)]

    assert (caller.roles, caller.is_admin, caller.is_platform) == (("admin",), True, False)
    assert [other.roles for other in others] == [(), ()]


@pytest.mark.parametrize("credential", ["bearer {}", "BEARER {}", "  Bearer   {}  "])
def test_the_scheme_is_read_in_any_case(credential):
    assert context_for(credential.format(TOKEN))["subject"] == f"key:{KEY.id}"


# --- Keys that are none --------------------------------------------------------------------------

OTHER_LAST = "a" if TOKEN[-1] == "q" else "q"

# Of these the house knows nothing, so nothing is asked of it but, at most, one record.
UNKNOWN = {
    "another last character": TOKEN[:-1] + OTHER_LAST,
    "the other mode's prefix": TOKEN.replace("live", "test"),
    "the live prefix": TEST_TOKEN.replace("test", "live"),
    "never kept": UNKEPT_TOKEN,
    "made up": "hf_live_" + "a" * 52,
    "another org's": FOREIGN_TOKEN,
    "its id": f"hf_live_{KEY.id.removeprefix('key_') * 2}"[:59] + "a",
}
SHAPELESS = {
    "no secret": "hf_live_",
    "truncated": TOKEN[:-1],
    "a character more": TOKEN + "a",
    "upper-case secret": TOKEN[:8] + TOKEN[8:].upper(),
    "no mode": "hf_" + TOKEN[8:],
    "an unknown mode": TOKEN.replace("live", "prod"),
    "a space inside": TOKEN[:20] + " " + TOKEN[20:],
    "two keys": f"{TOKEN} {OTHER_TOKEN}",
    "a list of keys": f"{TOKEN},{OTHER_TOKEN}",
    "a NUL": TOKEN + "\0",
    "not ASCII": TOKEN[:-1] + "é",
    "a surrogate": TOKEN[:-1] + "\ud800",
    "ten kilobytes": "hf_live_" + "a" * 10_240,
    "a megabyte": "hf_live_" + "a" * 2**20,
    "a token behind it": f"hf_{token()}",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_key_that_nobody_made_is_a_strangers(name):
    house = House()

    assert denied_for(UNKNOWN[name], house) == "unknown_credential"
    assert len(house.asked) == 1
    assert KEY.id not in house.asked


@pytest.mark.parametrize("name", SHAPELESS)
def test_what_has_not_the_form_of_a_key_is_not_even_looked_up(name):
    house = House()

    assert denied_for(SHAPELESS[name], house) == "unknown_credential"
    assert (house.opened, house.asked) == (0, [])


def test_an_upper_case_key_is_not_even_a_key():
    house = House()

    assert denied_for(TOKEN.upper(), house) == "malformed_token"
    assert house.opened == 0


@pytest.mark.parametrize(
    "credential", [TOKEN, f"Basic {TOKEN}", f"ApiKey {TOKEN}", f"Bearer{TOKEN}", "Bearer"]
)
def test_a_key_without_its_scheme_is_no_credential(credential):
    house = House()

    assert context_for(credential, house) == {"denied": "unknown_credential"}
    assert house.opened == 0


@pytest.mark.parametrize(
    "event",
    [
        {"queryStringParameters": {"api_key": TOKEN, "access_token": TOKEN}},
        {"rawQueryString": f"authorization=Bearer+{TOKEN}"},
        {"rawPath": f"/v1/{TOKEN}"},
        {"cookies": [f"authorization=Bearer {TOKEN}"]},
        {"identitySource": [f"Bearer {TOKEN}"]},
        {"headers": {"x-api-key": TOKEN}},
        {"body": TOKEN},
    ],
    ids=lambda event: next(iter(event)),
)
def test_a_key_anywhere_else_is_never_read(event):
    house = House()

    assert context_for(None, house, **event) == {"denied": "missing_credential"}
    assert house.opened == 0


@pytest.mark.parametrize(
    "stands_there",
    [
        pytest.param(OTHER_KEY, id="another key's"),
        pytest.param(FOREIGN_KEY, id="another tenant's"),
        pytest.param(replace(KEY, tenant=Tenant("acme", "test")), id="the other mode's"),
        pytest.param(replace(KEY, hash=KEY.hash[:-1] + "x"), id="with another digest"),
        pytest.param(replace(KEY, hash=""), id="without a digest"),
    ],
)
def test_a_record_that_is_not_the_keys_lets_nobody_in(stands_there):
    house = House(kept=[replace(stands_there, id=KEY.id)])

    assert denied_for(TOKEN, house) == "unknown_credential"
    assert house.asked == [KEY.id]


def test_the_tenant_and_the_user_are_the_records():
    house = House(kept=[FOREIGN_KEY])

    context = context_for(f"Bearer {FOREIGN_TOKEN}", house)

    assert (context["org"], context["user"]) == ("globex", "acme/alice")
    with pytest.raises(Unauthenticated):
        principal_of(context)


# --- Keys that were good -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since_expiry", "denied"),
    [(-MILLISECOND, None), (0 * HOUR, "expired_key"), (MILLISECOND, "expired_key")],
    ids=["a moment before", "at the instant", "a moment after"],
)
def test_a_key_lets_in_until_its_expiry(since_expiry, denied):
    now = NOW + HOUR + since_expiry

    assert context_for(f"Bearer {EXPIRING_TOKEN}", now=now).get("denied") == denied


@pytest.mark.parametrize("since", [timedelta(), MILLISECOND, 2 * HOUR])
def test_a_revoked_key_lets_nobody_in_and_says_so_after_its_expiry_too(since):
    assert denied_for(REVOKED_TOKEN, now=NOW + since) == "revoked_key"


def test_a_key_stops_with_the_next_look_at_its_record():
    house = House()
    assert "denied" not in context_for(f"Bearer {TOKEN}", house)

    house.kept[0] = rules.revoked(KEY, NOW)

    assert denied_for(TOKEN, house) == "revoked_key"


def test_the_stranger_is_not_told_that_a_key_was_revoked():
    near = REVOKED_TOKEN[:-1] + ("a" if REVOKED_TOKEN[-1] == "q" else "q")

    assert denied_for(near) == "unknown_credential"


# --- Where keys are looked up --------------------------------------------------------------------


def test_a_house_without_a_secret_has_made_no_keys():
    house = House(secret=None)

    assert denied_for(TOKEN, house) == "unknown_credential"
    assert house.asked == []


def test_another_secret_knows_none_of_the_keys():
    assert denied_for(TOKEN, House(secret=bytes(32))) == "unknown_credential"


def test_silence_lets_nobody_in(capsys):
    house = House(failure=Unavailable())

    assert denied_for(TOKEN, house) == "keys_unavailable"
    assert json.loads(capsys.readouterr().err)["code"] == "keys_unavailable"


@pytest.mark.parametrize("missing", [*NAMED, None])
def test_keys_need_a_table_and_a_secret(missing, capsys):
    environment = {**NAMED, missing: ""} if missing else {}

    assert records_of(environment) is None
    handle = authorizer(issuer_of(ENVIRONMENT), key_context_of(environment))
    answer = handle({"headers": {"authorization": f"Bearer {TOKEN}"}}, None)
    assert answer["context"] == {"denied": "not_configured"}
    assert json.loads(capsys.readouterr().err)["code"] == "not_configured"
    answer = handle({"headers": {"authorization": f"Bearer {token()}"}}, None)
    assert answer["context"]["user"] == "acme/alice"


def test_keys_need_no_issuer():
    house = House()
    handle = authorizer(
        issuer_of({}), lambda credential: context_of_key(credential, house.open, NOW)
    )

    answer = handle({"headers": {"authorization": f"Bearer {TOKEN}"}}, None)

    assert answer["context"]["subject"] == f"key:{KEY.id}"


def test_a_token_of_the_issuer_never_opens_the_records():
    house = House()

    assert context_for(f"Bearer {token()}", house)["subject"] == "user-alice"
    assert denied_for(token(kid="rsa-2"), house) == "unknown_key"
    assert house.opened == 0


HEAVY = {"botocore.session", "holdfast.domain.api_keys", "holdfast.runtime"}


def loaded_after(credential):
    """What a fresh environment says to a credential, and what it has loaded by then."""
    script = (
        "import json, sys\n"
        "from authorizer.app import handler\n"
        "event = {'headers': {'authorization': sys.argv[1]}}\n"
        "print(json.dumps([handler(event, None)['context'], list(sys.modules)]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, credential],
        env={**os.environ, **ENVIRONMENT, **NAMED, "PYTHONPATH": f"{LAYER}:{FUNCTIONS}"},
        capture_output=True,
        text=True,
        check=True,
    )
    context, modules = json.loads(run.stdout)
    return context, set(modules)


def test_a_token_pays_nothing_for_keys():
    context, loaded = loaded_after(f"Bearer {token()}")

    assert context["user"] == "acme/alice"
    assert loaded & HEAVY == set()


def test_garbage_that_begins_like_a_key_loads_no_client():
    context, loaded = loaded_after(f"Bearer {TOKEN}x")

    assert context == {"denied": "unknown_credential"}
    assert loaded & HEAVY == {"holdfast.domain.api_keys"}


# --- What is told --------------------------------------------------------------------------------


def test_nothing_of_a_key_is_in_the_log(capfd, caplog):
    caplog.set_level(0)
    broken = House(failure=LookupError(TOKEN, KEY.hash, SECRET.hex()))
    silent = House(failure=Unavailable())
    tokens = [*UNKNOWN.values(), *SHAPELESS.values(), TOKEN, EXPIRING_TOKEN, REVOKED_TOKEN]

    for house in (House(), broken, silent, House(secret=None), House(secret=b"short")):
        for each in tokens:
            context_for(f"Bearer {each}", house, now=NOW + HOUR)

    told = "".join(capfd.readouterr()) + caplog.text
    assert "LookupError" in told
    for each in (TOKEN, EXPIRING_TOKEN, REVOKED_TOKEN, UNKEPT_TOKEN):
        assert each[8:16] not in told
    for secret in ("hf_", "aaaaaaaa", KEY.hash[:8], SECRET.hex()[:8], KEY.id):
        assert secret not in told


@pytest.mark.parametrize("house", [House(secret=b"short"), House(failure=LookupError(TOKEN))])
def test_a_mistake_of_ours_lets_nobody_in(house, capsys):
    assert denied_for(TOKEN, house) == "malformed_token"
    assert TOKEN not in capsys.readouterr().err


def test_what_is_said_of_a_key_does_not_hold_its_token():
    said = json.dumps(context_for(f"Bearer {CAPPED_TOKEN}"))

    assert CAPPED_TOKEN not in said
    assert CAPPED_KEY.hash not in said


def told_of(text, house):
    try:
        return context_of_key(text, house.open, NOW)["subject"]
    except Denied as denied:
        return denied.reason


@settings(max_examples=300)
@given(
    st.text(max_size=80).map(lambda text: f"hf_{text}")
    | st.from_regex(r"hf_(live|test)_[a-z2-7]{51}[aq]", fullmatch=True)
    | st.builds(
        lambda place, character: TOKEN[:place] + character + TOKEN[place + 1 :],
        st.integers(3, len(TOKEN) - 1),
        st.sampled_from("abcdefghijklmnopqrstuvwxyz234567") | st.characters(),
    )
)
@example(TOKEN)
def test_no_text_lets_anybody_in_but_a_token_that_was_issued(text):
    issued = {TOKEN: f"key:{KEY.id}", TEST_TOKEN: f"key:{TEST_KEY.id}"}

    assert told_of(text, House(kept=[KEY, TEST_KEY])) == issued.get(text, "unknown_credential")
