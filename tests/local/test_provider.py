"""Which Stripe a stack on a laptop talks to."""

import asyncio
from pathlib import Path

import pytest

from local.places import Places
from local.provider import SIMULATED_KEY, NotATestKey, Provider, provider


def chosen(folder: Path) -> Provider:
    async def choose() -> Provider:
        async with provider(Places(folder)) as found:
            return found

    return asyncio.run(choose())


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    monkeypatch.delenv("STRIPE_PUBLISHABLE_KEY", raising=False)


def test_without_a_key_it_is_the_simulated_one(tmp_path: Path):
    Places(tmp_path).prepare()

    found = chosen(tmp_path)

    assert found.address.startswith("http://127.0.0.1:")
    assert found.key == SIMULATED_KEY
    assert found.publishable.startswith("pk_test_")


def test_with_a_test_key_it_is_stripe_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_mine")
    monkeypatch.setenv("STRIPE_PUBLISHABLE_KEY", "pk_test_mine")

    assert chosen(tmp_path) == Provider("", "sk_test_mine", "pk_test_mine")


@pytest.mark.parametrize("key", ["sk_live_mine", "rk_live_mine", "pk_test_mine", "mine", " "])
def test_a_key_for_real_money_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
):
    monkeypatch.setenv("STRIPE_API_KEY", key)

    with pytest.raises(NotATestKey) as refused:
        chosen(tmp_path)

    assert key.strip() not in str(refused.value) or not key.strip()


def test_a_key_is_in_no_representation():
    assert "sk_test_mine" not in repr(Provider("", "sk_test_mine"))
