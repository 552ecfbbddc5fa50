"""Many clients at once, many of their posts sent twice: each acknowledged one is kept once.

CANARY_POSTS says how many; `make soak` sends ten thousand.
"""

import http.client
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from canary.services.inbox.intake import short_key
from tests.flows.conftest import House
from webhooks import signing

POSTS = int(os.environ.get("CANARY_POSTS", "400"))
CLIENTS = 32
REPEATED = 0.2


def send(house: House, numbers: list[int]) -> Counter[tuple[int, int]]:
    """Post over one connection; count the answers by post and status."""
    answers: Counter[tuple[int, int]] = Counter()
    address = urlsplit(house.base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    for number in numbers:
        body = f"单号 {number:014d}".encode()
        headers = signing.headers([house.page_secret], f"post-{number}", datetime.now(UTC), body)
        connection.request("POST", "/hooks/market", body, headers)
        answer = connection.getresponse()
        answer.read()
        answers[number, answer.status] += 1
    connection.close()
    return answers


@pytest.mark.soak
def test_each_acknowledged_post_is_kept_once(house: House) -> None:
    chance = random.Random(7)
    fresh = list(range(round(POSTS * (1 - REPEATED))))
    wanted = fresh + chance.sample(fresh, POSTS - len(fresh))
    chance.shuffle(wanted)
    shares = [wanted[start::CLIENTS] for start in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = sum(pool.map(lambda share: send(house, share), shares), Counter())
    assert {status for _, status in answers} <= {202, 429, 503}
    kept = Counter(post.post_key for post in house.office.posts())
    acknowledged = {number for number, status in answers if status == 202}
    assert len(acknowledged) > len(fresh) * 0.9
    assert all(kept[short_key(f"id:post-{number}")] == 1 for number in acknowledged)
    assert len(kept) == sum(kept.values()) <= len(fresh)
