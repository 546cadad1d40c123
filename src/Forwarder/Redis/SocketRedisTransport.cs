using System.IO.Pipelines;
using System.Net.Sockets;
using KeyEvt.Forwarder.Net;
using KeyEvt.Forwarder.Tls;
using Pipelines.Sockets.Unofficial;

namespace KeyEvt.Forwarder.Redis;

/// <summary>Opens TCP, TLS and unix connections.</summary>
/// <remarks>
/// A plain connection is a <see cref="SocketConnection"/> whose reader continues on the thread on which the socket's read completed. This is possible
/// because the feed never waits in its read loop, and it saves one change of threads for each read. TLS connections come from
/// <see cref="TlsClient"/>.
/// </remarks>
/// <param name="tls">Null to trust the system's authorities.</param>
/// <param name="race">Null to let the system resolve names.</param>
public sealed class SocketRedisTransport(TimeProvider time, TlsClient? tls = null, HappyEyeballs? race = null) : IRedisTransport
{
    /// <summary>The largest number of bytes that one read of the socket can return.</summary>
    private const int SegmentBytes = 64 * 1024;

    private static readonly PipeOptions Inline = new(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 4 * 1024 * 1024,
        resumeWriterThreshold: 1024 * 1024,
        minimumSegmentSize: SegmentBytes,
        useSynchronizationContext: false);

    private readonly HappyEyeballs _race = race ?? HappyEyeballs.By(time);
    private readonly TlsClient _tls = tls ?? TlsClient.OfSystem("--upstream");

    public TlsFileNames TlsFileNames => _tls.Files;

    public async ValueTask<IDuplexPipe> ConnectAsync(RedisAddress address, CancellationToken cancellationToken)
    {
        var socket = address.Path is { } path ? await HappyEyeballs.OpenUnixAsync(path, cancellationToken).ConfigureAwait(false) : await _race.OpenAsync(address.Host, address.Port, cancellationToken).ConfigureAwait(false);
        try
        {
            if (address.IsTls)
            {
                return new StreamDuplex(await _tls.SecureAsync(new NetworkStream(socket, ownsSocket: true), address.Host, cancellationToken).ConfigureAwait(false));
            }

            return SocketConnection.Create(socket, Inline, Inline, SocketConnectionOptions.InlineReads | SocketConnectionOptions.InlineWrites);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
