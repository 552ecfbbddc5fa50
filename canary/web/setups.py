"""How each sender is set up: what to enter where, in the words of its own screens."""

from collections.abc import Mapping

from canary.web.catalog import lazy_gettext as _l

_OWN_SECRET = _l("The secret is the sender's own: enter theirs when the reporter is added.")
_PATH = _l("It signs nothing: use a secret path, and name the addresses it may post from.")
_RECEIVERS = _l(
    "Say which number each device and slot has, or no message can be tied to a bait's phone."
)
_CLOUD = (
    _l("In the console of the SMS service, set the callback for replies (uplink SMS)."),
    _PATH,
)

SETUPS: Mapping[str, tuple[object, ...]] = {
    "standard": (
        _l("Sign each post by Standard Webhooks: id, time and body, with the secret below."),
        _l("For SMS Server Tools 3 and Gammu a bridge comes with this program: canary bridge."),
    ),
    "smsforwarder": (
        _l("In SmsForwarder add a sender of the kind Webhook: method POST, the secret below."),
        _l("Leave the template empty, or use [org_content], [from], [timestamp] and [sign]."),
        _l("Switch retries on; without them a message is lost when the network is away."),
        _RECEIVERS,
    ),
    "module": (
        _l("Point the module's DingTalk or Feishu channel at the address, with the secret below."),
        _l("Other robots' channels sign nothing: use a secret path for them."),
        _RECEIVERS,
    ),
    "smsgateway": (
        _l("Register a webhook for sms:received in the app, with the secret as signing key."),
        _RECEIVERS,
    ),
    "httpsms": (
        _l("Add a webhook for message.phone.received, with the secret as signing key."),
        _l("Leave the encryption of messages off."),
    ),
    "textbee": (_l("Add a webhook for MESSAGE_RECEIVED, with the secret below."), _RECEIVERS),
    "smstourl": (
        _l("Add a rule for the sender *, with the default template and retries on."),
        _RECEIVERS,
    ),
    "twilio": (_l("Set the number's webhook for incoming messages, by POST."), _OWN_SECRET),
    "vonage": (_l("Set the webhook for inbound SMS and switch signed messages on."), _OWN_SECRET),
    "plivo": (_l("Set the message URL of the number's application, by POST."), _OWN_SECRET),
    "messagebird": (_l("Subscribe to sms.inbound, with a signing key."), _OWN_SECRET),
    "aliyun": _CLOUD,
    "tencent": _CLOUD,
    "volcengine": _CLOUD,
    "qiniu": _CLOUD,
    "baidu": _CLOUD,
    "jasmin": (_l("Add an HTTP client with this address and route the messages to it."), _PATH),
    "changedetection": (
        _l("Add a notification json:// or jsons:// with this address; format: text."),
        _l("Better: a template with watch_title, watch_url, diff_added and diff_removed."),
    ),
    "urlwatch": (_l("Set the Slack reporter's webhook_url to this address."), _PATH),
    "telegram": (_l("Call setWebhook with this address, and the secret as secret_token."),),
    "ail": (_l("Give the tracker this address as its webhook."), _PATH),
    "mapped": (
        _l("Let Huginn, n8n, Zapier or Make post a form or JSON."),
        _l("Say where in it the text is: canary reporter set NAME --field text=data.body"),
    ),
    "page": (
        _l("Post the page's bytes with their content type, as they were received."),
        _l("Venue and address go into the headers X-Canary-Venue and X-Canary-Url."),
    ),
    "feed": (
        _l("Post the feed's bytes as they were received; each entry is a report."),
        _l("To have it fetched from here, add a monitor."),
    ),
    "records": (_l("Post JSON lines or CSV with number, at, account and system; 5,000 at most."),),
    "mailgun": (_l("Add a route that forwards to this address."), _OWN_SECRET),
    "sendgrid": (_l("Under Inbound Parse add a host and this address; no raw MIME."), _PATH),
}
