"""Notifications that people have sent to them: by services that Apprise knows, and by signed webhooks."""

from services.push.apprise_client import AppriseClient
from services.push.notifier import Notifier
from services.push.outbox import Outbox
from services.push.push_notifications import PushNotifications
from services.push.records import (
    NotificationEvent,
    NotificationMessage,
    NotificationSettings,
    NotificationTest,
    SendOutcome,
    SendResult,
)
from services.push.sender import NotificationSender, masked
from services.push.webhooks import Webhook, WebhookClient, parse_webhook

__all__ = [
    "AppriseClient",
    "NotificationEvent",
    "NotificationMessage",
    "NotificationSender",
    "NotificationSettings",
    "NotificationTest",
    "Notifier",
    "Outbox",
    "PushNotifications",
    "SendOutcome",
    "SendResult",
    "Webhook",
    "WebhookClient",
    "masked",
    "parse_webhook",
]
