##! Creates MailTap's log streams.

@load base/frameworks/cluster
@load base/frameworks/logging

module MailTap;

# Creates a log stream without some of its columns. Its rows are sent to other nodes in a cluster only: if its cluster
# backend isn't Broker, Zeek serializes each row for them where there are none, too, which takes nearly a quarter of what
# writing the row takes.
function create_log(id: Log::ID, stream: Log::Stream, excluded: set[string]
    &default=set())
	{
	Log::create_stream(id, stream);
	local filter = Log::get_filter(id, "default");
	filter$log_remote = Log::enable_remote_logging && Cluster::is_enabled();
	filter$exclude = excluded;
	Log::add_filter(id, filter);
	}
