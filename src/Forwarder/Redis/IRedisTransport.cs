using System.IO.Pipelines;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How does a feed get a connection to its node? Sockets are opened only through this interface; its users see pipes.</summary>
public interface IRedisTransport
{
    /// <summary>The files of its TLS, for texts that name the options.</summary>
    TlsFileNames TlsFileNames => new("--upstream");

    /// <summary>
    /// Opens one connection. The caller owns it: it completes both ends, and then disposes it if it is disposable. A failure is an
    /// <see cref="IOException"/>, a SocketException or an AuthenticationException, whose message can be logged.
    /// </summary>
    ValueTask<IDuplexPipe> ConnectAsync(RedisAddress address, CancellationToken cancellationToken);
}
