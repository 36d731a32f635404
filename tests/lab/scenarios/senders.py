"""Real SMTP clients."""

from __future__ import annotations

import smtplib
import ssl
from typing import Any

from lab.accounts import ALICE, CLIENT_NAME, WRONG
from lab.clients import ClientError
from lab.messages import BARE, LONG, PLAIN, RICH, header_from
from lab.scenarios.base import Catalogue, Stage
from lab.scenarios.smtp.dialogue import SENDER, TO_ALICE, TO_BOB

catalogue = Catalogue("smtp")
add = catalogue.add
LOGIN = (ALICE.name, ALICE.password)
ENVELOPE: dict[str, Any] = {"mailfrom": [SENDER], "rcptto": [TO_ALICE], "messages": 1}
HELLO: dict[str, Any] = {"helo": CLIENT_NAME}


def swaks(stage: Stage, *options: str, status: tuple[int, ...] = (0,)) -> None:
    """Run swaks with the message PLAIN."""
    message = stage.file("message", PLAIN.text)
    stage.run(
        *("swaks", "--server", stage.address, "--port", str(stage.port), "--helo", CLIENT_NAME),
        *("--from", SENDER, "--to", TO_ALICE, "--data", f"@{message}", *options),
        status=status,
    )


@add("swaks", client="swaks", **HELLO, **ENVELOPE, **PLAIN.wants)
def swaks_plain(stage: Stage) -> None:
    swaks(stage)


@add("swaks, pipelining", client="swaks", needs="PIPELINING", **HELLO, **ENVELOPE, **PLAIN.wants)
def swaks_pipeline(stage: Stage) -> None:
    swaks(stage, "--pipeline")


@add(
    "swaks, AUTH LOGIN",
    client="swaks",
    needs="AUTH",
    **HELLO,
    **ENVELOPE,
    auth="LOGIN",
    auth_result="success",
    user=ALICE.name,
)
def swaks_login(stage: Stage) -> None:
    swaks(stage, "--auth", "LOGIN", "--auth-user", ALICE.name, "--auth-password", ALICE.password)


@add(
    "swaks, AUTH PLAIN",
    client="swaks",
    needs="AUTH",
    **HELLO,
    **ENVELOPE,
    auth="PLAIN",
    auth_result="success",
    user=ALICE.name,
)
def swaks_auth_plain(stage: Stage) -> None:
    swaks(stage, "--auth", "PLAIN", "--auth-user", ALICE.name, "--auth-password", ALICE.password)


@add(
    "swaks, CRAM-MD5",
    client="swaks",
    needs="CRAM-MD5",
    **HELLO,
    **ENVELOPE,
    auth="CRAM-MD5",
    auth_result="success",
    user=ALICE.name,
)
def swaks_cram(stage: Stage) -> None:
    swaks(stage, "--auth", "CRAM-MD5", "--auth-user", ALICE.name, "--auth-password", ALICE.password)


@add(
    "swaks, wrong password",
    client="swaks",
    needs="AUTH",
    **HELLO,
    messages=0,
    auth="PLAIN",
    auth_result="failure",
    user=ALICE.name,
    empty_cause="refused",
)
def swaks_wrong(stage: Stage) -> None:
    swaks(
        stage, "--auth", "PLAIN", "--auth-user", ALICE.name, "--auth-password", WRONG, status=(28,)
    )


@add(
    "swaks, TLS",
    client="swaks",
    needs="STARTTLS TLS",
    **HELLO,
    starttls="tls",
    empty_cause="starttls",
)
def swaks_tls(stage: Stage) -> None:
    swaks(stage, "--tls")


@add("swaks, implicit TLS", client="swaks", needs="TLS", serves="smtps", service=None)
def swaks_implicit(stage: Stage) -> None:
    swaks(stage, "--tls-on-connect")


@add(
    "swaks, quit after RCPT",
    client="swaks",
    **HELLO,
    mailfrom=[SENDER],
    rcptto=[TO_ALICE],
    messages=0,
    stage="logout",
)
def swaks_quit_after(stage: Stage) -> None:
    swaks(stage, "--quit-after", "RCPT")


@add(
    "swaks, dropped after DATA",
    client="swaks",
    **HELLO,
    mailfrom=[SENDER],
    rcptto=[TO_ALICE],
    messages=0,
    stage="data",
)
def swaks_drop(stage: Stage) -> None:
    swaks(stage, "--drop-after", "DATA")


