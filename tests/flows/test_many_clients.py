"""Many clients at once, many of their posts sent twice: each acknowledged one is kept once.

CANARY_POSTS says how many; `make soak` sends ten thousand.
"""

import http.client
import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from canary.services.inbox.intake import short_key
from tests.flows.conftest import PATIENCE, House
from webhooks import signing

POSTS = int(os.environ.get("CANARY_POSTS", "400"))
CLIENTS = 32
REPEATED = 0.2
BUSY = (429, 503)
TRIES = 600


def send(house: House, numbers: list[int]) -> Counter[int]:
    """Post over one connection, again when the door is busy; count the statuses."""
    answers: Counter[int] = Counter()
    address = urlsplit(house.base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
    for number in numbers:
        body = f"单号 {number:014d}".encode()
        for _ in range(TRIES):
            headers = signing.headers(
                [house.page_secret], f"post-{number}", datetime.now(UTC), body
            )
            connection.request("POST", "/hooks/market", body, headers)
            answer = connection.getresponse()
            answer.read()
            answers[answer.status] += 1
            if answer.status not in BUSY:
                break
            time.sleep(0.1)
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
    assert set(answers) <= {202, *BUSY}
    assert answers[202] == POSTS
    kept = Counter(post.post_key for post in house.office.posts())
    assert kept == Counter(short_key(f"id:post-{number}") for number in fresh)
