using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Signals;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Delivery.Link;

/// <summary>
/// Is there a link to the broker, and when is the next attempt? One link is opened after the other, each with a number of its own. A broken one is given up as a
/// whole: with the library's own recovery, a publisher can hang for ever while it says it is open (docs/decisions/no-automatic-recovery.md).
/// </summary>
/// <remarks>Used by the delivery loop only. Reports read properties from other threads, as they are: references and numbers, each written at once.</remarks>
internal sealed class BrokerConnectionSupervisor(IBrokerConnector connector, DeliveryOptions options, LinkInbox inbox, AsyncSignal signal, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan StableAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SlowRetry = TimeSpan.FromSeconds(5);

    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10), options.Random);
    private readonly LogRateLimiter _warnings = new(time, TimeSpan.FromSeconds(10));
    private Task<IBrokerLink>? _connecting;
    private CancellationTokenSource? _connectDeadline;
    private long _notBefore;
    private long _connectedAt;

    /// <summary>Counts the links; the number of the link in use or in the making. Events with another number come from a link that was given up.</summary>
    public int ConnectionNumber { get; private set; }

    public IBrokerLink? Link { get; private set; }

    /// <summary>The configuration the link was opened with.</summary>
    public ForwarderConfig? OpenedWith { get; private set; }

    /// <summary>The configuration of the attempt that was begun last.</summary>
    public ForwarderConfig? LastAttempt { get; private set; }

    /// <summary>The configuration of the link, or of the attempt under way; null: there is neither.</summary>
    public ForwarderConfig? Config => Link is not null ? OpenedWith : IsConnecting ? LastAttempt : null;

    /// <summary>Why the broker takes no messages at the moment (its alarm); null when it does. Set by <c>LinkMonitor</c>.</summary>
    public string? BlockedReason { get; set; }

    public bool IsUsable => Link is not null && BlockedReason is null;

    public bool IsConnecting => _connecting is not null;

    /// <summary>The attempt under way, for tests that wait for it.</summary>
    internal Task Connecting => _connecting ?? Task.CompletedTask;

    /// <summary>Why the last attempt or link failed; null after a success.</summary>
    public LinkException? LastFailure { get; private set; }

    /// <summary>Links opened so far, the first one included.</summary>
    public long Reconnects { get; private set; }

    /// <summary>Attempts and links that have failed.</summary>
    public long Failures { get; private set; }

    /// <summary>Starts an attempt when none runs and its time has come.</summary>
    public void Want(ForwarderConfig config, bool now = false)
    {
        if (Link is not null || _connecting is not null || (!now && time.GetTimestamp() < _notBefore)) return;

        ConnectionNumber++;
        LastAttempt = config;
        _connectDeadline = new CancellationTokenSource(options.ConnectDeadline, time);
        _connecting = ConnectAsync(config, ConnectionNumber, _connectDeadline.Token);
        _ = _connecting.ContinueWith(static (_, s) => ((AsyncSignal)s!).Set(), signal, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Takes the outcome of an attempt in; null while none has ended. Its number is 0 when connected, else that of the failure.</summary>
    public async ValueTask<ConnectResult?> TakeOutcomeAsync()
    {
        if (_connecting is not { IsCompleted: true } attempt) return null;

        _connecting = null;
        _connectDeadline?.Dispose();
        try
        {
            Use(await attempt.ConfigureAwait(false));
            OpenedWith = LastAttempt;
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

    /// <summary>Gives up a link that no longer works, and sets the time of the next attempt.</summary>
    public void Lost(LinkFailureKind kind, string reason)
    {
        Link?.Abandon();
        Use(null);
        if (time.GetElapsedTime(_connectedAt) >= StableAfter) _backoff.Reset();

        Fail(new LinkException(kind, reason));
    }

    /// <summary>The broker has confirmed a message: the pauses between attempts start short again.</summary>
    public void ProvedStable() => _backoff.Reset();

    /// <summary>Closes the link in good order; a running attempt is given up.</summary>
    /// <param name="within">The time for that. Zero or less: the link is given up at once.</param>
    public async Task CloseAsync(TimeSpan within)
    {
        var link = Link;
        Use(null);
        ConnectionNumber++;
        _notBefore = 0;
        AbandonAttempt();
        if (within <= TimeSpan.Zero) link?.Abandon();
        else if (link is not null) await link.CloseAsync(within).ConfigureAwait(false);
    }

    /// <summary>From here on this link is used, or none. An alarm of the broker was told on the link before, and ends with it.</summary>
    private void Use(IBrokerLink? link) => (Link, BlockedReason) = (link, null);

    private void AbandonAttempt()
    {
        if (_connecting is not { } attempt) return;

        _connecting = null;
        _connectDeadline?.Cancel();

        // A link that the attempt still opens is given up at once. Its failure is observed, and ignored.
        _ = attempt.ContinueWith(
            static a =>
            {
                if (a.Status == TaskStatus.RanToCompletion) a.GetAwaiter().GetResult().Abandon();
                else _ = a.Exception;
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
        if (failure.NeedsRemedy && delay < SlowRetry) delay = SlowRetry;

        _notBefore = time.TimestampAfter(delay);
        Failures++;
        if (_warnings.MayWarn(2101, failure.Message)) LinkLog.LinkDown(logger, failure.Message, (int)delay.TotalMilliseconds, Failures);
    }
}
