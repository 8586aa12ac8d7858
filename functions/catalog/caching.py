"""What caches are told: the catalogue is the same for everybody, and changes with a release."""

PLANS = "plans"
DNS_PLANS = "dns-plans"


def cached(tag: str) -> dict[str, str]:
    """The headers of an answer that may be kept: for half an hour, by a shared cache for an hour.

    `tag` is the name under which a shared cache can be told to forget it.
    """
    return {
        "Cache-Control": "public, max-age=1800, s-maxage=3600, stale-while-revalidate=60",
        "CDN-Cache-Control": "max-age=3600",
        "Vary": "Accept-Encoding",
        "Cache-Tag": tag,
    }
