using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Pipelines.Sockets.Unofficial;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Opens TCP, TLS and unix connections.</summary>
/// <remarks>
/// Plain ones are a <see cref="SocketConnection"/> whose reader goes on where the socket's read completed: the feed never waits in its read loop, so that one
/// hop between threads is saved for each read. TLS is an <see cref="SslStream"/>; a node that cannot show a certificate for its name from an authority that is
/// trusted is not connected to, and there is no way round that.
/// </remarks>
/// <param name="authorities">The only certificate authorities to trust; null: those of the system.</param>
public sealed class SocketFeedTransport(X509Certificate2Collection? authorities = null) : IFeedTransport
{
    /// <summary>What one read of the socket may bring.</summary>
    private const int SegmentBytes = 64 * 1024;

    private static readonly PipeOptions Inline = new(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 4 * 1024 * 1024,
        resumeWriterThreshold: 1024 * 1024,
        minimumSegmentSize: SegmentBytes,
        useSynchronizationContext: false);

    public async ValueTask<IDuplexPipe> ConnectAsync(RedisAddress address, CancellationToken cancellationToken)
    {
        var socket = address.Path is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            EndPoint place = address.Path is null ? new DnsEndPoint(address.Host, address.Port) : new UnixDomainSocketEndPoint(address.Path);
            await socket.ConnectAsync(place, cancellationToken).ConfigureAwait(false);
            if (address.IsTls)
                return await SecureAsync(socket, address.Host, cancellationToken).ConfigureAwait(false);

            return SocketConnection.Create(socket, Inline, Inline, SocketConnectionOptions.InlineReads | SocketConnectionOptions.InlineWrites);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<IDuplexPipe> SecureAsync(Socket socket, string host, CancellationToken cancellationToken)
    {
        var secure = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await secure.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = host, CertificateChainPolicy = Policy() }, cancellationToken).ConfigureAwait(false);
            return new StreamDuplex(secure);
        }
        catch
        {
            await secure.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private X509ChainPolicy? Policy()
    {
        if (authorities is null)
            return null;

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }
}
