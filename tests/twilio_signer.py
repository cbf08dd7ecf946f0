"""Plays Twilio's webhooks against a server, signed by Twilio's own library.

    twilio_signer.py SERVER PUBLIC_URL TOKEN WHAT FIELDS

SERVER is where the server listens, PUBLIC_URL the address that Twilio believes it is at and therefore signs. WHAT is
`messages` or `status`, with a forgery behind a colon: `tampered` (a field is changed after it was signed), `unsigned`,
`other-token`, `other-url`. FIELDS are a JSON object. Prints the answer as JSON: status and body.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from twilio.request_validator import RequestValidator


def main() -> None:
    server, public_url, token, what, fields = sys.argv[1:]
    what, _, forgery = what.partition(":")
    fields = json.loads(fields)
    path = f"/carriers/twilio/{what}"
    signed_url = (public_url if forgery != "other-url" else "https://elsewhere.example") + path
    validator = RequestValidator(token if forgery != "other-token" else "f" * 32)
    signature = validator.compute_signature(signed_url, fields)
    if not forgery:
        assert validator.validate(signed_url, fields, signature)
    if forgery == "tampered":
        fields["From" if what == "messages" else "MessageStatus"] = "+14155550666"
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    if forgery != "unsigned":
        headers["X-Twilio-Signature"] = signature
    body = urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(server + path, data=body, headers=headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as response:
            status, text = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    print(json.dumps({"status": status, "body": text}))


main()
