# ZeroMQ on the ports that btest gives a test.

@load base/misc/version
@load frameworks/cluster/backend/zeromq

# Before 8.1 loading the backend doesn't start it.
@if ( ! Version::at_least("8.1") )
@load frameworks/cluster/backend/zeromq/connect
@endif

function endpoint_of(variable: string): string
	{
	return fmt("tcp://127.0.0.1:%d", port_to_count(to_port(getenv(variable))));
	}

redef Cluster::Backend::ZeroMQ::listen_xpub_endpoint = endpoint_of("XPUB_PORT");
redef Cluster::Backend::ZeroMQ::listen_xsub_endpoint = endpoint_of("XSUB_PORT");
redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = endpoint_of(
    "XSUB_PORT");
redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = endpoint_of(
    "XPUB_PORT");
