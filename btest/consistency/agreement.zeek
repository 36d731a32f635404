# @TEST-DOC: A notice when a sensor's agreement is below the threshold, or moved; none for what chance can do.
#
# @TEST-EXEC: zeek -b $PACKAGE/consistency %INPUT
# @TEST-EXEC: zeek-cut note msg sub n < notice.log > notices
# @TEST-EXEC: btest-diff notices

redef MailTap::agreement_verdicts = 200;
redef MailTap::agreement_max_sensors = 5;

function send(sensor: string, verdict: string, n: count, provenance: string
    &default="payload", why: string &default="oneway")
	{
	local cause = verdict == "inconsistent" ? fmt(", \"cause\": \"%s\"", why) : "";
	local sent = 0;

	while ( ++sent <= n )
		event MailTap::mail_verdict(fmt("{\"v\": 1, \"ts\": 1, \"sensor\": \"%s\", \"app\": \"smtp\", \"provenance\": \"%s\", \"verdict\": \"%s\"%s}",
		    sensor, provenance, verdict, cause));
	}

event zeek_init()
	{
	# Below the threshold from the start.
	send("low", "inconsistent", 120);
	send("low", "compatible", 80);

	# Below it, but not beyond chance.
	send("chance", "inconsistent", 106);
	send("chance", "consistent", 94);

	# Above the threshold, but no longer what it was.
	send("drifting", "consistent", 400);
	send("drifting", "inconsistent", 60);
	send("drifting", "consistent", 140);

	# Moved, but by less than is worth a notice.
	send("steady", "consistent", 200);
	send("steady", "inconsistent", 24);
	send("steady", "consistent", 176);

	# What one of the two had nothing to decode of says nothing, and doesn't count.
	send("guessed", "inconsistent", 400, "port", "label_port_guess");
	send("guessed", "inconsistent", 400, "payload", "no_payload");
	send("guessed", "inconsistent", 400, "payload", "below_threshold");

	# Too few to be judged.
	send("silent", "inconsistent", 199);

	# Whoever makes up sensors takes no memory with them, and silences nobody: the five latest are kept.
	send("made up", "inconsistent", 1);
	send("and this", "inconsistent", 1);
	send("and that", "inconsistent", 1);
	send("silent", "inconsistent", 1);
	send("low", "inconsistent", 199);
	send("new", "inconsistent", 200);
	}
