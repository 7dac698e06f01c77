"""Notifications that people have sent to them: by services that Apprise knows, and by signed webhooks."""

from services.push.apprise_client import AppriseClient
from services.push.notifier import Notifier
from services.push.outbox import Outbox
from services.push.push_notifications import PushNotifications
from services.push.records import (
    Notification,
    NotificationEvent,
    NotificationSettings,
    NotificationTest,
    SendOutcome,
    SendResult,
)
from services.push.sender import NotificationSender
from services.push.webhooks import Webhook, WebhookClient

__all__ = [
    "AppriseClient",
    "Notification",
    "NotificationEvent",
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
]
