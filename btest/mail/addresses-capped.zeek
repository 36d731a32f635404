# @TEST-DOC: No more addresses of a kind than the site wants, the first ones.
# @TEST-EXEC: zeek -b -r $TRACES/smtp-several.pcap $PACKAGE %INPUT
# @TEST-EXEC: zeek-cut -m mailfrom rcptto from to mailfrom_count <mail_session.log >output
# @TEST-EXEC: btest-diff output

redef MailTap::max_addresses = 1;
