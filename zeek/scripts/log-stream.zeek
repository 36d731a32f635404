##! Creates MailTap's log streams.

@load base/frameworks/cluster
@load base/frameworks/logging

module MailTap;

export {
	## Creates a log stream whose rows are sent to other nodes in a cluster only. By itself Zeek serializes each row for
	## them where there are none, too, if its cluster backend isn't Broker. That costs a third of what writing the row does.
	##
	## id: The stream.
	##
	## stream: What :zeek:id:`Log::create_stream` takes.
	##
	## excluded: Columns that are not written.
	global create_log: function(id: Log::ID, stream: Log::Stream, excluded: set[
	    string] &default=set());
}

function create_log(id: Log::ID, stream: Log::Stream, excluded: set[string])
	{
	Log::create_stream(id, stream);
	local filter = Log::get_filter(id, "default");
	filter$log_remote = Log::enable_remote_logging && Cluster::is_enabled();
	filter$exclude = excluded;
	Log::add_filter(id, filter);
	}
