"""E-mail: one plain text to one address, through the operator's mail server."""

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Final

from foveal.errors import Invalid

TIMEOUT_SECONDS: Final = 20
STARTTLS: Final = "starttls"
TLS: Final = "tls"
NONE: Final = "none"
SECURITIES: Final = (STARTTLS, TLS, NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """A mail server, and how it is spoken to."""

    host: str
    port: int
    user: str
    """Empty: without a login."""
    password: str = field(repr=False)
    security: str
    sender: str

    def __post_init__(self) -> None:
        if self.security not in SECURITIES:
            raise Invalid(f"FOVEAL_SMTP_SECURITY is {self.security!r}: expected one of {', '.join(SECURITIES)}.")
        try:
            _address(self.sender)
        except Invalid as error:
            raise Invalid(f"FOVEAL_SMTP_SENDER: {error}") from error


def send(smtp: Smtp, to: str, subject: str, text: str, *, now: datetime) -> None:
    """Hand the text to the mail server, or raise `Invalid` when it cannot be reached or does not take it."""
    sender = _address(smtp.sender)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, _address(to), " ".join(subject.split())
    message["Date"], message["Message-ID"] = format_datetime(now), make_msgid(domain=sender.domain)
    message.set_content(text)
    try:
        with _connection(smtp) as connection:
            if smtp.security == STARTTLS:
                connection.starttls(context=ssl.create_default_context())
            if smtp.user:
                connection.login(smtp.user, smtp.password)
            connection.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise Invalid(f"The mail server {smtp.host}:{smtp.port} did not take the message: {error}.") from error


def _address(text: str) -> Address:
    """Read an address strictly, so that nothing in it becomes a second address or another header."""
    try:
        return Address(addr_spec=text)
    except (MessageError, ValueError, IndexError) as error:
        raise Invalid(f"{text!r} is no e-mail address: expected name@host.") from error


def _connection(smtp: Smtp) -> smtplib.SMTP:
    if smtp.security == TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS, context=context)
    return smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT_SECONDS)
