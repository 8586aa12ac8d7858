"""Who is let in, as whom, and why everybody else is a stranger."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authorizer.decision import authorizer, issuer_of
from authorizer.keys import Keys
from authorizer.tokens import Issuer
from holdfast.http.principal import principal_of
from tests.authorizer.tokens import (
    AUDIENCE,
    ISSUER,
    claims,
    ec_key,
    jwk,
    jwks,
    public_pem,
    rsa_key,
    signed,
    token,
)

NOW = int(time.time())


@dataclass(frozen=True)
class FromNow:
    """An instant that is told when the test runs, which may be minutes after it was collected."""

    seconds: int


ENVIRONMENT = {"OIDC_ISSUER": ISSUER, "OIDC_AUDIENCE": AUDIENCE, "OIDC_JWKS": jwks()}
handler = authorizer(issuer_of(ENVIRONMENT))


def context_for(credential, *, handle=handler, **event):
    answer = handle({"version": "2.0", "headers": {"authorization": credential}, **event}, None)
    assert set(answer) == {"isAuthorized", "context"}
    assert answer["isAuthorized"] is True
    assert all(isinstance(value, str) for value in answer["context"].values())
    return answer["context"]


def context_of(given=None, *, platform_org="", **how):
    handle = authorizer(issuer_of(ENVIRONMENT), platform_org=platform_org)
    return context_for(f"Bearer {token(given, **how)}", handle=handle)


def b64(data):
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# --- Good tokens ---------------------------------------------------------------------------------


def test_a_good_token_makes_a_principal():
    given = claims(
        owner=" ACME ",
        name=" Alice",
        roles=["Reseller", "support"],
        properties={"tier": "pro", "seats": "7"},
        mode="test",
    )

    assert context_of(given) == {
        "org": "acme",
        "mode": "test",
        "subject": "user-alice",
        "user": "acme/alice",
        "roles": '["reseller", "support"]',
        "tier": "pro",
    }


def test_what_the_authorizer_says_the_api_understands():
    caller = principal_of(context_of(claims(roles=["platform"], isAdmin=True), platform_org="acme"))

    assert (caller.org, caller.mode, caller.user) == ("acme", "live", "acme/alice")
    assert caller.roles == ("admin", "platform")


@pytest.mark.parametrize("platform_org", ["", "globex", "acm", "acme2", "ACME"])
def test_nobody_of_another_org_is_of_the_platform(platform_org):
    told = context_of(claims(roles=["platform", "support"]), platform_org=platform_org)

    assert principal_of(told).roles == ("support",)
    assert not principal_of(told).is_platform


@pytest.mark.parametrize(
    ("changed", "roles"),
    [
        ({}, []),
        ({"roles": []}, []),
        ({"isAdmin": False}, []),
        ({"isAdmin": True}, ["admin"]),
        ({"isAdmin": True, "roles": ["admin", "admin"]}, ["admin"]),
        ({"roles": ["owner"]}, ["owner"]),
    ],
)
def test_roles_are_a_list_in_text(changed, roles):
    assert json.loads(context_of(claims(**changed))["roles"]) == roles


@pytest.mark.parametrize(
    ("key", "kid", "algorithm"), [(rsa_key(), "rsa-1", "RS256"), (ec_key(), "ec-1", "ES256")]
)
def test_both_algorithms_are_taken(key, kid, algorithm):
    assert "denied" not in context_of(key=key, kid=kid, algorithm=algorithm)


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_the_audience_may_be_one_of_several(audience):
    assert "denied" not in context_of(claims(aud=audience))


@pytest.mark.parametrize(
    ("marks", "headers", "denied"),
    [
        ({"token_use": "access"}, {}, None),
        ({"token_use": "id"}, {}, "not_an_access_token"),
        ({"token_use": "id"}, {"typ": "at+jwt"}, "not_an_access_token"),
        ({"token_use": "Access"}, {}, "not_an_access_token"),
        ({"token_use": ["access"]}, {}, "not_an_access_token"),
        ({"token_use": None}, {}, "not_an_access_token"),
        ({"token_use": None}, {"typ": "at+jwt"}, None),
        ({"token_use": None}, {"typ": "application/AT+JWT"}, None),
        ({"token_use": None}, {"typ": "JWT"}, "not_an_access_token"),
        ({"token_use": None, "tokenType": "access-token"}, {}, None),
        ({"token_use": None, "tokenType": "refresh-token"}, {}, "not_an_access_token"),
        ({"token_use": None, "nonce": "n"}, {}, "not_an_access_token"),
    ],
)
def test_only_an_access_token_is_a_permission(marks, headers, denied):
    assert context_of(claims(**marks), headers=headers).get("denied") == denied


def test_a_mark_that_says_nothing_is_a_mark_all_the_same():
    unmarked = {**claims(), "token_use": None}

    assert context_of(unmarked, headers={"typ": "at+jwt"}) == {"denied": "not_an_access_token"}


@pytest.mark.parametrize(
    ("changed", "denied"),
    [
        ({"exp": FromNow(-15)}, None),
        ({"exp": FromNow(-60)}, "expired_token"),
        ({"exp": 0}, "expired_token"),
        ({"exp": None}, "invalid_claims"),
        ({"exp": "soon"}, "malformed_token"),
        ({"exp": [4_102_444_800]}, "malformed_token"),
        ({"nbf": FromNow(15)}, None),
        ({"nbf": FromNow(90)}, "token_not_yet_valid"),
        ({"nbf": None}, None),
        ({"nbf": "now"}, "malformed_token"),
        ({"iat": FromNow(90)}, "token_not_yet_valid"),
        ({"iss": "https://evil.example.com"}, "wrong_issuer"),
        ({"iss": ISSUER + "/"}, "wrong_issuer"),
        ({"iss": [ISSUER]}, "wrong_issuer"),
        ({"iss": None}, "invalid_claims"),
        ({"aud": "other"}, "wrong_audience"),
        ({"aud": ["other"]}, "wrong_audience"),
        ({"aud": AUDIENCE + "-dev"}, "wrong_audience"),
        ({"aud": []}, "invalid_claims"),
        ({"aud": {"holdfast": 1}}, "wrong_audience"),
        ({"aud": None}, "invalid_claims"),
        ({"sub": None}, "invalid_claims"),
    ],
    ids=str,
)
def test_a_token_is_for_us_and_for_now(changed, denied):
    now = int(time.time())
    changed = {
        name: now + value.seconds if isinstance(value, FromNow) else value
        for name, value in changed.items()
    }

    assert context_of(claims(**changed)).get("denied") == denied


# --- Forged tokens -------------------------------------------------------------------------------


def unsigned(header, given=None, signature=""):
    return f"{b64(header)}.{b64(claims() if given is None else given)}.{signature}"


def hmac_with_public_key(header):
    text = f"{b64(header)}.{b64(claims())}"
    digest = hmac.new(public_pem(rsa_key()), text.encode(), hashlib.sha256).digest()
    return f"{text}.{b64(digest)}"


def tampered(changed):
    head, _, signature = token().split(".")
    return f"{head}.{b64(claims(**changed))}.{signature}"


FORGED = {
    "no signature": (unsigned({"alg": "none", "kid": "rsa-1"}), "wrong_algorithm"),
    "no signature, other case": (unsigned({"alg": "NONE", "kid": "rsa-1"}), "wrong_algorithm"),
    "no signature, no key": (unsigned({"alg": "none", "kid": "x"}), "wrong_algorithm"),
    "no algorithm": (unsigned({"kid": "rsa-1"}), "wrong_algorithm"),
    "algorithm is a list": (unsigned({"alg": ["RS256"], "kid": "rsa-1"}), "wrong_algorithm"),
    "signature cut off": (token().rsplit(".", 1)[0] + ".", "wrong_signature"),
    "signed by the public key": (
        hmac_with_public_key({"alg": "HS256", "kid": "rsa-1"}),
        "wrong_algorithm",
    ),
    "another hash": (token(algorithm="RS512"), "wrong_algorithm"),
    "padding": (token(algorithm="PS256"), "wrong_algorithm"),
    "said to be of the other type": (
        token(key=ec_key(), algorithm="ES256", kid="rsa-1"),
        "wrong_algorithm",
    ),
    "another key": (token(key=rsa_key("mallory")), "wrong_signature"),
    "another key, on the curve": (
        token(key=ec_key("mallory"), algorithm="ES256", kid="ec-1"),
        "wrong_signature",
    ),
    "unknown key": (token(kid="rsa-2"), "unknown_key"),
    "no key named": (token(kid=None), "unknown_key"),
    "empty key name": (token(kid=""), "unknown_key"),
    "key name is a path": (token(kid="../../dev/null"), "unknown_key"),
    "key name is a number": (unsigned({"alg": "RS256", "kid": 1}), "malformed_token"),
    "brings its own key": (
        token(
            key=rsa_key("mallory"),
            kid="mallory",
            headers={"jwk": jwk(rsa_key("mallory"), "mallory"), "jku": "https://evil.example.com"},
        ),
        "unknown_key",
    ),
    "must be understood": (token(headers={"crit": ["exp"]}), "malformed_token"),
    "detached": (token(headers={"b64": False}), "malformed_token"),
    "another name": (tampered({"name": "root"}), "wrong_signature"),
    "another role": (tampered({"isAdmin": True}), "wrong_signature"),
    "header is a list": (unsigned([]), "malformed_token"),
    "header is text": (unsigned("RS256"), "malformed_token"),
    "header is no JSON": ("e30x.e30.e30", "malformed_token"),
    "header is no base64": ("!!!.e30.e30", "malformed_token"),
    "two parts": ("e30.e30", "malformed_token"),
    "four parts": (token() + ".e30", "malformed_token"),
    "five parts": ("a.b.c.d.e", "malformed_token"),
    "dots": ("..", "malformed_token"),
    "huge": (token(claims(padding="x" * 8192)), "malformed_token"),
    "not ASCII": (token() + "é", "malformed_token"),
    "deep": (b64(b"[" * 5000) + ".e30.e30", "malformed_token"),
    "white space inside": (token().replace(".", ". "), "malformed_token"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_a_strangers(name):
    forged, reason = FORGED[name]

    assert context_for(f"Bearer {forged}") == {"denied": reason}


def test_claims_that_are_no_object_are_a_strangers():
    for payload in (b"[]", b"7", b'"x"', b"null", b"{", b"\xff"):
        assert context_for(f"Bearer {signed(payload)}") == {"denied": "malformed_token"}


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "9" * 5000])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_a_time_beyond_all_time_lets_nobody_in(name, number, capsys):
    written = json.dumps(claims(**{name: 12345678})).replace("12345678", number).encode()

    assert "denied" in context_for(f"Bearer {signed(written)}")
    assert capsys.readouterr().err == ""


# --- Claims --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"owner": None},
        {"owner": ""},
        {"owner": " "},
        {"owner": 7},
        {"owner": ["acme"]},
        {"owner": "acme/other"},
        {"owner": "acme#1"},
        {"owner": "ac me"},
        {"owner": "x" * 65},
        {"owner": "ácme"},
        {"owner": "acme\0"},
        {"name": None},
        {"name": ""},
        {"name": "a/b"},
        {"name": "/"},
        {"name": "al ice"},
        {"name": "x" * 129},
        {"name": {"first": "alice"}},
        {"mode": "prod"},
        {"mode": ""},
        {"mode": 1},
        {"mode": ["live", "test"]},
        {"sub": ""},
        {"sub": "user alice"},
        {"sub": "x" * 129},
        {"roles": "admin"},
        {"roles": {"admin": True}},
        {"roles": ["admin", 7]},
        {"roles": [["admin"]]},
        {"roles": ['x","admin']},
        {"roles": [""]},
        {"roles": ["r"] * 51},
        {"isAdmin": "true"},
        {"isAdmin": 1},
        {"properties": "pro"},
        {"properties": {"tier": 7}},
        {"properties": {"tier": "a b"}},
    ],
    ids=lambda changed: ascii(changed)[:40],
)
def test_a_claim_that_names_nothing_lets_nobody_in(changed):
    assert context_of(claims(**changed)) == {"denied": "invalid_claims"}


@pytest.mark.parametrize("properties", [{}, {"tier": ""}, {"seats": 7}])
def test_a_tier_need_not_be_named(properties):
    assert context_of(claims(properties=properties))["tier"] == ""


# --- Where the credential is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credential", "reason"),
    [
        (None, "missing_credential"),
        ("", "missing_credential"),
        ("  ", "missing_credential"),
        (7, "missing_credential"),
        ("Bearer", "unknown_credential"),
        ("Bearer ", "unknown_credential"),
        ("Basic YTpi", "unknown_credential"),
        (token(), "unknown_credential"),
        ("Bearer hf_live_0123456789abcdef", "unknown_credential"),
        ("Bearer hf_test_0123456789abcdef", "unknown_credential"),
        ("Bearer x", "malformed_token"),
        (f"Bearer {token()}, Bearer {token()}", "malformed_token"),
        ("Bearer " + "x" * 1_000_000, "malformed_token"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_credential_that_is_none_says_why(credential, reason):
    assert context_for(credential) == {"denied": reason}


@pytest.mark.parametrize("credential", ["bearer {}", "BEARER {}", "  Bearer   {}  "])
def test_the_scheme_is_read_in_any_case(credential):
    assert "denied" not in context_for(credential.format(token()))


def test_the_header_is_read_in_any_case():
    answer = handler({"headers": {"Authorization": f"Bearer {token()}"}}, None)

    assert answer["context"]["user"] == "acme/alice"


def test_a_token_in_the_query_is_no_credential():
    query = {"queryStringParameters": {"access_token": token()}, "rawQueryString": token()}

    assert context_for(None, **query) == {"denied": "missing_credential"}


def test_a_token_in_a_cookie_is_no_credential():
    assert context_for(None, cookies=[f"authorization={token()}"]) == {
        "denied": "missing_credential"
    }


@pytest.mark.parametrize("event", [None, [], "x", 7, {}, {"headers": None}, {"headers": ["x"]}])
def test_an_event_that_is_none_is_a_strangers(event):
    assert handler(event, None) == {
        "isAuthorized": True,
        "context": {"denied": "missing_credential"},
    }


@settings(max_examples=300)
@given(
    st.text(max_size=60)
    | st.text(max_size=60).map(lambda text: f"Bearer {text}")
    | st.lists(st.binary(max_size=40).map(b64), min_size=3, max_size=3).map(
        lambda parts: "Bearer " + ".".join(parts)
    )
    | st.builds(
        lambda header, payload: f"Bearer {b64(header)}.{b64(payload)}.c2ln",
        st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit"]), st.text(max_size=5)),
        st.dictionaries(st.sampled_from(["exp", "iss", "aud", "sub"]), st.integers()),
    )
)
def test_garbage_lets_nobody_in(credential):
    assert "denied" in context_for(credential)


# --- Configuration -------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_JWKS"])
def test_whatever_is_not_configured_denies_everybody(missing, capsys):
    handle = authorizer(issuer_of({**ENVIRONMENT, missing: ""}))

    assert context_for(f"Bearer {token()}", handle=handle) == {"denied": "not_configured"}
    assert json.loads(capsys.readouterr().err)["code"] == "not_configured"


@pytest.mark.parametrize("document", ["nonsense", "[]", "{}", '{"keys":{}}', "null"])
def test_keys_that_are_no_jwks_deny_everybody(document):
    handle = authorizer(issuer_of({**ENVIRONMENT, "OIDC_JWKS": document}))

    assert context_for(f"Bearer {token()}", handle=handle) == {"denied": "keys_unavailable"}


def test_an_issuer_with_no_tokens_of_its_own_takes_none():
    handle = authorizer(issuer_of({**ENVIRONMENT, "OIDC_JWKS": '{"keys":[]}'}))

    assert context_for(f"Bearer {token()}", handle=handle) == {"denied": "unknown_key"}


def test_the_handler_of_the_function_denies_without_configuration():
    from authorizer.app import handler as deployed

    assert context_for(f"Bearer {token()}", handle=deployed) == {"denied": "not_configured"}


def test_a_forged_token_leaves_nothing_in_the_log(capsys):
    for forged, _ in FORGED.values():
        context_for(f"Bearer {forged}")

    told = capsys.readouterr()
    assert told.out + told.err == ""


def test_a_mistake_of_ours_is_logged_by_its_kind_and_lets_nobody_in(capsys):
    def broken(url):
        raise LookupError(f"secret {url}")

    keys = Keys(inline="", url="https://id.example.com", fetch=broken, clock=time.time)
    handle = authorizer(Issuer(ISSUER, AUDIENCE, keys))

    assert context_for(f"Bearer {token()}", handle=handle) == {"denied": "malformed_token"}
    told = capsys.readouterr().err
    assert json.loads(told)["error"] == "LookupError"
    assert "secret" not in told
