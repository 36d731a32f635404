# @TEST-DOC: What isn't a verdict is refused, counted, and noticed once for each reason; what comes after it is taken.
#
# @TEST-EXEC: zeek -b $PACKAGE/consistency %INPUT > refused
# @TEST-EXEC: btest-diff refused
# @TEST-EXEC: zeek-cut sensor < mail_consistency.log > rows
# @TEST-EXEC: btest-diff rows
# @TEST-EXEC: zeek-cut note msg < notice.log > notices
# @TEST-EXEC: btest-diff notices

module MailTap;

function with(more: string): string
	{
	return "{\"v\": 1, \"ts\": 1, \"sensor\": \"a\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"consistent\""
	    + more + "}";
	}

function long_text(size: count): string
	{
	local text = "x";

	while ( |text| < size )
		text = text + text;

	return text[:size];
	}

event MailTap::mail_verdict(line: string) &priority=-5
	{
	print fmt("%d malformed, %d too long: %s", refused["malformed"],
	    refused["too long"], |line| <= 200 ? line : fmt("%s... (%d bytes)",
	    line[:100], |line|));
	}

event zeek_init()
	{
	local good = with("");
	local lines = vector("",
		"null",
		"[]",
		"[[[[[[[[",
		"{",
		good + good,
		# Not this version, no version.
		"{\"v\": 2, \"ts\": 1, \"sensor\": \"a\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"consistent\"}",
		"{\"ts\": 1, \"sensor\": \"a\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"consistent\"}",
		# Times that aren't.
		"{\"v\": 1, \"ts\": -1, \"sensor\": \"a\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"consistent\"}",
		"{\"v\": 1, \"ts\": 1e300, \"sensor\": \"a\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"consistent\"}",
		"{\"v\": 1, \"ts\": 1e999, \"sensor\": \"a\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"consistent\"}",
		# Words that aren't of the vocabulary.
		"{\"v\": 1, \"ts\": 1, \"sensor\": \"a\", \"app\": \"smtp\", \"provenance\": \"payload\", \"verdict\": \"perfect\"}",
		"{\"v\": 1, \"ts\": 1, \"sensor\": \"a\", \"app\": \"smtp\", \"provenance\": \"stars\", \"verdict\": \"consistent\"}",
		with(", \"cause\": \"sunspots\""),
		with(", \"service\": \"nntp\""),
		# Addresses and ports that aren't; a name is not looked up.
		with(", \"client_h\": \"mail.example.org\""),
		with(", \"server_p\": 65536"),
		with(", \"server_p\": -1"),
		with(", \"server_p\": \"25/tcp\""),
		# Text for a terminal, text that isn't UTF-8, text without end.
		with(", \"uid\": \"\\u001b[2J\""),
		with(", \"uid\": \"a\\u0000b\""),
		with(", \"uid\": \"\xff\""),
		# Text that turns or hides what is around it: right to left, isolated, a line's end, no width.
		with(", \"uid\": \"a\\u202eb\""),
		with(", \"uid\": \"a\\u2067b\""),
		with(", \"uid\": \"a\\u2028b\""),
		with(", \"uid\": \"a\\u200bb\""),
		with(fmt(", \"uid\": \"%s\"", long_text(257))),
		with(fmt(", \"later\": \"%s\"", long_text(5000))),
		with(fmt(", \"uid\": \"%s\"", long_text(256))));

	for ( _, line in lines )
		event MailTap::mail_verdict(line);
	}
