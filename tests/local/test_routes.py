"""The routes of the template, and which of them a request takes."""

from local.routes import Route, authorizer_of, decoded_path, match, routes_of
from local.template import function_names, read_template
from tests.architecture.source import ROOT
from tools.translate_template import translate

TEMPLATE = translate(ROOT / "template.yaml")
NAMES = {
    logical: logical
    for logical, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Lambda::Function"
}


def route(key: str) -> Route:
    method, path = key.split(" ")
    return Route(method, path, "f", is_authorized=True)


def chosen(keys: list[str], method: str, path: str) -> str | None:
    """The key of the route taken, whatever the order they are in."""
    found = {
        taken[0].key if (taken := match(routes, method, path)) else None
        for routes in ([route(key) for key in keys], [route(key) for key in reversed(keys)])
    }
    (key,) = found
    return key


def test_a_full_path_comes_before_a_greedy_one():
    keys = ["ANY /v1/{proxy+}", "ANY /v1/holds/{id}", "ANY /v1/holds/{proxy+}"]

    assert chosen(keys, "GET", "/v1/holds/h1") == "ANY /v1/holds/{id}"
    assert chosen(keys, "GET", "/v1/holds/h1/capture") == "ANY /v1/holds/{proxy+}"
    assert chosen(keys, "GET", "/v1/wallet") == "ANY /v1/{proxy+}"


def test_literals_come_before_variables_and_a_method_before_any():
    keys = ["ANY /v1/{noun}", "ANY /v1/holds", "POST /v1/holds"]

    assert chosen(keys, "GET", "/v1/holds") == "ANY /v1/holds"
    assert chosen(keys, "POST", "/v1/holds") == "POST /v1/holds"
    assert chosen(keys, "POST", "/v1/wallet") == "ANY /v1/{noun}"


def test_a_greedy_variable_takes_at_least_one_segment():
    assert chosen(["ANY /v1/holds/{proxy+}"], "GET", "/v1/holds") is None
    assert chosen(["ANY /v1/holds/{proxy+}"], "GET", "/v1/holds/") is None


def test_a_path_is_literal_but_for_its_variables():
    assert chosen(["ANY /v1/a.b"], "GET", "/v1/axb") is None
    assert chosen(["ANY /v1/{id}"], "GET", "/v1/a/b") is None


def test_a_path_is_decoded_once_and_never_breaks():
    assert decoded_path("/a%2Fb%20c/%ff") == "/a/b c/�"
    assert decoded_path("/%2541/100%") == "/%2541/100%"


def test_all_routes_of_the_template_ask_the_authorizer_but_what_is_for_everybody():
    routes = routes_of(TEMPLATE, NAMES)

    assert {one.key for one in routes if not one.is_authorized} == {
        "ANY /v1/health",
        "ANY /v1/plans",
        "ANY /api/v1/billing/plans",
        "ANY /api/v1/billing/plans/{proxy+}",
        "ANY /api/v1/dns/plans",
        "ANY /checkout/success",
        # These are signed by whoever sends them.
        "ANY /v1/billing/stripe/webhook",
        "ANY /api/v1/billing/webhooks/{provider}",
    }
    assert {one.function for one in routes} == {
        "AccountsFunction",
        "CatalogFunction",
        "CreditsFunction",
        "FundingFunction",
        "HoldsFunction",
        "OverviewFunction",
        "PaymentMethodsFunction",
        "PaymentsFunction",
        "StripeWebhookFunction",
        "WalletFunction",
    }


def test_the_authorizer_of_the_template_is_read_from_it():
    authorizer = authorizer_of(TEMPLATE, NAMES)

    assert authorizer.function == "AuthorizerFunction"
    assert (authorizer.header, authorizer.cache_seconds) == ("authorization", 60)


def test_every_function_of_the_template_has_a_name_of_its_own():
    names = function_names(read_template())

    assert len(set(names)) == len(NAMES)
    assert all(name.startswith("holdfast-") for name in names)


def test_the_template_reads_the_same_as_by_the_translators_own_reader():
    from tools import translate_template

    assert read_template() == translate_template.read_template(ROOT / "template.yaml")
