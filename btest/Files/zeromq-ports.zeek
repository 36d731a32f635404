# ZeroMQ on the ports that btest gives a test.

@load frameworks/cluster/backend/zeromq

function endpoint_of(variable: string): string
	{
	return fmt("tcp://127.0.0.1:%d", to_port(getenv(variable)) as count);
	}

redef Cluster::Backend::ZeroMQ::listen_xpub_endpoint = endpoint_of("XPUB_PORT");
redef Cluster::Backend::ZeroMQ::listen_xsub_endpoint = endpoint_of("XSUB_PORT");
redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = endpoint_of(
    "XSUB_PORT");
redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = endpoint_of(
    "XPUB_PORT");
