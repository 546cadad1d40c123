using System.IO.Pipelines;
using System.Net.Sockets;
using KeyEvt.Forwarder.Net;
using KeyEvt.Forwarder.Tls;
using Pipelines.Sockets.Unofficial;

namespace KeyEvt.Forwarder.Redis;

/// <summary>Opens TCP, TLS and unix connections.</summary>
/// <remarks>
/// Plain ones are a <see cref="SocketConnection"/> whose reader goes on where the socket's read completed: the feed never waits in its read loop, so that one
/// hop between threads is saved for each read. TLS is as <see cref="TlsClient"/> makes it.
/// </remarks>
/// <param name="tls">Null: the system's authorities are trusted.</param>
/// <param name="race">Null: names are resolved by the system.</param>
public sealed class SocketRedisTransport(TimeProvider time, TlsClient? tls = null, HappyEyeballs? race = null) : IRedisTransport
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

    private readonly HappyEyeballs _race = race ?? HappyEyeballs.By(time);
    private readonly TlsClient _tls = tls ?? TlsClient.OfSystem("--upstream");

    public TlsFiles TlsFiles => _tls.Files;

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
