using System.IO.Pipelines;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tests.Feed;

namespace KeyEvt.Forwarder.Tests.Topology;

/// <summary>Several scripted nodes, told apart by their ports.</summary>
internal sealed class ScriptedNodes(params (int Port, ScriptedNode Node)[] nodes) : IRedisTransport
{
    public ValueTask<IDuplexPipe> ConnectAsync(RedisAddress address, CancellationToken cancellationToken) =>
        nodes.Single(one => one.Port == address.Port).Node.ConnectAsync(address, cancellationToken);
}
