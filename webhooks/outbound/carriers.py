"""All senders together, under one address policy."""

from webhooks.outbound.addresses import AddressPolicy
from webhooks.outbound.apprise import AppriseSender
from webhooks.outbound.mail import SmtpSender
from webhooks.outbound.routing import RoutingSender
from webhooks.outbound.sender import HttpSender
from webhooks.outbound.sending import Sender
from webhooks.outbound.syslog import SyslogSender


def make_sender(policy: AddressPolicy, *, plain_mail_hosts: frozenset[str] = frozenset()) -> Sender:
    """Return a sender for every scheme there is."""
    http = HttpSender(policy=policy)
    syslog = SyslogSender(policy=policy)
    mail = SmtpSender(policy=policy, plain_hosts=plain_mail_hosts)
    return RoutingSender(
        senders={
            "http": http,
            "https": http,
            "smtp": mail,
            "smtps": mail,
            "syslog+udp": syslog,
            "syslog+tcp": syslog,
            "syslog+tls": syslog,
            "apprise": AppriseSender(policy=policy),
        }
    )
