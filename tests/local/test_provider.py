"""Which Stripe a stack on a laptop talks to."""

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from local.places import Places
from local.provider import MODES, NotATestKey, Provider, Providers, providers, simulated_key

WEBHOOK = "http://127.0.0.1:9/webhook"


def chosen(folder: Path) -> Providers:
    async def choose() -> Providers:
        async with providers(Places(folder), webhook=WEBHOOK) as found:
            return found

    return asyncio.run(choose())


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    monkeypatch.delenv("STRIPE_PUBLISHABLE_KEY", raising=False)
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRET", raising=False)


def test_without_a_key_there_is_a_simulated_one_for_each_mode(tmp_path: Path):
    Places(tmp_path).prepare()

    found = chosen(tmp_path)

    assert set(found) == set(MODES)
    assert found["live"].address != found["test"].address
    assert found["live"].endpoint_secret != found["test"].endpoint_secret
    for mode in MODES:
        assert found[mode].address.startswith("http://127.0.0.1:")
        assert found[mode].key.startswith(f"sk_{mode}_")
        assert found[mode].publishable.startswith(f"pk_{mode}_")
        assert found[mode].endpoint_secret.startswith("whsec_")


def test_what_a_simulated_one_makes_says_its_mode_and_belongs_to_its_key(tmp_path: Path):
    Places(tmp_path).prepare()

    async def story() -> list[Any]:
        async with providers(Places(tmp_path), webhook=WEBHOOK) as found:
            return [
                await asyncio.to_thread(made, found[mode].address, key)
                for mode in MODES
                for key in map(simulated_key, MODES)
            ]

    live, test_in_live, live_in_test, test = asyncio.run(story())

    assert (live["livemode"], test["livemode"]) == (True, False)
    assert (test_in_live, live_in_test) == (401, 401)


def test_each_mode_is_found_again_after_a_restart(tmp_path: Path):
    Places(tmp_path).prepare()

    async def story(*, again: bool) -> list[Any]:
        async with providers(Places(tmp_path), webhook=WEBHOOK) as found:
            ask = listed if again else made
            return [
                await asyncio.to_thread(ask, found[mode].address, found[mode].key) for mode in MODES
            ]

    first = asyncio.run(story(again=False))
    second = asyncio.run(story(again=True))

    assert [customer["id"] for customer in first] == [page["data"][0]["id"] for page in second]
    assert [len(page["data"]) for page in second] == [1, 1]


def made(address: str, key: str) -> Any:
    """A new customer; the status if there is none."""
    return asked(urllib.request.Request(f"{address}/v1/customers", b"name=Ada"), key)


def listed(address: str, key: str) -> Any:
    return asked(urllib.request.Request(f"{address}/v1/customers"), key)


def asked(request: urllib.request.Request, key: str) -> Any:
    request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code


def test_with_a_test_key_it_is_stripe_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_mine")
    monkeypatch.setenv("STRIPE_PUBLISHABLE_KEY", "pk_test_mine")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_mine")

    real = Provider("sk_test_mine", "pk_test_mine", endpoint_secret="whsec_mine")
    assert chosen(tmp_path) == {"live": real, "test": real}


@pytest.mark.parametrize("key", ["sk_live_mine", "rk_live_mine", "pk_test_mine", "mine", " "])
def test_a_key_for_real_money_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
):
    monkeypatch.setenv("STRIPE_API_KEY", key)

    with pytest.raises(NotATestKey) as refused:
        chosen(tmp_path)

    assert key.strip() not in str(refused.value) or not key.strip()


def test_a_key_is_in_no_representation():
    shown = repr(Provider("sk_test_mine", "pk", endpoint_secret="whsec_mine"))

    assert "sk_test_mine" not in shown
    assert "whsec_mine" not in shown
