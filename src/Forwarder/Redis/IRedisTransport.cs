using System.IO.Pipelines;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How does a feed get a connection to its node? The only way to sockets; above it there are pipes.</summary>
public interface IRedisTransport
{
    /// <summary>
    /// Opens one connection. The caller owns it: it completes both ends, and then disposes it if it is disposable. Failing is an
    /// <see cref="IOException"/>, a SocketException or an AuthenticationException, whose message is fit for a log line.
    /// </summary>
    ValueTask<IDuplexPipe> ConnectAsync(RedisAddress address, CancellationToken cancellationToken);
}
