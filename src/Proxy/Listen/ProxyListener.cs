using System.Net.Sockets;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Listen;

/// <summary>
/// The accept loop of one address. Nobody is accepted while the upstream refuses: a client that is accepted and then reset may lose what it has sent meanwhile.
/// A client that is refused keeps it, and tries again. The loop ends when it is told to, or by an exception that ends the program. Its fields are used by the
/// loop only.
/// </summary>
/// <param name="services">For sessions of this address; null: those of the registry.</param>
internal sealed class ProxyListener(IConnectionListener listener, SessionRegistry sessions, TimeProvider time, ILogger logger, SessionServices? services = null)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(10);

    private readonly SessionServices _services = services ?? sessions.Services;
    private long _pauses;
    private readonly RateLimiter _pauseWarnings = new(time, WarnEvery);
    private bool _isPauseSaid;

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            if (!listener.CanRefuse)
            {
                await AcceptAsync(stop).ConfigureAwait(false);
            }
            else
            {
                while (true) await AcceptUntilRefusedAsync(stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // told to stop
        }
        catch (Exception e)
        {
            ListenLog.AcceptFailed(logger, listener.Address, e);
            throw;
        }
    }

    /// <summary>Returns when the upstream has refused somebody, and has accepted connections again since.</summary>
    private async Task AcceptUntilRefusedAsync(CancellationToken stop)
    {
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(stop, _services.Reach.Refuses))
        {
            try
            {
                await AcceptAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // the upstream refuses
            }
        }

        listener.Refuse();
        await new UpstreamRetry(_services).UntilOpenAsync(stop).ConfigureAwait(false);
        await OpenAgainAsync(stop).ConfigureAwait(false);
    }

    private async Task OpenAgainAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                listener.RefuseNoMore();
                return;
            }
            catch (SocketException e)
            {
                WarnOfPause(e.Message);
                await Task.Delay(LongestPause, time, stop).ConfigureAwait(false);
            }
        }
    }

    private async Task AcceptAsync(CancellationToken stop)
    {
        var pause = TimeSpan.Zero;
        while (true)
        {
            try
            {
                var client = await listener.AcceptAsync(stop).ConfigureAwait(false);
                sessions.Start(client, _services);
                if (pause == TimeSpan.Zero) continue;
                pause = TimeSpan.Zero;
                if (_isPauseSaid) ListenLog.AcceptResumed(logger, listener.Address);
                _isPauseSaid = false;
            }
            catch (Exception e) when (!stop.IsCancellationRequested && AcceptErrors.Classify(e) == AcceptError.Transient)
            {
                ListenLog.AcceptMissed(logger, listener.Address, e.Message);
            }
            catch (Exception e) when (!stop.IsCancellationRequested && AcceptErrors.Classify(e) == AcceptError.Pressure)
            {
                if (pause == TimeSpan.Zero) WarnOfPause(e.Message);
                pause = pause == TimeSpan.Zero ? FirstPause : Min(pause * 2, LongestPause);
                await Task.Delay(pause, time, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>When resources are short, now and then a place becomes free and is taken at once. So not each of these pauses is logged.</summary>
    private void WarnOfPause(string reason)
    {
        _pauses++;
        if (!_pauseWarnings.TryTake()) return;
        _isPauseSaid = true;
        ListenLog.AcceptPaused(logger, listener.Address, reason, _pauses);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
