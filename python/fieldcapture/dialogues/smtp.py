"""SMTP sessions (RFC 5321, 3030, 3207, 4954, 6531)."""

from __future__ import annotations

from random import Random

from .. import messages, names
from ..dialogue import Builder, Closing, Dialogue, Stage, StartTls, without_push
from . import tls
from .smtp_script import SmtpScript, authenticate, header_fields
from .smtp_servers import EXCHANGE, STARTTLS


def opened(kind: str, rng: Random) -> SmtpScript:
    """A session up to the answer to its hello. The server offers STARTTLS or does not."""
    script = SmtpScript(kind, rng)
    script.greet()
    script.hello((STARTTLS,) if rng.random() < 0.7 else ())
    return script


def message(rng: Random, kind: str = "smtp_message", style: str = "plain") -> Dialogue:
    script = opened(kind, rng)
    sender, recipients = names.address(rng), names.addresses(rng)
    script.envelope(
        sender, recipients, rng.choice(("", " SIZE=48213", " BODY=8BITMIME SIZE=2000", " RET=HDRS"))
    )
    script.data(messages.message(rng, sender, recipients, style))
    script.quit()
    return script.dialogue(rng.choice((Closing.CLIENT_FIN, Closing.SERVER_FIN)))


def encoded(rng: Random) -> Dialogue:
    """Encoded words and folded header fields."""
    return message(rng, "smtp_encoded", "encoded")


def without_to(rng: Random) -> Dialogue:
    """A message whose To names nobody."""
    script = opened("smtp_without_to", rng)
    sender = names.address(rng)
    script.envelope(sender, names.addresses(rng))
    script.data(messages.message(rng, sender, ()))
    script.quit()
    return script.dialogue()


def utf8(rng: Random) -> Dialogue:
    """SMTPUTF8: addresses and header in plain UTF-8."""
    script = opened("smtp_utf8", rng)
    sender, recipients = names.utf8_address(rng), (names.utf8_address(rng), names.address(rng))
    script.envelope(sender, recipients, " SMTPUTF8 BODY=8BITMIME")
    script.data(messages.message(rng, sender, recipients, "utf8"))
    script.quit()
    return script.dialogue()


def latin1(rng: Random) -> Dialogue:
    """An 8-bit envelope that is no UTF-8: such a byte is reported as four characters."""
    script = opened("smtp_latin1", rng)
    script.mail("jos\\xe9@example.org", written="<jos\udce9@example.org>")
    script.recipient(names.address(rng))
    script.quit()
    return script.dialogue()


def dot_stuffed(rng: Random) -> Dialogue:
    return _with_body("smtp_dot_stuffed", rng, messages.dotted_body(rng))


def decoy(rng: Random) -> Dialogue:
    """A body full of lines that look like commands, replies and header fields."""
    return _with_body("smtp_decoy", rng, messages.decoy_body(rng))


def _with_body(kind: str, rng: Random, body: bytes) -> Dialogue:
    script = opened(kind, rng)
    sender, recipients = names.address(rng), names.addresses(rng)
    script.envelope(sender, recipients)
    script.data(messages.message(rng, sender, recipients, body=body), lossy=False)
    script.quit()
    return script.dialogue()


def null_sender(rng: Random) -> Dialogue:
    """A bounce."""
    script = opened("smtp_null_sender", rng)
    recipient = names.address(rng)
    script.envelope("<>", (recipient,))
    script.data(messages.message(rng, f"MAILER-DAEMON@{script.host}", (recipient,)))
    script.quit()
    return script.dialogue()


def unusual_paths(rng: Random) -> Dialogue:
    """Source routes (RFC 5321 C), quoted local parts, address literals, sloppy spaces."""
    script = SmtpScript("smtp_unusual_paths", rng)
    script.greet()
    script.hello(verb=rng.choice(("HELO", "ehlo", "EHLO")))
    sender = names.address(rng)
    script.mail(
        sender,
        written=rng.choice((f"<@relay.example.net,@mx.example.org:{sender}>", f" <{sender}>")),
    )
    script.recipient('"john doe"@example.org')
    script.recipient("carol@[192.0.2.25]")
    script.recipient(sender, written=f"<{sender}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;{sender}")
    script.data(messages.message(rng, sender, (names.address(rng),)))
    script.quit()
    return script.dialogue()


