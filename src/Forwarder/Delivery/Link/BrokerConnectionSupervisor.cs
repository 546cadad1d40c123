using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Link;

/// <summary>
/// Is there a link to the broker, and when is the next attempt? Opens one link after the other, each with a number of its own; gives a broken one up as a
/// whole (docs/decisions/no-automatic-recovery.md: a publisher of the library can hang for ever while it says it is open). Used by the delivery loop only.
/// </summary>
internal sealed class BrokerConnectionSupervisor(IBrokerConnector connector, DeliveryOptions options, LinkInbox inbox, AsyncSignal signal, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SlowRetry = TimeSpan.FromSeconds(5);

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10), Random.Shared);
    private readonly LogRateLimiter _warnings = new(time, TimeSpan.FromSeconds(10));
    private Task<IBrokerLink>? _connecting;
    private CancellationTokenSource? _connectDeadline;
    private long _notBefore;
    private long _connectedAt;

    /// <summary>The number of the link in use or in the making; events of another one are history.</summary>
    public int ConnectionNumber { get; private set; }

    public IBrokerLink? Link { get; private set; }

    /// <summary>The configuration the link was opened with.</summary>
    public ForwarderConfig? OpenedWith { get; private set; }

    /// <summary>The configuration of the attempt that was begun last.</summary>
    public ForwarderConfig? LastAttempt { get; private set; }

    /// <summary>The configuration of the link, or of the attempt under way; null: there is neither.</summary>
    public ForwarderConfig? Config => Link is not null ? OpenedWith : IsConnecting ? LastAttempt : null;

    /// <summary>The broker's alarm, or null.</summary>
    public string? BlockedReason { get; set; }

    public bool IsUsable => Link is not null && BlockedReason is null;

    public bool IsConnecting => _connecting is not null;

    /// <summary>The attempt under way, for tests that wait for it.</summary>
    internal Task Connecting => _connecting ?? Task.CompletedTask;

    /// <summary>Why the last attempt or link failed; null after a success.</summary>
    public LinkException? LastFailure { get; private set; }

    public long Reconnects { get; private set; }

    /// <summary>Attempts and links that have failed.</summary>
    public long Failures { get; private set; }

    /// <summary>Starts an attempt when none runs and its time has come.</summary>
    public void Want(ForwarderConfig config, bool now = false)
    {
        if (Link is not null || _connecting is not null || (!now && time.GetTimestamp() < _notBefore))
            return;

        ConnectionNumber++;
        LastAttempt = config;
        _connectDeadline = new CancellationTokenSource(options.ConnectDeadline, time);
        _connecting = ConnectAsync(config, ConnectionNumber, _connectDeadline.Token);
        _ = _connecting.ContinueWith(static (_, s) => ((AsyncSignal)s!).Set(), signal, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Takes the outcome of an attempt in; null while there is none. 0 connected, else the failure.</summary>
    public async ValueTask<ConnectResult?> TakeOutcomeAsync()
    {
        if (_connecting is not { IsCompleted: true } attempt)
            return null;

        _connecting = null;
        _connectDeadline?.Dispose();
        try
        {
            Link = await attempt.ConfigureAwait(false);
            OpenedWith = LastAttempt;
            BlockedReason = null;
            LastFailure = null;
            Reconnects++;
            _connectedAt = time.GetTimestamp();
            LinkLog.Connected(logger, OpenedWith!.Amqp.ToString(), ConnectionNumber);
            return new ConnectResult(0, "connected");
        }
        catch (LinkException e)
        {
            Fail(e);
            return new ConnectResult((int)e.Kind, e.Message);
        }
    }

    /// <summary>The link does not work any more: it is abandoned, and the next attempt gets its time.</summary>
    public void Lost(LinkFailureKind kind, string reason)
    {
        Link?.Abandon();
        Link = null;
        BlockedReason = null;
        if (time.GetElapsedTime(_connectedAt) >= StableAfter)
            _backoff.Reset();

        Fail(new LinkException(kind, reason));
    }

    /// <summary>The link has proved itself: the next failure starts with a short wait again.</summary>
    public void ProvedStable() => _backoff.Reset();

    /// <summary>Closes in good order within that time; where there is none, the link is given up. A running attempt is given up.</summary>
    public async Task CloseAsync(TimeSpan within)
    {
        var link = Link;
        Link = null;
        BlockedReason = null;
        ConnectionNumber++;
        _notBefore = 0;
        AbandonAttempt();
        if (within <= TimeSpan.Zero)
            link?.Abandon();
        else if (link is not null)
            await link.CloseAsync(within).ConfigureAwait(false);
    }

    private void AbandonAttempt()
    {
        if (_connecting is not { } attempt)
            return;

        _connecting = null;
        _connectDeadline?.Cancel();

        // Whatever the attempt still yields is closed where it ends; its failure is of no interest any more.
        _ = attempt.ContinueWith(
            static a =>
            {
                if (a.Status == TaskStatus.RanToCompletion)
                    a.GetAwaiter().GetResult().Abandon();
                else
                    _ = a.Exception;
            },
            TaskScheduler.Default);
    }

    private async Task<IBrokerLink> ConnectAsync(ForwarderConfig config, int connectionNumber, CancellationToken deadline)
    {
        try
        {
            return await connector.ConnectAsync(config, connectionNumber, inbox, deadline).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not LinkException && BrokerErrorText.IsWeather(e))
        {
            throw new LinkException(LinkFailureKind.Connection, $"connecting to {config.Amqp} failed: {e.Message}", e);
        }
    }

    private void Fail(LinkException failure)
    {
        LastFailure = failure;
        var delay = _backoff.Next();
        if (failure.NeedsRemedy && delay < SlowRetry)
            delay = SlowRetry;

        _notBefore = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);
        Failures++;
        if (_warnings.MayWarn(2101, failure.Message))
            LinkLog.LinkDown(logger, failure.Message, (int)delay.TotalMilliseconds, Failures);
    }
}
