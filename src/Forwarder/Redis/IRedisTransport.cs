using System.IO.Pipelines;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How does a feed get a connection to its node? The only way to sockets; above it there are pipes.</summary>
public interface IRedisTransport
{
    /// <summary>For texts about TLS: which options name its files.</summary>
    TlsFiles TlsFiles => new("--upstream");

    /// <summary>
    /// Opens one connection. The caller owns it: it completes both ends, and then disposes it if it is disposable. Failing is an
    /// <see cref="IOException"/>, a SocketException or an AuthenticationException, whose message is fit for a log line.
    /// </summary>
    ValueTask<IDuplexPipe> ConnectAsync(RedisAddress address, CancellationToken cancellationToken);
}
