# @TEST-DOC: Verdicts beyond so many a second, over ten seconds, are refused.
#
# @TEST-EXEC: zeek -b $PACKAGE/consistency %INPUT > refused
# @TEST-EXEC: btest-diff refused
# @TEST-EXEC: test "$(zeek-cut sensor < mail_consistency.log | wc -l)" = 50
# @TEST-EXEC: zeek-cut note msg < notice.log > notices
# @TEST-EXEC: btest-diff notices

module MailTap;

redef max_verdicts_per_second = 5;

event zeek_init()
	{
	local sent = 0;

	while ( ++sent <= 65 )
		event MailTap::mail_verdict("{\"v\": 1, \"ts\": 1, \"sensor\": \"a\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"consistent\"}");
	}

event zeek_done()
	{
	print refused;
	}
