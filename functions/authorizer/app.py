"""The authorizer: who is calling. It stands in front of every route that is not public."""

import os

from authorizer.decision import authorizer, issuer_of, key_context_of

issuer = issuer_of(os.environ)
handler = authorizer(
    issuer, key_context_of(os.environ), platform_org=os.environ.get("PLATFORM_ORG", "")
)