def pipelined(rng: Random) -> Dialogue:
    """RFC 2920: the whole envelope in one go, the replies too."""
    script = opened("smtp_pipelined", rng)
    sender, recipients = names.address(rng), names.addresses(rng)
    flavour = script.flavour
    script.late_start()
    script.client(
        f"MAIL FROM:<{sender}>",
        mailfrom=(sender,),
        stage=Stage.ENVELOPE,
        command=True,
        decisive=True,
    )
    for recipient in recipients:
        script.client(
            f"RCPT TO:<{recipient}>",
            rcptto=(recipient,),
            stage=Stage.ENVELOPE,
            command=True,
            decisive=True,
        )
    script.client("DATA", stage=Stage.DATA, command=True)
    script.reply(flavour.sender_ok, stage=Stage.ENVELOPE)
    for _ in recipients:
        script.reply(flavour.recipient_ok, stage=Stage.ENVELOPE)
    script.reply(flavour.data, stage=Stage.DATA)
    letter = messages.message(rng, sender, recipients)
    script.client(letter.header, **header_fields(letter))
    script.client(letter.body, lossy=True)
    script.client(".", messages=1, stage=Stage.DELIVERED)
    script.client("QUIT", command=True, logout=True)
    script.reply(flavour.queued, messages=1, stage=Stage.DELIVERED)
    script.reply(flavour.bye, logout=True)
    return without_push(script.dialogue())


def bdat(rng: Random) -> Dialogue:
    """RFC 3030. The last chunk may be empty; the server's 250s do not show a message."""
    script = opened("smtp_bdat", rng)
    sender, recipients = names.address(rng), names.addresses(rng)
    script.envelope(sender, recipients)
    letter = messages.message(rng, sender, recipients)
    chunks: list[tuple[bytes, dict[str, object]]] = [
        (letter.header, header_fields(letter)), (letter.body, {"lossy": True}),
    ]  # fmt: skip
    if rng.random() < 0.5:
        chunks.append((b"", {}))
    for index, (chunk, shown) in enumerate(chunks):
        last = index == len(chunks) - 1
        ended: dict[str, object] = (
            {"messages": 1, "stage": Stage.DELIVERED} if last else {"stage": Stage.DATA}
        )
        command = f"BDAT {len(chunk)} LAST" if last else f"BDAT {len(chunk)}"
        script.client(command, command=True, push=not chunk, **({} if chunk else ended))
        if chunk:
            script.client(chunk, **{**ended, **shown})
        script.reply(f"250 2.0.0 Ok: {len(chunk)} octets", stage=Stage.DATA)
    script.quit()
    return script.dialogue()


def several_messages(rng: Random) -> Dialogue:
    script = opened("smtp_several_messages", rng)
    for _ in range(rng.randrange(2, 5)):
        sender, recipients = names.address(rng), names.addresses(rng)
        script.envelope(sender, recipients)
        script.data(messages.message(rng, sender, recipients, rng.choice(("plain", "encoded"))))
        if rng.random() < 0.3:
            script.client("RSET", command=True)
            script.reply(script.flavour.sender_ok)
    script.quit()
    return script.dialogue()


def envelope(rng: Random) -> Dialogue:
    """An envelope and no message: the server resets before DATA, or either side has enough."""
    script = opened("smtp_envelope", rng)
    script.mail(names.address(rng) if rng.random() < 0.9 else "<>")
    recipients = names.addresses(rng)
    ending = rng.choice(("reset", "reset", "refused", "client"))
    for recipient in recipients:
        script.recipient(recipient, reply="550 5.1.1 User unknown" if ending == "refused" else None)
    if ending == "reset":
        return script.dialogue(Closing.SERVER_RESET)
    if ending == "refused":
        script.quit()
        return script.dialogue()
    return script.dialogue(Closing.CLIENT_RESET)


def sender_only(rng: Random) -> Dialogue:
    """No recipient is ever named: the sender is refused, or the server resets."""
    script = opened("smtp_sender_only", rng)
    script.mail(names.address(rng))
    if rng.random() < 0.5:
        return script.dialogue(Closing.SERVER_RESET)
    script.quit()
    return script.dialogue()


def hello_only(rng: Random) -> Dialogue:
    script = opened("smtp_hello_only", rng)
    if rng.random() < 0.3:
        script.client("NOOP", command=True)
        script.reply("250 2.0.0 Ok")
    script.quit()
    return script.dialogue()


def hello_refused(rng: Random) -> Dialogue:
    script = SmtpScript("smtp_hello_refused", rng)
    script.greet()
    script.client(
        f"EHLO {script.client_host}",
        helo=script.client_host,
        stage=Stage.HELLO,
        command=True,
        decisive=True,
    )
    script.reply("550 5.7.1 {client} is not welcome here", refusal=True)
    script.quit()
    return script.dialogue()


