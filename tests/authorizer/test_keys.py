"""Where keys come from, how long they serve, and which are no keys of ours."""

import base64
import json
from http.client import IncompleteRead
from urllib.error import URLError

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authorizer.denied import Denied
from authorizer.keys import Keys, fetch, parse
from tests.authorizer.tokens import ec_key, jwk, jwks, rsa_key

URL = "https://id.example.com/jwks.json"


class Issuer:
    """An issuer that can rotate its keys, fall silent, and counts who asks."""

    def __init__(self):
        self.document = jwks()
        self.asked = 0
        self.now = 1_000_000.0
        self.failure = None

    def fetch(self, url):
        assert url == URL
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.document.encode()

    def keys(self):
        return Keys(inline="", url=URL, fetch=self.fetch, clock=lambda: self.now)


@pytest.fixture
def issuer():
    return Issuer()


def reason_of(keys, kid):
    with pytest.raises(Denied) as denied:
        keys.key(kid)
    return denied.value.reason


def test_keys_are_fetched_once_and_remembered_for_ten_minutes(issuer):
    keys = issuer.keys()
    for _ in range(5):
        assert keys.key("rsa-1").key_id == "rsa-1"
        assert keys.key("ec-1").key_id == "ec-1"
    assert issuer.asked == 1

    issuer.now += 600
    keys.key("rsa-1")
    assert issuer.asked == 1

    issuer.now += 1
    keys.key("rsa-1")
    assert issuer.asked == 2


def test_a_new_key_is_found_but_the_issuer_is_asked_once_a_minute_at_most(issuer):
    keys = issuer.keys()
    keys.key("rsa-1")
    issuer.document = jwks(jwk(rsa_key(), "rsa-1"), jwk(rsa_key("second"), "rsa-2"))

    for _ in range(100):
        assert reason_of(keys, "rsa-2") == "unknown_key"
        assert reason_of(keys, "made-up") == "unknown_key"
    assert issuer.asked == 1

    issuer.now += 60
    assert keys.key("rsa-2").key_id == "rsa-2"
    assert reason_of(keys, "made-up") == "unknown_key"
    assert issuer.asked == 2


def test_a_key_that_is_withdrawn_stops_within_ten_minutes(issuer):
    keys = issuer.keys()
    keys.key("rsa-1")
    issuer.document = jwks(jwk(ec_key(), "ec-1"))
    issuer.now += 601

    assert reason_of(keys, "rsa-1") == "unknown_key"
    assert keys.key("ec-1").key_id == "ec-1"


@pytest.mark.parametrize(
    "failure", [OSError("down"), TimeoutError(), ValueError("too large"), IncompleteRead(b"")]
)
def test_keys_serve_on_for_an_hour_while_the_issuer_is_silent(issuer, failure):
    keys = issuer.keys()
    keys.key("rsa-1")
    issuer.failure = failure

    issuer.now += 3600
    assert keys.key("rsa-1").key_id == "rsa-1"
    assert reason_of(keys, "made-up") == "keys_unavailable"
    assert issuer.asked == 2

    issuer.now += 1
    assert reason_of(keys, "rsa-1") == "keys_unavailable"


def test_nobody_gets_in_before_the_issuer_answers(issuer):
    keys = issuer.keys()
    issuer.failure = OSError("down")

    assert reason_of(keys, "rsa-1") == "keys_unavailable"
    assert reason_of(keys, "rsa-1") == "keys_unavailable"
    assert issuer.asked == 1

    issuer.failure = None
    issuer.now += 60
    assert keys.key("rsa-1").key_id == "rsa-1"


def test_inline_keys_need_no_issuer(issuer):
    keys = Keys(inline=jwks(), url=URL, fetch=issuer.fetch, clock=lambda: issuer.now)

    assert keys.key("rsa-1").key_id == "rsa-1"
    assert reason_of(keys, "made-up") == "unknown_key"
    assert issuer.asked == 0


RSA = jwk(rsa_key(), "k")
EC = jwk(ec_key(), "k")


@pytest.mark.parametrize(
    ("entry", "usable"),
    [
        (RSA, True),
        (EC, True),
        ({**RSA, "alg": "RS256"}, True),
        ({name: value for name, value in RSA.items() if name != "use"}, True),
        ({**RSA, "alg": "RS512"}, False),
        ({**RSA, "alg": "HS256"}, False),
        ({**RSA, "use": "enc"}, False),
        ({**RSA, "kid": 7}, False),
        ({name: value for name, value in RSA.items() if name != "kid"}, False),
        ({"kty": "oct", "kid": "k", "k": "c2VjcmV0"}, False),
        ({"kty": "OKP", "kid": "k", "crv": "Ed25519", "x": "AAAA"}, False),
        ({**RSA, "kty": "EC"}, False),
        ({**EC, "kty": "RSA"}, False),
        ({**RSA, "n": "!"}, False),
        ({**RSA, "n": 7}, False),
        ({**RSA, "n": ""}, False),
        ({**EC, "x": "AAAA"}, False),
        ({**EC, "x": EC["y"]}, False),
        ({**EC, "crv": "P-384"}, False),
        (jwk(ec.generate_private_key(ec.SECP384R1()), "k"), False),
        (jwk(ec.generate_private_key(ec.SECP256K1()), "k"), False),
        (jwk(rsa_key("small", 1024), "k"), False),
        ("k", False),
        (None, False),
    ],
)
def test_only_a_public_key_of_a_known_kind_is_usable(entry, usable):
    assert list(parse(json.dumps({"keys": [entry]}))) == (["k"] if usable else [])


def test_one_odd_key_does_not_spoil_the_others():
    assert set(parse(jwks({"kty": "oct"}, RSA, {**EC, "kid": "e"}))) == {"k", "e"}


def test_the_first_of_two_keys_with_one_name_counts():
    keys = parse(jwks(RSA, EC))

    assert keys["k"].algorithm_name == "RS256"


def test_the_private_half_of_a_key_is_left_where_it_is():
    from jwt.algorithms import RSAAlgorithm

    whole = {**RSAAlgorithm.to_jwk(rsa_key(), as_dict=True), "kid": "k"}

    assert not hasattr(parse(jwks(whole))["k"].key, "private_numbers")


def test_a_data_address_is_read():
    packed = base64.b64encode(jwks().encode()).decode()

    assert json.loads(fetch(f"data:application/json;base64,{packed}")) == json.loads(jwks())


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://id.example.com/x", "http://id.example.com/x", "", "x", "//x"],
)
def test_keys_come_over_https_alone(url):
    with pytest.raises(ValueError, match="https"):
        fetch(url)


def test_a_document_too_large_for_a_jwks_is_refused():
    with pytest.raises(ValueError, match="too large"):
        fetch("data:application/json," + "x" * (256 * 1024 + 1))


def test_an_issuer_that_cannot_be_reached_is_an_error_within_time():
    with pytest.raises(URLError):
        fetch("https://127.0.0.1:1/jwks.json")
