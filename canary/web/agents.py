"""What a browser says of itself, in two words."""

from canary.web.visible import shorten

# The first that occurs counts: nearly all of them also claim to be Safari.
BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def tell_agent(agent: str) -> str:
    """Return browser and system, such as `Firefox · Windows`; what is neither stands as it is."""
    found = [
        next((name for mark, name in words if mark in agent), "") for words in (BROWSERS, SYSTEMS)
    ]
    return " · ".join(filter(None, found)) or shorten(agent, 60)
