"""All formats by name."""

from webhooks.outbound.formats.apprise import AppriseFormat
from webhooks.outbound.formats.base import Format
from webhooks.outbound.formats.cef import CefFormat
from webhooks.outbound.formats.dingtalk import DingTalkFormat
from webhooks.outbound.formats.feishu import FeishuFormat
from webhooks.outbound.formats.mail import MailFormat
from webhooks.outbound.formats.misp import MispFormat
from webhooks.outbound.formats.pagerduty import PagerDutyFormat
from webhooks.outbound.formats.slack import SlackFormat
from webhooks.outbound.formats.splunk import SplunkFormat
from webhooks.outbound.formats.standard import StandardFormat
from webhooks.outbound.formats.stix import StixFormat
from webhooks.outbound.formats.telegram import TelegramFormat
from webhooks.outbound.formats.thehive import TheHiveFormat
from webhooks.outbound.formats.wecom import WeComFormat

FORMATS: dict[str, Format] = {
    "standard": StandardFormat(),
    "dingtalk": DingTalkFormat(),
    "feishu": FeishuFormat(),
    "wecom": WeComFormat(),
    "slack": SlackFormat(),
    "telegram": TelegramFormat(),
    "pagerduty": PagerDutyFormat(),
    "splunk": SplunkFormat(),
    "cef": CefFormat(),
    "mail": MailFormat(),
    "thehive": TheHiveFormat(),
    "misp": MispFormat(),
    "stix": StixFormat(),
    "apprise": AppriseFormat(),
}
