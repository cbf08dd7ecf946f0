"""Verifies recorded webhooks with the packages of Standard Webhooks and of Svix.

Reads a JSON file: {"secret": "whsec_...", "deliveries": [{"headers": {...}, "body": "..."}]}. Prints how many each
package accepted, and fails if one of them accepts a forgery.
"""

import json
import sys

import standardwebhooks
import svix.webhooks

PACKAGES = {
    "standardwebhooks": (standardwebhooks.Webhook, standardwebhooks.WebhookVerificationError),
    "svix": (svix.webhooks.Webhook, svix.webhooks.WebhookVerificationError),
}


def judge(name, recorded):
    verifier, refusal = PACKAGES[name]
    webhook = verifier(recorded["secret"])
    accepted = 0
    for delivery in recorded["deliveries"]:
        headers, body = delivery["headers"], delivery["body"]
        data = webhook.verify(body, headers)
        # The one returns what it read, the other may not.
        assert data is None or data == json.loads(body), name
        accepted += 1
        forgeries = [
            (body.replace("sms", "sm5", 1), headers),
            (body, {**headers, "webhook-id": headers["webhook-id"] + "x"}),
            (body, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}),
        ]
        for forged_body, forged_headers in forgeries:
            try:
                webhook.verify(forged_body, forged_headers)
            except refusal:
                continue
            sys.exit(f"{name} accepted a forgery")
    return accepted


with open(sys.argv[1], encoding="utf-8") as file:
    read = json.load(file)
print(json.dumps({name: judge(name, read) for name in PACKAGES}))