@add(
    "swaks, LMTP",
    client="swaks",
    serves="lmtp",
    **HELLO,
    mailfrom=[SENDER],
    rcptto=[TO_BOB],
    messages=1,
    **PLAIN.wants,
)
def swaks_lmtp(stage: Stage) -> None:
    swaks(stage, "--protocol", "LMTP", "--to", TO_BOB)


def msmtp(stage: Stage, *options: str, text: bytes = RICH.text.encode()) -> None:
    """Run msmtp."""
    stage.run(
        *("msmtp", f"--host={stage.address}", f"--port={stage.port}", f"--domain={CLIENT_NAME}"),
        *(
            f"--from={SENDER}",
            "--tls-certcheck=off",
            "--set-msgid-header=off",
            "--set-date-header=off",
        ),
        *(*options, "--", TO_ALICE),
        text=text,
    )


@add("msmtp", client="msmtp", **HELLO, **ENVELOPE, **RICH.wants)
def msmtp_plain(stage: Stage) -> None:
    msmtp(stage, "--tls=off", "--auth=off")


@add(
    "msmtp, AUTH",
    client="msmtp",
    needs="AUTH",
    **HELLO,
    **ENVELOPE,
    **RICH.wants,
    auth="PLAIN",
    auth_result="success",
    user=ALICE.name,
)
def msmtp_auth(stage: Stage) -> None:
    msmtp(
        stage,
        "--tls=off",
        "--auth=plain",
        f"--user={ALICE.name}",
        f"--passwordeval=echo {ALICE.password}",
    )


@add("msmtp, TLS", client="msmtp", needs="STARTTLS TLS", **HELLO, starttls="tls")
def msmtp_tls(stage: Stage) -> None:
    msmtp(stage, "--tls=on", "--tls-starttls=on", "--auth=off")


@add(
    "s-nail",
    client="s-nail",
    **ENVELOPE,
    **header_from("Ann <ann@example.org>"),
    to=[TO_ALICE],
    subject="From s-nail",
)
def snail(stage: Stage) -> None:
    stage.run(
        *(
            "s-nail",
            "-:/",
            "-Sv15-compat",
            f"-Smta=smtp://{stage.address}:{stage.port}",
            "-Ssmtp-config=-all",
        ),
        *("-Ssmtp-auth=none", f"-Shostname={CLIENT_NAME}", "-Sfrom=Ann <ann@example.org>"),
        *("-s", "From s-nail", TO_ALICE),
        text="Written with s-nail.\n",
    )


@add(
    "mutt",
    client="mutt",
    **ENVELOPE,
    **header_from("Ann <ann@example.org>"),
    to=[TO_ALICE],
    subject="Grüße aus mutt",
)
def mutt(stage: Stage) -> None:
    settings = (
        f"set smtp_url=smtp://{stage.address}:{stage.port}/; "
        "set from=ann@example.org; set realname=Ann; "
        f"set hostname={CLIENT_NAME}; set ssl_starttls=no; set ssl_force_tls=no; set copy=no; "
        "set use_envelope_from=yes; set charset=utf-8"
    )
    stage.run(
        *("mutt", "-n", "-F", "/dev/null", "-e", settings, "-s", "Grüße aus mutt", "--", TO_ALICE),
        text="Written with mutt.\n",
    )


def curl(stage: Stage, *options: str, scheme: str = "smtp", status: tuple[int, ...] = (0,)) -> None:
    """Run curl with the message LONG."""
    message = stage.file("long", LONG.text)
    stage.run(
        *(
            "curl",
            "--silent",
            "--show-error",
            f"{scheme}://{stage.address}:{stage.port}/{CLIENT_NAME}",
        ),
        *("--mail-from", SENDER, "--mail-rcpt", TO_ALICE, "--mail-rcpt", TO_BOB),
        *("--upload-file", message, "--crlf", "--insecure", *options),
        status=status,
    )


@add(
    "curl",
    client="curl",
    **HELLO,
    mailfrom=[SENDER],
    rcptto=[TO_ALICE, TO_BOB],
    messages=1,
    **LONG.wants,
)
def curl_plain(stage: Stage) -> None:
    curl(stage)


