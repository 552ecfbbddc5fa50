"""Readers of senders that sign nothing: the secret path or credentials have to do."""

from collections.abc import Sequence
from datetime import datetime

from webhooks.inbound.proofs import check_path, prove_weakly
from webhooks.inbound.reading import Reader
from webhooks.reports import Grade, Post


class WeakReader(Reader):
    """Takes posts by secret path, or with one of the secrets in `Authorization`."""

    def authenticate(self, post: Post, secrets: Sequence[str], _now: datetime) -> Grade:
        """Demand the secret path if there is one, else credentials."""
        check_path(post)
        return prove_weakly(post, secrets)
