##! The plugin. Its options are MailTap's: ports, thresholds, what records leave out, ``decode_as``.

@load-plugin MailTap::Sessions
