using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Listen;

/// <summary>The accept loop of one address. Ends when told to, or by an exception that the program must not survive.</summary>
/// <param name="services">Of the sessions that come in here; null: the registry's own.</param>
internal sealed class ProxyListener(IConnectionListener listener, SessionRegistry sessions, TimeProvider time, ILogger logger, SessionServices? services = null)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan WarnEvery = TimeSpan.FromSeconds(10);

    private long _pauses;
    private long? _warnedAt;
    private bool _isPauseSaid;

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await AcceptAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // told to
        }
        catch (Exception e)
        {
            ProxyLog.AcceptFailed(logger, listener.Address, e);
            throw;
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
                sessions.Start(client, services);
                if (pause == TimeSpan.Zero) continue;
                pause = TimeSpan.Zero;
                if (_isPauseSaid) ProxyLog.AcceptResumed(logger, listener.Address);
                _isPauseSaid = false;
            }
            catch (Exception e) when (!stop.IsCancellationRequested && AcceptErrors.Classify(e) == AcceptError.Transient)
            {
                ProxyLog.AcceptMissed(logger, listener.Address, e.Message);
            }
            catch (Exception e) when (!stop.IsCancellationRequested && AcceptErrors.Classify(e) == AcceptError.Pressure)
            {
                if (pause == TimeSpan.Zero) WarnOfPause(e.Message);
                pause = pause == TimeSpan.Zero ? FirstPause : Min(pause * 2, LongestPause);
                await Task.Delay(pause, time, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Where resources are short, a place becomes free now and then, and is taken at once: not each of these pauses is a line.</summary>
    private void WarnOfPause(string reason)
    {
        _pauses++;
        if (_warnedAt is { } last && time.GetElapsedTime(last) < WarnEvery) return;
        _warnedAt = time.GetTimestamp();
        _isPauseSaid = true;
        ProxyLog.AcceptPaused(logger, listener.Address, reason, _pauses);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