@add(
    "curl, AUTH",
    client="curl",
    needs="AUTH",
    **HELLO,
    mailfrom=[SENDER],
    messages=1,
    auth_result="success",
    user=ALICE.name,
)
def curl_auth(stage: Stage) -> None:
    curl(stage, "--user", ":".join(LOGIN), "--login-options", "AUTH=PLAIN")


@add(
    "curl, AUTH, wrong",
    client="curl",
    needs="AUTH",
    **HELLO,
    mailfrom=[],
    messages=0,
    auth_result="failure",
    user=ALICE.name,
)
def curl_wrong(stage: Stage) -> None:
    curl(stage, "--user", f"{ALICE.name}:{WRONG}", "--login-options", "AUTH=LOGIN", status=(67,))


@add("curl, TLS", client="curl", needs="STARTTLS TLS", starttls="tls")
def curl_tls(stage: Stage) -> None:
    curl(stage, "--ssl-reqd")


@add("curl, implicit TLS", client="curl", serves="smtps", needs="TLS", service=None)
def curl_implicit(stage: Stage) -> None:
    curl(stage, scheme="smtps")


@add("curl, VRFY", client="curl", **HELLO, mailfrom=[], messages=0)
def curl_vrfy(stage: Stage) -> None:
    stage.run(
        *(
            "curl",
            "--silent",
            f"smtp://{stage.address}:{stage.port}/{CLIENT_NAME}",
            "--mail-rcpt",
            "alice",
        ),
        status=(0, 8, 55, 56),
    )


@add(
    "smtplib",
    client="Python's libraries",
    **HELLO,
    mailfrom=[SENDER],
    rcptto=[TO_ALICE, TO_BOB],
    messages=1,
    **RICH.wants,
)
def library(stage: Stage) -> None:
    with smtplib.SMTP(stage.address, stage.port, CLIENT_NAME) as client:
        client.sendmail(SENDER, [TO_ALICE, TO_BOB], RICH.crlf)


@add(
    "smtplib, two messages",
    client="Python's libraries",
    needs="AUTH",
    **HELLO,
    mailfrom=[SENDER],
    messages=2,
    auth_result="success",
    user=ALICE.name,
    subject=None,
)
def library_two(stage: Stage) -> None:
    with smtplib.SMTP(stage.address, stage.port, CLIENT_NAME) as client:
        client.login(*LOGIN)
        client.sendmail(SENDER, [TO_ALICE], PLAIN.crlf)
        client.sendmail(SENDER, [TO_ALICE], BARE.crlf)


@add("smtplib, TLS", client="Python's libraries", needs="STARTTLS TLS", **HELLO, starttls="tls")
def library_tls(stage: Stage) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP(stage.address, stage.port, CLIENT_NAME) as client:
        client.starttls(context=context)
        client.sendmail(SENDER, [TO_ALICE], PLAIN.crlf)


@add("openssl s_client", client="openssl", needs="STARTTLS TLS", starttls="tls")
def openssl(stage: Stage) -> None:
    stage.run(
        *(
            "openssl",
            "s_client",
            "-starttls",
            "smtp",
            "-connect",
            f"{stage.address}:{stage.port}",
            "-crlf",
            "-quiet",
        ),
        text="EHLO again\nQUIT\n",
    )


@add("openssl s_client, TLS 1.2", client="openssl", needs="STARTTLS TLS", starttls="tls")
def openssl_old(stage: Stage) -> None:
    stage.run(
        *(
            "openssl",
            "s_client",
            "-tls1_2",
            "-starttls",
            "smtp",
            "-connect",
            f"{stage.address}:{stage.port}",
            "-crlf",
            "-quiet",
        ),
        text="EHLO again\nQUIT\n",
    )


@add(
    "smtplib, nobody taken",
    client="Python's libraries",
    **HELLO,
    mailfrom=[SENDER],
    rcptto=["far@away.example"],
    messages=0,
)
def library_refused(stage: Stage) -> None:
    with smtplib.SMTP(stage.address, stage.port, CLIENT_NAME) as client:
        try:
            client.sendmail(SENDER, ["far@away.example"], PLAIN.crlf)
        except smtplib.SMTPRecipientsRefused:
            return
    raise ClientError("a stranger's recipient was taken")
