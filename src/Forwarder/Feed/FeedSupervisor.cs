using System.IO.Pipelines;
using System.Net.Sockets;
using System.Security.Authentication;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Which connection does a feed have at the moment? Opens one after another until it is stopped, and declares the gaps between them.</summary>
/// <remarks>
/// Between two connections it waits for as long as <see cref="ReconnectPause"/> says. Only this loop opens connections, apart from
/// <see cref="SilentConnectionCheck"/>, which it runs.
/// </remarks>
internal sealed class FeedSupervisor
{
    private readonly FeedContext _feed;
    private readonly IRedisTransport _transport;
    private readonly Func<EventClass> _wanted;
    private readonly CancellationToken _stop;
    private readonly ReconnectPause _pause;
    private readonly LogRateLimiter _warnings;
    private readonly InterruptibleDelay _hurry = new();
    private readonly SilentConnectionCheck _replacement;

    /// <summary>Written by the supervisor's loop; read from any thread.</summary>
    private volatile FeedConnection? _current;

    /// <summary>Markers of earlier connections. Written by the supervisor's loop with Volatile.Write; read from any thread with Volatile.Read.</summary>
    private long _markersSentBefore;
    private string? _lastText;

    public FeedSupervisor(FeedContext feed, IRedisTransport transport, Func<EventClass> wanted, CancellationToken stop)
    {
        (_feed, _transport, _wanted, _stop) = (feed, transport, wanted, stop);
        _pause = new ReconnectPause(feed.Options);
        _warnings = new LogRateLimiter(feed.Time, TimeSpan.FromMinutes(1));
        _replacement = new SilentConnectionCheck(feed, wanted, _warnings, ConnectAsync);
    }

    /// <summary>The connection that is subscribed or about to be; null if there is none.</summary>
    public FeedConnection? Current => _current;

    public long MarkersSent => Volatile.Read(ref _markersSentBefore) + (_current?.MarkersSent ?? 0);

    /// <summary>Ends a pause, so that the feed connects now.</summary>
    public void Hurry() => _hurry.Set();

    /// <summary>Runs until the feed is stopped.</summary>
    public async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var began = _feed.Time.GetTimestamp();
            var (fault, lived) = await AttemptAsync().ConfigureAwait(false);
            if (fault.Kind != RedisFaultKind.Stopped)
            {
                await PauseAsync(fault, lived, _feed.Time.GetElapsedTime(began)).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Runs one connection from its beginning to its end, and those that replace it while it is silent.</summary>
    /// <returns>How the last of them ended, and for how long it was subscribed; null if it never was.</returns>
    private async Task<(RedisFault Fault, TimeSpan? Lived)> AttemptAsync()
    {
        _feed.Board.Change(status => status with { State = FeedState.Connecting });
        var (pipe, fault) = await ConnectAsync(_stop).ConfigureAwait(false);
        if (pipe is null) return (fault, null);

        var connection = new FeedConnection(_feed, pipe, _wanted);
        var life = connection.RunAsync(_stop);
        _current = connection;
        try
        {
            while (await FollowAsync(connection, life).ConfigureAwait(false) is { } next)
            {
                Leave(connection, next.Connection);
                next.Connection.Check(); // other classes may be wanted than when it subscribed
                await life.ConfigureAwait(false);
                (connection, life) = next;
            }

            fault = await life.ConfigureAwait(false);
            // The state changes before the gap is declared, so that whoever sees the gap does not see a feed that is still subscribed.
            _feed.Board.Change(status => status with { State = FeedState.Down, IsInStep = false });
            bool canOthersGoOn;
            lock (_feed.Turn) _feed.Group.End(out canOthersGoOn);
            if (fault.Kind != RedisFaultKind.Stopped) _feed.Coverage.Lost(fault, _feed.Progress.Position, canOthersGoOn);
            return (fault, connection.SubscribedAt is { } since ? _feed.Time.GetElapsedTime(since.Timestamp) : null);
        }
        catch
        {
            connection.End(new RedisFault(RedisFaultKind.Stopped, "a fault in the program"));
            await ((Task)life).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        finally
        {
            Leave(connection, null);
        }
    }

    /// <returns>The connection that has replaced this one; null if this one has ended.</returns>
    private async Task<(FeedConnection Connection, Task<RedisFault> Life)?> FollowAsync(FeedConnection connection, Task<RedisFault> life)
    {
        while (true)
        {
            await Task.WhenAny(life, connection.Silence.Begun).ConfigureAwait(false);
            if (life.IsCompleted || _stop.IsCancellationRequested) return null;
            if (await _replacement.FindAsync(connection, life, _stop).ConfigureAwait(false) is { } next) return next;
        }
    }

    private void Leave(FeedConnection connection, FeedConnection? next)
    {
        _current = next;
        Volatile.Write(ref _markersSentBefore, _markersSentBefore + connection.MarkersSent);
    }

    private async Task<(IDuplexPipe? Pipe, RedisFault Fault)> ConnectAsync(CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(_feed.Options.ConnectTimeout, _feed.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        try
        {
            return (await _transport.ConnectAsync(_feed.Address, either.Token).ConfigureAwait(false), null!);
        }
        catch (OperationCanceledException)
        {
            return (null, stop.IsCancellationRequested ? new RedisFault(RedisFaultKind.Stopped, "stopped") : new RedisFault(RedisFaultKind.ConnectFailed, "nobody answers"));
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException)
        {
            return (null, new RedisFault(RedisFaultKind.ConnectFailed, e is TlsFailedException ? e.Message : CleanText.Server(e.Message)));
        }
    }

    private async Task PauseAsync(RedisFault fault, TimeSpan? lived, TimeSpan took)
    {
        var delay = _pause.After(fault, lived, took);
        _feed.Board.Change(status => status with
        {
            State = FeedState.Down,
            IsInStep = false,
            LastError = fault.Text,
            SubscribedAt = null,
            Patterns = [],
            Reconnects = status.Reconnects + (lived is null ? 0 : 1),
        });
        if (lived is not null)
        {
            FeedLog.Lost(_feed.Logger, _feed.Node, fault.Text, (int)delay.TotalMilliseconds);
        }
        else if (_warnings.MayWarn(2002) || fault.Text != _lastText)
        {
            FeedLog.NoConnection(_feed.Logger, _feed.Node, fault.Text, (int)_feed.Options.LongestBackoff.TotalMilliseconds);
        }

        _lastText = fault.Text;
        if (delay > TimeSpan.Zero) await _hurry.WaitAsync(delay, _feed.Time, _stop).ConfigureAwait(false);
    }
}
