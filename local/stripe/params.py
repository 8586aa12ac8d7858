"""Parameters: what each may be, and Stripe's words for one that may not."""

from collections.abc import Callable, Mapping
from typing import Any

from local.stripe.errors import Refused, invalid, missing, unknown

type Parse = Callable[[Any, str], Any]
type Fields = Mapping[str, Parse]

TEXT_MAX = 5_000
METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500


def read(raw: Mapping[str, Any], fields: Fields, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the parameters say; those that were not sent are not in it.

    Raises:
        Refused: One is unknown, missing, or not what it has to be.
    """
    return _hash(raw, "", fields, required)


def _hash(
    raw: Mapping[str, Any], outer: str, fields: Fields, required: tuple[str, ...]
) -> dict[str, Any]:
    def full(name: str) -> str:
        return f"{outer}[{name}]" if outer else name

    strangers = [full(name) for name in raw if name not in fields]
    if strangers:
        raise unknown(strangers)
    for name in required:
        if name not in raw:
            raise missing(full(name))
    return {name: fields[name](value, full(name)) for name, value in raw.items()}


def fields(required: tuple[str, ...] = (), **named: Parse) -> Parse:
    """A hash with these names."""

    def parse(raw: Any, name: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise invalid("Invalid object", name)
        return _hash(raw, name, named, required)

    return parse


def rows(each: Parse) -> Parse:
    """An array."""

    def parse(raw: Any, name: str) -> list[Any]:
        if raw == "":
            return []
        if not (isinstance(raw, dict) and all(place.isdecimal() for place in raw)):
            raise invalid("Invalid array", name)
        places = sorted(raw, key=int)
        return [each(raw[place], f"{name}[{index}]") for index, place in enumerate(places)]

    return parse


def text(raw: Any, name: str) -> str:
    """Text that is there: an empty value would unset it, and it cannot be unset."""
    if not isinstance(raw, str):
        raise invalid("Invalid string: " + str(raw), name)
    if raw == "":
        raise invalid(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{name}' cannot be unset. You should remove '{name}' "
            "from your request or supply a non-empty value.",
            name,
            "parameter_invalid_empty",
        )
    if len(raw) > TEXT_MAX:
        raise invalid(f"Invalid string: {name} may have up to {TEXT_MAX} characters", name)
    return raw


def or_unset(parse: Parse) -> Parse:
    """What may be unset by an empty value."""
    return lambda raw, name: None if raw == "" else parse(raw, name)


def flag(raw: Any, name: str) -> bool:
    if raw not in ("true", "false"):
        raise invalid(f"Invalid boolean: {raw}", name)
    return bool(raw == "true")


def choice(*values: str) -> Parse:
    def parse(raw: Any, name: str) -> str:
        if raw not in values:
            listed = " or ".join([", ".join(values[:-1]), values[-1]] if values[1:] else values)
            raise invalid(f"Invalid {name}: must be one of {listed}", name)
        return str(raw)

    return parse


def integer(minimum: int | None = None, maximum: int | None = None) -> Parse:
    def parse(raw: Any, name: str) -> int:
        digits = raw.removeprefix("-") if isinstance(raw, str) else ""
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
            raise invalid(f"Invalid integer: {raw}", name, "parameter_invalid_integer")
        number = int(raw)
        if minimum is not None and number < minimum:
            raise invalid(
                f"This value must be greater than or equal to {minimum}.",
                name,
                "parameter_invalid_integer",
            )
        if maximum is not None and number > maximum:
            raise invalid(
                f"This value must be less than or equal to {maximum} (it currently is '{number}').",
                name,
                "parameter_invalid_integer",
            )
        return number

    return parse


def address_of_web(raw: Any, name: str) -> str:
    """An address that a browser can be sent to."""
    address = text(raw, name)
    if not address.startswith(("https://", "http://")):
        raise invalid("Not a valid URL", name, "url_invalid")
    return address


def metadata(raw: Any, name: str) -> dict[str, str | None]:
    """Keys and values; None unsets a key, and an empty hash stands for "unset all"."""
    if raw == "":
        return {}
    if not isinstance(raw, dict):
        raise invalid("Invalid object", name)
    for key, value in raw.items():
        if not isinstance(value, str):
            raise invalid("Metadata values must be strings", f"{name}[{key}]")
        if len(key) > METADATA_KEY_MAX:
            raise invalid(
                f"Metadata keys can have up to {METADATA_KEY_MAX} characters, but you passed in a "
                f"key that is {len(key)} characters. Invalid key: {key}",
                f"{name}[{key}]",
            )
        if len(value) > METADATA_VALUE_MAX:
            raise invalid(
                f"Metadata values can have up to {METADATA_VALUE_MAX} characters, but you passed "
                f"in a value that is {len(value)} characters. Invalid value: {value}",
                f"{name}[{key}]",
            )
    return {key: value or None for key, value in raw.items()}


def merged(before: dict[str, str], change: dict[str, str | None] | None) -> dict[str, str]:
    """Metadata after a change.

    Raises:
        Refused: There would be more than 50 keys.
    """
    if change is None:
        return before
    if change == {}:
        return {}
    after = {key: value for key, value in (before | change).items() if value is not None}
    if len(after) > METADATA_KEYS_MAX:
        raise Refused(
            f"You can only set up to {METADATA_KEYS_MAX} metadata keys.",
            param="metadata",
            is_stored=False,
        )
    return after


def no_longer(raw: Any, name: str) -> Any:
    """What the version before still took."""
    raise invalid(
        f"The `{name}` parameter is no longer supported. Use `allowed_payment_method_types`, or "
        "dynamic payment methods.",
        name,
        f"{name}_no_longer_supported",
    )


optional_text = or_unset(text)
timestamp = integer(0)
expand = rows(text)
address = or_unset(
    fields(
        city=optional_text,
        country=optional_text,
        line1=optional_text,
        line2=optional_text,
        postal_code=optional_text,
        state=optional_text,
    )
)
ADDRESS: dict[str, str | None] = dict.fromkeys(
    ("city", "country", "line1", "line2", "postal_code", "state")
)


def _created(raw: Any, name: str) -> dict[str, int]:
    if isinstance(raw, dict):
        bounds = dict.fromkeys(("gt", "gte", "lt", "lte"), timestamp)
        return _hash(raw, name, bounds, ())
    moment = timestamp(raw, name)
    return {"gte": moment, "lte": moment}


# What every list takes.
PAGE: Fields = {
    "limit": integer(1, 100),
    "starting_after": text,
    "ending_before": text,
    "created": _created,
    "expand": expand,
}
