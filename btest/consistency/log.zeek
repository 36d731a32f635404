# @TEST-DOC: A verdict that MailTap's client sends back is a row of mail_consistency.log; what it doesn't know is unset.
#
# @TEST-EXEC: zeek -b $PACKAGE/consistency %INPUT
# @TEST-EXEC: zeek-cut -m < mail_consistency.log > rows
# @TEST-EXEC: btest-diff rows
# @TEST-EXEC: test ! -f notice.log

event zeek_init()
	{
	event MailTap::mail_verdict("{\"v\": 1, \"ts\": 1700000000.25, \"uid\": \"CHhAvVGS1DHFjwGM9\", \"community_id\": \"1:abc=\", \"sensor\": \"worker-1\", \"client_h\": \"10.0.0.1\", \"client_p\": 40000, \"server_h\": \"2001:db8::25\", \"server_p\": 25, \"service\": \"smtp\", \"app\": \"smtp\", \"provenance\": \"payload\", \"decode_as\": \"MAIL\", \"verdict\": \"consistent\"}");
	event MailTap::mail_verdict("{\"v\": 1, \"ts\": 1700000001.5, \"sensor\": \"worker-2\", \"app\": \"imap.ssl\", \"provenance\": \"port\", \"verdict\": \"inconsistent\", \"cause\": \"label_port_guess\", \"wrong\": \"label\", \"evidence\": \"the label only repeats the port\"}");
	event MailTap::mail_verdict("{\"v\": 1, \"ts\": 1700000002, \"sensor\": \"Köln-3 ✉ 📬\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"compatible\", \"cause\": \"starttls\", \"later\": [\"unknown keys are for later versions\"]}");
	}