def greeting_only(rng: Random) -> Dialogue:
    """The client says nothing, which is no mail where only the client is seen."""
    script = SmtpScript("smtp_greeting_only", rng)
    script.greet()
    return script.dialogue()


def greeting_refused(rng: Random) -> Dialogue:
    script = SmtpScript("smtp_greeting_refused", rng)
    script.reply(script.flavour.turned_away, stage=Stage.GREETING, refusal=True)
    script.client("QUIT", command=True, logout=True)
    script.reply(script.flavour.bye, logout=True)
    return script.dialogue()


def cut_short(rng: Random) -> Dialogue:
    """Over after the first line: seen from one side, three packets."""
    script = SmtpScript("smtp_cut_short", rng)
    script.greet()
    script.client(
        f"EHLO {script.client_host}",
        helo=script.client_host,
        stage=Stage.HELLO,
        command=True,
        decisive=True,
    )
    return script.dialogue(Closing.NONE)


def authenticated(rng: Random, succeeds: bool = True) -> Dialogue:
    script = opened("smtp_auth" if succeeds else "smtp_auth_failed", rng)
    authenticate(script, rng, succeeds)
    if succeeds:
        sender, recipients = names.address(rng), names.addresses(rng)
        script.envelope(sender, recipients)
        script.data(messages.message(rng, sender, recipients))
    script.quit()
    return script.dialogue()


def _upgrade_requested(kind: str, rng: Random, command: str = STARTTLS) -> SmtpScript:
    script = SmtpScript(kind, rng, EXCHANGE if command == "X-ANONYMOUSTLS" else None)
    script.greet()
    script.hello((STARTTLS,))
    script.client(command, starttls=StartTls.REQUESTED, stage=Stage.HELLO, command=True)
    return script


def starttls(rng: Random, command: str = STARTTLS) -> Dialogue:
    kind = "smtp_starttls" if command == STARTTLS else "smtp_anonymous_tls"
    script = _upgrade_requested(kind, rng, command)
    script.reply(script.flavour.tls_ready, starttls=StartTls.ACCEPTED)
    return tls.upgrade(script, rng, script.host)


def anonymous_tls(rng: Random) -> Dialogue:
    """Exchange's own upgrade between its hubs."""
    return starttls(rng, "X-ANONYMOUSTLS")


def starttls_requested(rng: Random) -> Dialogue:
    """The request is met with a reset."""
    return _upgrade_requested("smtp_starttls_requested", rng).dialogue(Closing.SERVER_RESET)


def starttls_refused(rng: Random) -> Dialogue:
    """The mail goes in the clear then."""
    script = _upgrade_requested("smtp_starttls_refused", rng)
    script.reply(script.flavour.tls_refused, starttls=StartTls.REFUSED)
    return _in_the_clear(script, rng)


def starttls_plaintext(rng: Random) -> Dialogue:
    """The server is ready for TLS, but the client goes on in plaintext."""
    script = _upgrade_requested("smtp_starttls_plaintext", rng)
    script.reply(script.flavour.tls_ready, starttls=StartTls.ACCEPTED)
    return _in_the_clear(script, rng)


def _in_the_clear(script: SmtpScript, rng: Random) -> Dialogue:
    sender, recipients = names.address(rng), names.addresses(rng)
    script.envelope(sender, recipients)
    script.data(messages.message(rng, sender, recipients))
    script.quit()
    return script.dialogue()


def auth_failed(rng: Random) -> Dialogue:
    return authenticated(rng, succeeds=False)


BUILDERS: dict[str, Builder] = {
    "smtp_message": message,
    "smtp_encoded": encoded,
    "smtp_without_to": without_to,
    "smtp_utf8": utf8,
    "smtp_latin1": latin1,
    "smtp_dot_stuffed": dot_stuffed,
    "smtp_decoy": decoy,
    "smtp_null_sender": null_sender,
    "smtp_unusual_paths": unusual_paths,
    "smtp_pipelined": pipelined,
    "smtp_bdat": bdat,
    "smtp_several_messages": several_messages,
    "smtp_envelope": envelope,
    "smtp_sender_only": sender_only,
    "smtp_hello_only": hello_only,
    "smtp_hello_refused": hello_refused,
    "smtp_greeting_only": greeting_only,
    "smtp_greeting_refused": greeting_refused,
    "smtp_cut_short": cut_short,
    "smtp_auth": authenticated,
    "smtp_auth_failed": auth_failed,
    "smtp_starttls": starttls,
    "smtp_anonymous_tls": anonymous_tls,
    "smtp_starttls_requested": starttls_requested,
    "smtp_starttls_refused": starttls_refused,
    "smtp_starttls_plaintext": starttls_plaintext,
}
