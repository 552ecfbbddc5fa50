"""All readers by name."""

from webhooks.inbound.readers.ail import AilReader
from webhooks.inbound.readers.changedetection import ChangeDetectionReader
from webhooks.inbound.readers.feed import FeedReader
from webhooks.inbound.readers.httpsms import HttpSmsReader
from webhooks.inbound.readers.jasmin import JasminReader
from webhooks.inbound.readers.mailgun import MailgunReader
from webhooks.inbound.readers.mapped import MappedReader
from webhooks.inbound.readers.messagebird import MessageBirdReader
from webhooks.inbound.readers.module import ModuleReader
from webhooks.inbound.readers.page import PageReader
from webhooks.inbound.readers.plivo import PlivoReader
from webhooks.inbound.readers.records import RecordsReader
from webhooks.inbound.readers.sendgrid import SendGridReader
from webhooks.inbound.readers.smsforwarder import SmsForwarderReader
from webhooks.inbound.readers.smsgateway import SmsGatewayReader
from webhooks.inbound.readers.smstourl import SmsToUrlReader
from webhooks.inbound.readers.standard import StandardReader
from webhooks.inbound.readers.telegram import TelegramReader
from webhooks.inbound.readers.textbee import TextbeeReader
from webhooks.inbound.readers.twilio import TwilioReader
from webhooks.inbound.readers.uplink import ALIYUN, BAIDU, QINIU, TENCENT, VOLCENGINE
from webhooks.inbound.readers.urlwatch import UrlwatchReader
from webhooks.inbound.readers.vonage import VonageReader
from webhooks.inbound.reading import Reader

READERS: dict[str, Reader] = {
    "standard": StandardReader(),
    "smsforwarder": SmsForwarderReader(),
    "page": PageReader(),
    "feed": FeedReader(),
    "module": ModuleReader(),
    "smsgateway": SmsGatewayReader(),
    "httpsms": HttpSmsReader(),
    "textbee": TextbeeReader(),
    "smstourl": SmsToUrlReader(),
    "twilio": TwilioReader(),
    "vonage": VonageReader(),
    "plivo": PlivoReader(),
    "messagebird": MessageBirdReader(),
    "aliyun": ALIYUN,
    "tencent": TENCENT,
    "volcengine": VOLCENGINE,
    "qiniu": QINIU,
    "baidu": BAIDU,
    "jasmin": JasminReader(),
    "changedetection": ChangeDetectionReader(),
    "urlwatch": UrlwatchReader(),
    "telegram": TelegramReader(),
    "ail": AilReader(),
    "mapped": MappedReader(),
    "records": RecordsReader(),
    "mailgun": MailgunReader(),
    "sendgrid": SendGridReader(),
}
