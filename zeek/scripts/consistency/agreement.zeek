##! Raises a notice when a sensor's decoding no longer agrees with the labels as far as it should, or as it used to.
##!
##! A session agrees when its verdict is ``consistent`` or ``compatible``. A sensor's sessions are judged so many at a
##! time, by the 95 % interval of their share (Wilson): chance alone seldom raises a notice. Only sessions that both
##! decoded count, as in the headline of a report: neither a label that only repeats what the port or the address says, nor
##! a session with too little payload tells anything about decoding. Scans, and sessions that expire together without
##! payload, raise no notice, therefore.

@load base/frameworks/notice
@load ./main

module MailTap;

export {
	redef enum Notice::Type += {
		## A sensor's agreement is below :zeek:see:`MailTap::agreement_threshold`.
		Low_Agreement,
		## A sensor's agreement moved by more than :zeek:see:`MailTap::agreement_drift` from what it was before.
		Agreement_Drift,
	};

	## Share of agreeing sessions below which a notice is raised.
	option agreement_threshold: double = 0.5;

	## A change of a sensor's share that is worth a notice.
	option agreement_drift: double = 0.1;

	## Verdicts of a sensor that are judged together.
	option agreement_verdicts: count = 1000;

	## Sensors whose agreement is kept: those of the latest verdicts.
	option agreement_max_sensors: count = 1000;

	## How far a sensor's sessions agreed with their labels.
	type Agreement: record {
		## Verdicts since the sensor was judged last.
		total: count &default=0;
		## Those of them that agree.
		agreeing: count &default=0;
		## Those that don't, by cause. Causes are of a fixed vocabulary.
		by_cause: table[string] of count &default=table();
		## Earlier verdicts, weighed: those judged together last count 1, those before a half, and so on.
		past_total: double &default=0.0;
		## Those of the earlier ones that agree, weighed.
		past_agreeing: double &default=0.0;
	};

	## Where a share lies, going by a sample.
	type Interval: record {
		## The lower bound.
		low: double;
		## The upper bound.
		high: double;
	};
}

# What of a sensor's past counts beside the latest verdicts: the last judged together weigh 1, those before a half, …
const past_weight = 0.5;

# The 97.5 % point of the standard normal distribution.
const z95 = 1.959963984540054;

# Labels that only repeat what the port or the address says, and causes of sessions with nothing to decode.
const guessed = set("port", "ip");
const not_decoded = set("label_port_guess", "no_payload", "below_threshold");

# The sensor whose latest verdict is oldest comes first. (Entries of an ordered table can't expire.)
global agreements: table[string] of Agreement &ordered;

function oldest_sensor(): string
	{
	for ( sensor in agreements )
		return sensor;

	return "";
	}

# The sensor's agreement so far, which is the newest now.
function agreement_of(sensor: string): Agreement
	{
	local agreement = Agreement();

	if ( sensor in agreements )
		{
		agreement = agreements[sensor];
		delete agreements[sensor];
		}
	else if ( |agreements| >= agreement_max_sensors )
		delete agreements[oldest_sensor()];

	agreements[sensor] = agreement;
	return agreement;
	}

function wilson(n: count, base: count): Interval
	{
	local share = n / ( base + 0.0 );
	local spread = z95 * z95 / base;
	local center = share + spread / 2;
	local half = z95 * sqrt(share * ( 1 - share ) / base + spread / ( 4 * base ));
	return Interval($low=( center - half ) / ( 1 + spread ), $high=( center +
	    half ) / ( 1 + spread ));
	}

function most_frequent_cause(by_cause: table[string] of count): string
	{
	local found = "";
	local highest = 0;

	for ( cause, n in by_cause )
		if ( n > highest )
			{
			found = cause;
			highest = n;
			}

	return highest == 0 ? "" : fmt("most frequent cause: %s (%d)", found, highest);
	}

function both_decoded(verdict: Verdict): bool
	{
	return verdict$provenance !in guessed
	    && ( ! verdict?$cause || verdict$cause !in not_decoded );
	}

function judge(sensor: string, a: Agreement)
	{
	local bounds = wilson(a$agreeing, a$total);
	local described = fmt(
	    "%s: %.1f%% of %d sessions agree with their labels (%.1f%% to %.1f%%)",
	    sensor, 100.0 * a$agreeing / a$total, a$total, 100 * bounds$low, 100 *
	    bounds$high);

	if ( bounds$high < agreement_threshold )
		NOTICE([$note=Low_Agreement, $msg=fmt("%s, below %.1f%%", described, 100 *
		    agreement_threshold), $sub=most_frequent_cause(a$by_cause),
		    $n=a$total, $identifier=sensor]);

	if ( a$past_total > 0 )
		{
		local before = a$past_agreeing / a$past_total;

		if ( bounds$high < before - agreement_drift
		    || bounds$low > before + agreement_drift )
			NOTICE([$note=Agreement_Drift, $msg=fmt("%s, before %.1f%%", described, 100 *
			    before), $sub=most_frequent_cause(a$by_cause),
			    $n=a$total, $identifier=sensor]);
		}

	a$past_total = a$past_total * past_weight + a$total;
	a$past_agreeing = a$past_agreeing * past_weight + a$agreeing;
	a$total = 0;
	a$agreeing = 0;
	a$by_cause = table();
	}

event MailTap::verdict_received(verdict: Verdict)
	{
	if ( ! both_decoded(verdict) )
		return;

	local a = agreement_of(verdict$sensor);
	++a$total;

	if ( verdict$verdict != "inconsistent" )
		++a$agreeing;
	else if ( verdict?$cause )
		{
		if ( verdict$cause !in a$by_cause )
			a$by_cause[verdict$cause] = 0;

		++a$by_cause[verdict$cause];
		}

	if ( a$total >= agreement_verdicts )
		judge(verdict$sensor, a);
	}
