"""The descriptions of the surfaces, in OpenAPI 3.1, made from the routes that are served.

    python -m tools.api_description          writes docs/openapi/<surface>.json
    python -m tools.api_description --check  says which of them is not what it would write

Nothing in a description is written by hand but a sentence about each surface: the rest is read from
the functions' signatures, their models, their docstrings, and the refusals that they lead to.
"""
