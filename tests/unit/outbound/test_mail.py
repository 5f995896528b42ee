"""E-mail through a mail server that listens."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.receivers import HOST, Mailbox, mail_server

from foveal.errors import Invalid
from foveal.outbound.mail import Smtp, send

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def smtp(mailbox: Mailbox, **other: object) -> Smtp:
    plain = Smtp(host=HOST, port=mailbox.port, user="", password="", security="none", sender="foveal@example.org")
    return replace(plain, **other)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


class TestSend:
    def test_arrives(self, mailbox: Mailbox) -> None:
        send(smtp(mailbox), "ann@example.org", "Training of Äpfel", "It ended.\n", now=NOW)
        [mail] = mailbox.mails
        assert (mail["From"], mail["To"]) == ("foveal@example.org", "ann@example.org")
        assert (mail["Subject"], mail.get_content()) == ("Training of Äpfel", "It ended.\r\n")
        assert mail["Date"].datetime == NOW
        assert mail["Message-ID"].endswith("@example.org>")

    def test_a_subject_of_several_lines_becomes_one(self, mailbox: Mailbox) -> None:
        send(smtp(mailbox), "ann@example.org", "a\r\nBcc: bob@example.org\n", "text", now=NOW)
        [mail] = mailbox.mails
        assert (mail["Subject"], mail["Bcc"]) == ("a Bcc: bob@example.org", None)
        assert mailbox.recipients == ["ann@example.org"]

    @pytest.mark.parametrize(
        "address", ["", "ann", "ann@", "@b", "a@b, c@d", "a@b,c", "a@b\r\nBcc: c@d", "Ann <a@b>", "a@b c"]
    )
    def test_refuses_what_is_not_one_address(self, mailbox: Mailbox, address: str) -> None:
        with pytest.raises(Invalid, match="no e-mail address"):
            send(smtp(mailbox), address, "subject", "text", now=NOW)
        assert mailbox.mails == []

    def test_tells_why_the_server_did_not_take_it(self, mailbox: Mailbox) -> None:
        mailbox.refuses = True
        with pytest.raises(Invalid, match="We take nothing"):
            send(smtp(mailbox), "ann@example.org", "subject", "text", now=NOW)

    def test_sends_nothing_in_the_clear_where_it_shall_not(self, mailbox: Mailbox) -> None:
        for security in ("starttls", "tls"):
            with pytest.raises(Invalid, match="did not take the message"):
                send(smtp(mailbox, security=security), "ann@example.org", "subject", "text", now=NOW)
        assert mailbox.mails == []

    def test_nobody_there(self, mailbox: Mailbox) -> None:
        with pytest.raises(Invalid, match=f"{HOST}:1 did not take the message"):
            send(smtp(mailbox, port=1), "ann@example.org", "subject", "text", now=NOW)


class TestLogin:
    def test_with_name_and_password(self) -> None:
        with mail_server(password="pass word") as mailbox:
            send(smtp(mailbox, user="foveal", password="pass word"), "ann@example.org", "s", "t", now=NOW)
            with pytest.raises(Invalid) as caught:
                send(smtp(mailbox, user="foveal", password="wr0ng"), "ann@example.org", "s", "t", now=NOW)
        assert len(mailbox.mails) == 1
        assert "wr0ng" not in str(caught.value)

    @pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
    def test_behind_starttls(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        subprocess.run([*command, *names], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with mail_server(tls=context, password="pw") as mailbox:
            secure = smtp(mailbox, host="localhost", security="starttls", user="foveal", password="pw")
            with pytest.raises(Invalid, match="certificate"):
                send(secure, "ann@example.org", "s", "t", now=NOW)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            send(secure, "ann@example.org", "s", "t", now=NOW)
        assert len(mailbox.mails) == 1


class TestSmtp:
    def test_refuses_an_unknown_security(self, mailbox: Mailbox) -> None:
        with pytest.raises(Invalid, match="expected one of starttls, tls, none"):
            smtp(mailbox, security="ssl")

    def test_needs_a_sender(self, mailbox: Mailbox) -> None:
        with pytest.raises(Invalid, match="FOVEAL_SMTP_SENDER: '' is no e-mail address"):
            smtp(mailbox, sender="")

    def test_keeps_its_password_to_itself(self, mailbox: Mailbox) -> None:
        assert "pass word" not in repr(smtp(mailbox, password="pass word"))
