"""Errors of the webhooks library.

WebhookError
├── SignatureError   the post is not proven to come from its reporter
├── PayloadError     the bytes cannot be read; carries the HTTP status to answer
├── InboxBusy        nothing can be made durable now; the sender shall come again
├── InboxConflict    a key was used before for other content
├── InboxStale       what a post was proven by has changed meanwhile
└── DeliveryError    a message was not taken; permanent or worth another attempt
    └── AddressRefused   the address may not be called
"""


class WebhookError(Exception):
    """Base of all errors this library raises on purpose."""


class SignatureError(WebhookError):
    """The post is not proven to come from its reporter."""


class PayloadError(WebhookError):
    """The bytes cannot be read; `status` is 400, 413 or 415."""

    def __init__(self, reason: str, *, status: int = 400) -> None:
        self.status = status
        super().__init__(reason)


class InboxBusy(WebhookError):
    """Nothing can be made durable now; `status` is 429 or 503, `retry_after` in seconds."""

    def __init__(self, reason: str = "", *, retry_after: int = 5, status: int = 503) -> None:
        self.retry_after = retry_after
        self.status = status
        super().__init__(reason)


class InboxConflict(WebhookError):
    """The key was used before for other content; the first stays."""


class InboxStale(WebhookError):
    """What the post was proven by has changed meanwhile; it must be proven anew."""


class DeliveryError(WebhookError):
    """A message was not taken. `retry_after` in seconds, `answer` is what the receiver said."""

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        answer: str = "",
    ) -> None:
        self.permanent = permanent
        self.retry_after = retry_after
        self.answer = answer
        super().__init__(reason)


class AddressRefused(DeliveryError):
    """The address may not be called; it stays refused until somebody changes a setting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=True)
