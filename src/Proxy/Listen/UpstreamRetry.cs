using System.Net.Sockets;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Session;

namespace KeyEvt.Proxy.Listen;

/// <summary>
/// When does an upstream that refuses accept connections again? It is tried over and over with a connection that is closed at once. Often, since clients are
/// refused until then. Less often while something is wrong that takes longer to repair and is more costly to try (a host name, a certificate).
/// </summary>
internal sealed class UpstreamRetry(SessionServices services)
{
    private static readonly TimeSpan RefusedPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan OtherPause = TimeSpan.FromSeconds(1);

    /// <summary>How long one attempt may take. A lost SYN would be sent again after a second.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    /// <summary>Returns when the upstream accepts connections.</summary>
    public async Task UntilOpenAsync(CancellationToken stop)
    {
        while (true)
        {
            var error = await TryAsync(stop).ConfigureAwait(false);
            if (error is null) break;
            services.Reach.StillAway(services.Upstream.Name);
            await Task.Delay(MayBeBackSoon(error) ? RefusedPause : OtherPause, services.Time, stop).ConfigureAwait(false);
        }

        services.Reach.Reached(services.Upstream.Name);
    }

    /// <summary>
    /// Whether the error is one of a server that restarts: nobody listens, or the server ended during the connect, or its unix socket is not there.
    /// </summary>
    private static bool MayBeBackSoon(Exception error) =>
        error is SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.ConnectionReset or SocketError.AddressNotAvailable };

    /// <summary>Tries once. Null: the upstream accepts connections.</summary>
    private async Task<Exception?> TryAsync(CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(Deadline, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        var failed = new List<UpstreamPlace>();
        // If there is no place at all: a master is being looked for, and may be known at any moment.
        Exception error = new SocketException((int)SocketError.ConnectionRefused);
        try
        {
            while (await services.Upstream.FindAsync(failed, either.Token).ConfigureAwait(false) is { } place)
            {
                try
                {
                    await using var connection = await services.Transport.ConnectAsync(place.Address, either.Token).ConfigureAwait(false);
                    connection.Abort();
                    return null;
                }
                catch (Exception e) when (e is SocketException or IOException)
                {
                    error = e;
                    failed.Add(place);
                }
            }

            return error;
        }
        catch (OperationCanceledException e)
        {
            stop.ThrowIfCancellationRequested();
            return e;
        }
    }
}
