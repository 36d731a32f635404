"""IMAP sessions (RFC 9051, 3501; IDLE 2177, ID 2971, SASL-IR 4959, COMPRESS 4978)."""

from __future__ import annotations

from random import Random
from zlib import compress

from .. import messages, names
from ..dialogue import Builder, Closing, Dialogue, Stage, StartTls
from . import tls
from .imap_script import ImapScript
from .smtp_script import base64, header_fields


def opened(kind: str, rng: Random) -> ImapScript:
    script = ImapScript(kind, rng)
    script.greet(stls=rng.random() < 0.5)
    if rng.random() < 0.5:
        script.capability(stls=rng.random() < 0.5)
    return script


def _in_mailbox(kind: str, rng: Random) -> ImapScript:
    script = opened(kind, rng)
    script.login()
    script.select()
    return script


def login_only(rng: Random) -> Dialogue:
    script = opened("imap_login_only", rng)
    script.login()
    script.logout()
    return script.dialogue()


def login_failed(rng: Random) -> Dialogue:
    script = opened("imap_login_failed", rng)
    script.login(succeeds=False)
    script.logout()
    return script.dialogue(Closing.SERVER_FIN)


def greeting_only(rng: Random) -> Dialogue:
    """A greeting with capabilities, and nothing ever comes back."""
    script = ImapScript("imap_greeting_only", rng)
    script.greet(stls=rng.random() < 0.5, shown_in_full=True)
    return script.dialogue()


def capability_only(rng: Random) -> Dialogue:
    script = ImapScript("imap_capability", rng)
    script.greet(stls=True)
    script.capability(stls=True)
    if rng.random() < 0.5:
        script.command('ID ("name" "client" "version" "1.0")', Stage.HELLO)
        script.server('* ID ("name" "server")', stage=Stage.HELLO, push=False)
        script.reply("OK ID completed.", Stage.HELLO)
    script.logout()
    return script.dialogue()


def selected(rng: Random) -> Dialogue:
    """A mailbox looked at, no message moved."""
    script = _in_mailbox("imap_select", rng)
    script.logout()
    return script.dialogue()


def idle(rng: Random) -> Dialogue:
    script = _in_mailbox("imap_idle", rng)
    script.command("IDLE", Stage.ENVELOPE)
    script.server("+ idling", stage=Stage.ENVELOPE)
    script.server("* 4 EXISTS", stage=Stage.ENVELOPE)
    script.client("DONE")
    script.reply("OK Idle completed.", Stage.ENVELOPE)
    script.logout()
    return script.dialogue()


def authenticated(rng: Random) -> Dialogue:
    """AUTHENTICATE with an initial response, or in steps."""
    script = opened("imap_authenticate", rng)
    script.late_start()
    plain = base64(f"\0{script.user}\0{names.secret(rng)}")
    if rng.random() < 0.5:
        script.command(f"AUTHENTICATE PLAIN {plain}", Stage.AUTH, auth="PLAIN", user=script.user)
    else:
        script.command("AUTHENTICATE PLAIN", Stage.AUTH, auth="PLAIN")
        script.server("+ ", stage=Stage.AUTH)
        script.client(plain, user=script.user)
    script.outcome(succeeds=True)
    script.logout()
    return script.dialogue()


def fetched_message(rng: Random) -> Dialogue:
    script = _in_mailbox("imap_fetch_message", rng)
    for number in range(1, rng.randrange(2, 4)):
        item = rng.choice(("BODY[]", "RFC822"))
        letter = script.letter(rng.choice(("plain", "encoded")))
        size = len(letter.header + letter.body)
        script.command(f"UID FETCH {number} (FLAGS {item.replace('[', '.PEEK[')})", Stage.DATA)
        script.server(
            f"* {number} FETCH (UID {number} FLAGS (\\Seen) {item} {{{size}}}",
            push=False,
            stage=Stage.DATA,
        )
        script.server(letter.header, push=False, **header_fields(letter))
        script.server(letter.body, push=False, lossy=True, messages=1, stage=Stage.RETRIEVED)
        script.server(")", push=False)
        script.reply("OK Fetch completed.")
    script.logout()
    return script.dialogue()


def fetched_decoy(rng: Random) -> Dialogue:
    """A literal full of lines that look like protocol."""
    script = _in_mailbox("imap_fetch_decoy", rng)
    letter = script.letter("plain", messages.decoy_body(rng))
    script.command("FETCH 1 BODY[]", Stage.DATA)
    script.server(
        f"* 1 FETCH (BODY[] {{{len(letter.header + letter.body)}}}", push=False, stage=Stage.DATA
    )
    script.server(letter.header, push=False, **header_fields(letter))
    script.server(letter.body, push=False, messages=1, stage=Stage.RETRIEVED)
    script.server(")", push=False)
    script.reply("OK Fetch completed.")
    script.logout()
    return script.dialogue()


