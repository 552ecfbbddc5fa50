"""Readers of senders that sign nothing, or only if they are told how."""

from collections.abc import Sequence
from datetime import datetime

from webhooks import signing
from webhooks.inbound.proofs import check_path, prove_weakly
from webhooks.inbound.reading import Reader
from webhooks.reports import Grade, Post


class WeakReader(Reader):
    """Takes posts by secret path, or with one of the secrets in `Authorization`."""

    def authenticate(self, post: Post, secrets: Sequence[str], _now: datetime) -> Grade:
        """Demand the secret path if there is one, else credentials."""
        check_path(post)
        return prove_weakly(post, secrets)


class OpenReader(WeakReader):
    """Takes signed posts as signed, and others by secret path or credentials."""

    def authenticate(self, post: Post, secrets: Sequence[str], now: datetime) -> Grade:
        """Verify the Standard Webhooks signature if there is one, else demand a weak proof."""
        if signing.SIGNATURE_HEADER in post.headers:
            signing.verify(secrets, post.headers, post.body, now)
            return Grade.SIGNED
        return super().authenticate(post, secrets, now)
