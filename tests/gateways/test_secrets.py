"""The secret of the house: made once, read rarely, never told."""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError
from botocore.session import get_session

from holdfast.errors import InvariantBroken, Unavailable
from holdfast.gateways.secrets import NotMade, Secrets

NAME = "/holdfast/api-key-secret"
ONE, OTHER = "1" * 64, "2" * 64


def refusal(code: str, status: int = 400) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "GetParameter")


SILENCE = [
    refusal("InternalServerError", 500),
    refusal("ServiceUnavailable", 503),
    refusal("ThrottlingException"),
    refusal("TooManyUpdates"),
    ConnectTimeoutError(endpoint_url="https://ssm.example.com"),
    NoCredentialsError(),
]


@dataclass(slots=True)
class Store:
    """A parameter store with a clock, which may fall silent or be beaten to a name by another."""

    parameters: dict[str, str] = field(default_factory=dict)
    failure: Exception | None = None
    rival: str | None = None
    hides: bool = False
    now: float = 1_000_000.0
    clients: int = 0
    asked: int = 0

    def secrets(self) -> Secrets:
        return Secrets(self._client, NAME, clock=lambda: self.now)

    def _client(self) -> "Store":
        self.clients += 1
        return self

    def get_parameter(self, **call: Any) -> Any:
        assert call == {"Name": NAME, "WithDecryption": True}
        self._answer()
        if NAME not in self.parameters or self.hides:
            raise refusal("ParameterNotFound")
        return {"Parameter": {"Value": self.parameters[NAME]}}

    def put_parameter(self, **call: Any) -> None:
        value = call.pop("Value")
        assert call == {"Name": NAME, "Type": "SecureString", "Overwrite": False}
        self._answer()
        if self.rival is not None:
            self.parameters[NAME] = self.rival
        if NAME in self.parameters:
            raise refusal("ParameterAlreadyExists")
        self.parameters[NAME] = value

    def _answer(self) -> None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure


def test_nobody_is_asked_before_the_secret_is_needed():
    store = Store()

    store.secrets()

    assert (store.clients, store.asked) == (0, 0)


def test_the_secret_is_read_once_and_remembered_for_five_minutes():
    store = Store({NAME: ONE})
    secrets = store.secrets()
    assert [secrets.value() for _ in range(5)] == [bytes.fromhex(ONE)] * 5
    assert (store.clients, store.asked) == (1, 1)

    store.now += 299.999
    assert secrets.value() == secrets.value(make=True) == bytes.fromhex(ONE)
    assert store.asked == 1

    store.parameters[NAME] = OTHER
    store.now += 0.001
    assert secrets.value() == bytes.fromhex(OTHER)
    assert (store.clients, store.asked) == (1, 2)


def test_a_secret_that_is_absent_is_told_and_not_made():
    store = Store()

    with pytest.raises(NotMade):
        store.secrets().value()

    assert store.parameters == {}


def test_a_secret_that_was_absent_is_seen_as_soon_as_it_is_made():
    store = Store()
    reader, maker = store.secrets(), store.secrets()
    with pytest.raises(NotMade):
        reader.value()

    made = maker.value(make=True)

    assert reader.value() == made


def test_a_secret_is_made_once_of_thirty_two_bytes():
    store = Store()
    first, second = store.secrets(), store.secrets()

    made = first.value(make=True)

    assert len(made) == 32
    assert second.value(make=True) == second.value() == first.value() == made
    assert store.parameters == {NAME: made.hex()}


def test_no_two_houses_have_one_secret():
    assert Store().secrets().value(make=True) != Store().secrets().value(make=True)


def test_a_lost_race_reads_what_the_winner_made():
    store = Store(rival=ONE)

    assert store.secrets().value(make=True) == bytes.fromhex(ONE)
    assert store.parameters == {NAME: ONE}


def test_a_winner_who_cannot_be_seen_yet_is_waited_for():
    store = Store(rival=ONE, hides=True)
    secrets = store.secrets()

    with pytest.raises(Unavailable):
        secrets.value(make=True)

    store.hides = False
    assert secrets.value(make=True) == bytes.fromhex(ONE)


@pytest.mark.parametrize("failure", SILENCE, ids=repr)
@pytest.mark.parametrize("make", [False, True])
def test_silence_before_the_first_answer_is_told(failure, make):
    store = Store({NAME: ONE}, failure=failure)

    with pytest.raises(Unavailable):
        store.secrets().value(make=make)

    assert store.parameters == {NAME: ONE}


@pytest.mark.parametrize("failure", [*SILENCE, refusal("AccessDeniedException")], ids=repr)
def test_the_secret_serves_on_through_silence_and_is_asked_for_again(failure):
    store = Store({NAME: ONE})
    secrets = store.secrets()
    secrets.value()
    store.failure = failure
    store.parameters[NAME] = OTHER

    store.now += 300
    assert [secrets.value(), secrets.value(make=True)] == [bytes.fromhex(ONE)] * 2
    assert store.asked == 2

    store.failure = None
    store.now += 29.999
    assert secrets.value() == bytes.fromhex(ONE)
    store.now += 0.001
    assert secrets.value() == bytes.fromhex(OTHER)


def test_whoever_may_not_read_it_is_no_silence():
    with pytest.raises(ClientError, match="AccessDeniedException"):
        Store(failure=refusal("AccessDeniedException")).secrets().value(make=True)


def test_a_secret_that_was_taken_away_serves_no_more():
    store = Store({NAME: ONE})
    secrets = store.secrets()
    secrets.value()
    del store.parameters[NAME]

    store.now += 300

    with pytest.raises(NotMade):
        secrets.value()
    assert secrets.value(make=True).hex() == store.parameters[NAME] != ONE


@pytest.mark.parametrize(
    "text",
    ["", "0" * 63, "0" * 65, "g" * 64, "A" * 64, "0" * 64 + "\n", "00 " * 32, "correct horse"],
)
def test_a_secret_that_somebody_wrote_by_hand_is_not_taken(text):
    with pytest.raises(InvariantBroken) as broken:
        Store({NAME: text}).secrets().value(make=True)

    assert str(broken.value) == "the secret of the house is not 32 bytes in hexadecimal"


def test_the_secret_is_never_told(capfd, caplog):
    caplog.set_level(0)
    store = Store()
    secrets = store.secrets()
    made = secrets.value(make=True).hex()
    store.failure = refusal("InternalServerError", 500)
    store.now += 300
    secrets.value()

    told = "".join(capfd.readouterr()) + caplog.text + repr(secrets) + str(secrets)
    assert made not in told
    assert re.search("[0-9a-f]{32}", told) is None


class Overtaken:
    """A client whose caller finds nothing there, and is overtaken before it can put anything."""

    def __init__(self, client: Any, rival: Secrets) -> None:
        self._client = client
        self._rival = rival

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_parameter(self, **call: Any) -> Any:
        try:
            return self._client.get_parameter(**call)
        finally:
            self._rival.value(make=True)


def test_a_parameter_store_as_it_is_takes_these_calls():
    # Late, because importing it takes longer than the other tests.
    from moto import mock_aws

    with mock_aws():
        client: Any = get_session().create_client("ssm", "us-east-1")
        rival = Secrets(lambda: client, NAME)
        with pytest.raises(NotMade):
            rival.value()

        found = Secrets(lambda: Overtaken(client, rival), NAME).value(make=True)

        assert found == rival.value() == Secrets(lambda: client, NAME).value()
        assert client.get_parameter(Name=NAME)["Parameter"]["Type"] == "SecureString"