def fetched_header(rng: Random) -> Dialogue:
    """Header fields only, of several messages in one answer."""
    script = _in_mailbox("imap_fetch_header", rng)
    script.command("FETCH 1:2 (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT)])", Stage.DATA)
    for number in (1, 2):
        letter = script.letter(rng.choice(("plain", "encoded")))
        size = len(letter.header)
        script.server(
            f"* {number} FETCH (BODY[HEADER.FIELDS (FROM TO SUBJECT)] {{{size}}}",
            push=False,
            stage=Stage.DATA,
        )
        script.server(
            letter.header, push=False, messages=1, stage=Stage.RETRIEVED, **header_fields(letter)
        )
        script.server(")", push=False)
    script.reply("OK Fetch completed.")
    script.logout()
    return script.dialogue()


def fetched_envelope(rng: Random) -> Dialogue:
    """ENVELOPE (RFC 9051 7.5.2): the items are put together from its parts."""
    script = _in_mailbox("imap_fetch_envelope", rng)
    subject = rng.choice(names.SUBJECTS)
    sender, recipients = names.address(rng), names.addresses(rng)
    name = rng.choice((*names.DISPLAY_NAMES, None))
    written_subject = f"{{{len(subject)}}}\r\n{subject}" if rng.random() < 0.3 else f'"{subject}"'
    from_list = _address_list([(name, sender)])
    to_list = _address_list([(None, recipient) for recipient in recipients])
    script.command("FETCH 1 (FLAGS ENVELOPE)", Stage.DATA)
    script.server(
        f'* 1 FETCH (FLAGS () ENVELOPE ("{messages.DATES[0]}" {written_subject} '
        f'{from_list} {from_list} {from_list} {to_list} NIL NIL NIL "<1@example.org>"))',
        push=False,
        stage=Stage.RETRIEVED,
        from_=(f"{name} <{sender}>" if name else sender,),
        to=recipients,
        subject=subject,
    )
    script.reply("OK Fetch completed.")
    script.logout()
    return script.dialogue()


def _address_list(people: list[tuple[str | None, str]]) -> str:
    written = []
    for name, address in people:
        mailbox, _, host = address.partition("@")
        written.append(f'({quoted(name)} NIL "{mailbox}" "{host}")')
    return f"({''.join(written)})"


def quoted(text: str | None) -> str:
    return "NIL" if text is None else f'"{text}"'


def appended(rng: Random) -> Dialogue:
    """APPEND, with both kinds of literal. No message arrives by it: it shows no header fields."""
    script = opened("imap_append", rng)
    script.login()
    letter = script.letter("plain")
    size = len(letter.header + letter.body)
    plus = rng.choice(("", "+"))
    script.command(f'APPEND "Sent" (\\Seen) {{{size}{plus}}}', Stage.ENVELOPE)
    if not plus:
        script.server("+ OK")
    script.client(letter.header, push=False)
    script.client(letter.body, push=False, lossy=True)
    script.client(b"\r\n")
    script.reply("OK [APPENDUID 1700000000 4] Append completed.", Stage.ENVELOPE)
    script.logout()
    return script.dialogue()


def compressed(rng: Random) -> Dialogue:
    """After COMPRESS DEFLATE nothing can be read any more."""
    script = opened("imap_compress", rng)
    script.login()
    script.command("COMPRESS DEFLATE")
    script.reply("OK DEFLATE active")
    script.client(compress(rng.randbytes(60))[2:], service=None)
    script.server(compress(rng.randbytes(400))[2:], service=None)
    return script.dialogue()


def _upgrade_requested(kind: str, rng: Random) -> ImapScript:
    script = ImapScript(kind, rng)
    script.greet(stls=True)
    if rng.random() < 0.5:
        script.capability(stls=True)
    script.command("STARTTLS", Stage.HELLO, starttls=StartTls.REQUESTED)
    return script


def starttls(rng: Random) -> Dialogue:
    script = _upgrade_requested("imap_starttls", rng)
    script.reply(script.flavour.tls_ready, starttls=StartTls.ACCEPTED)
    return tls.upgrade(script, rng, script.host)


def starttls_refused(rng: Random) -> Dialogue:
    script = _upgrade_requested("imap_starttls_refused", rng)
    script.reply(script.flavour.tls_refused, starttls=StartTls.REFUSED)
    script.login()
    script.logout()
    return script.dialogue()


BUILDERS: dict[str, Builder] = {
    "imap_login_only": login_only,
    "imap_login_failed": login_failed,
    "imap_greeting_only": greeting_only,
    "imap_capability": capability_only,
    "imap_select": selected,
    "imap_idle": idle,
    "imap_authenticate": authenticated,
    "imap_fetch_message": fetched_message,
    "imap_fetch_decoy": fetched_decoy,
    "imap_fetch_header": fetched_header,
    "imap_fetch_envelope": fetched_envelope,
    "imap_append": appended,
    "imap_compress": compressed,
    "imap_starttls": starttls,
    "imap_starttls_refused": starttls_refused,
}
