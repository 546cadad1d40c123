using System.Net.Sockets;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// One client connection and the one upstream connection that belongs to it: they live and die together. Owns both, and two pumps, both
/// of which have ended before anything is disposed.
/// </summary>
internal sealed class ProxySession(long id, IConnection client, SessionServices services)
{
    private readonly CancellationTokenSource _broken = new();
    private IConnection? _upstream;
    private int _reason;
    private RequestPump? _requests;
    private ReplyPump? _replies;
    private volatile bool _repliesHaveEnded;
    private volatile bool _isStopping;
    private volatile bool _hasGivenUpConnecting;

    public long Id => id;

    public SessionServices Services => services;

    /// <summary>The first reason given.</summary>
    public SessionEndReason EndReason => (SessionEndReason)Volatile.Read(ref _reason);

    /// <summary>Cancelled when a side is broken, when no more replies come, or when connecting has taken too long, so that nobody works for a session that will not be.</summary>
    public CancellationToken Broken => _broken.Token;

    /// <summary>The request pump is to end the session at the next boundary of a request.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>Nothing more comes from the upstream.</summary>
    public bool RepliesHaveEnded => _repliesHaveEnded;

    /// <summary>The client had its time to close.</summary>
    public volatile bool LingerIsOver;

    /// <summary>Has anything passed since this was asked last?</summary>
    public long Reads => (_requests?.Reads ?? 0) + (_replies?.Reads ?? 0);

    /// <summary>What has passed so far. From any thread.</summary>
    public SessionTraffic Traffic
    {
        get
        {
            var (bytes, requests) = _requests?.Passed ?? default;
            return new SessionTraffic(bytes, _replies?.BytesPassed ?? 0, requests);
        }
    }

    /// <summary>The reply pump has passed on all that was asked for, see <see cref="ReplyBarrier.ForEnd"/>.</summary>
    public bool PlaceOfEndReached { get; set; }

    /// <summary>For the client, behind the upstream's last byte. Written by the request pump before it ends the upstream's input, read by the reply pump at the upstream's end.</summary>
    public ReadOnlyMemory<byte> LastWords { get; set; }

    /// <summary>Runs until both sides have ended; never throws.</summary>
    public async Task RunAsync()
    {
        if (services.Logger.IsEnabled(LogLevel.Debug))
        {
            SessionLog.SessionBegins(services.Logger, id, client.RemoteName); // the name is made when it is asked for
        }

        try
        {
            if (await ConnectUpstreamAsync().ConfigureAwait(false) is { } place) await PumpAsync(_upstream!, place).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            End(Classify(e, Side.Client));
        }
        finally
        {
            if (_upstream is not null) await _upstream.DisposeAsync().ConfigureAwait(false);
            await client.DisposeAsync().ConfigureAwait(false);
            _broken.Dispose();
            SessionLog.SessionEnds(services.Logger, id, EndReason);
        }
    }

    /// <summary>Idempotent; the first reason wins. A broken side breaks the other.</summary>
    public void End(SessionEndReason reason)
    {
        Note(reason);
        if (!EndReasons.IsOrderly(reason)) Abort();
    }

    /// <summary>The client gets nothing more; the upstream still gets what is on its way to it.</summary>
    public void CutOff(SessionEndReason reason)
    {
        Note(reason);
        client.Abort();
    }

    /// <summary>Cuts both connections; the pumps then end by themselves.</summary>
    public void Abort()
    {
        client.Abort();
        _upstream?.Abort();
        CancelWork();
    }

    /// <summary>By the reply pump: nothing more comes from the upstream. What the request pump may be waiting for, but for its client, has no use any more.</summary>
    public void EndReplies()
    {
        _repliesHaveEnded = true;
        CancelWork();
    }

    /// <summary>Asks for an end: no further request is taken; those under way get their replies.</summary>
    public void Stop()
    {
        _isStopping = true;
        client.Input.CancelPendingRead();
    }

    public SessionEndReason Classify(Exception exception, Side reading)
    {
        if (exception is PlaceLostException) return SessionEndReason.PlaceLost;
        var reason = EndReasons.Classify(exception, reading);
        if (reason == SessionEndReason.Fault) SessionLog.SessionFault(services.Logger, id, exception);
        return reason;
    }

    private void Note(SessionEndReason reason) => Interlocked.CompareExchange(ref _reason, (int)reason, (int)SessionEndReason.None);

    private async Task PumpAsync(IConnection upstream, UpstreamPlace place)
    {
        await using var moves = place.Over.UnsafeRegister(static session => ((ProxySession)session!).EndMoved(), this).ConfigureAwait(false);
        var slot = new BarrierSlot(client.Input);
        await using var interceptor = services.Intercept(this, client, upstream, place.Address);
        _replies = interceptor.ReplyFilter is { } filter
            ? new ReplyPump<IReplyFilter>(this, client, upstream, slot, filter, interceptor.Inserted)
            : new ReplyPump<PlainReplies>(this, client, upstream, slot, default);
        _requests = new RequestPump(this, services, client, upstream, place.Address, slot, interceptor, services.CoverageOf(place.Address), services.Time.GetTimestamp());
        var requests = _requests.RunAsync();
        await _replies.RunAsync().ConfigureAwait(false);
        await interceptor.DisposeAsync().ConfigureAwait(false); // now, not when the client has taken its time to close
        if (EndReason is SessionEndReason.UpstreamClosed or SessionEndReason.UpstreamReset) services.Upstream.Lost(place);

        // The client has all it will get; nothing more need reach the upstream.
        upstream.Abort();
        await LingerAsync(requests).ConfigureAwait(false);
    }

    /// <summary>The client gets what has come, then FIN, as from a Redis that has changed its role.</summary>
    private void EndMoved()
    {
        End(SessionEndReason.UpstreamMoved);
        _upstream?.Abort();
    }

    private void CancelWork()
    {
        try
        {
            _broken.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // over already
        }
    }

    /// <summary>Lets the client close by itself, for a while.</summary>
    private async Task LingerAsync(Task reading)
    {
        try
        {
            await reading.WaitAsync(services.Deadlines.Linger, services.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LingerIsOver = true;
            client.Input.CancelPendingRead();
            await reading.ConfigureAwait(false);
        }
    }

    /// <summary>Where it is connected; null: it is not, and the client is refused.</summary>
    private async Task<UpstreamPlace?> ConnectUpstreamAsync()
    {
        UpstreamPlace? place = null;
        string? why = null;
        var isAsking = false; // whether a place lets us in
        await using (services.ConnectDeadline.Begin().UnsafeRegister(static session => ((ProxySession)session!).GiveUpConnecting(), this).ConfigureAwait(false))
        {
            try
            {
                List<UpstreamPlace>? failed = null;
                while (true)
                {
                    if (await services.Upstream.FindAsync((IReadOnlyList<UpstreamPlace>?)failed ?? [], Broken).ConfigureAwait(false) is { } next)
                    {
                        (place, isAsking) = (next, true);
                        why = await TryConnectAsync(place).ConfigureAwait(false);
                        isAsking = false;
                        if (why is null) break;
                        (failed ??= []).Add(place);
                        services.Upstream.Lost(place);
                    }
                    else
                    {
                        why ??= "no master is known";
                        if (!await services.Upstream.WaitAsync(Broken).ConfigureAwait(false)) break;
                        failed?.Clear();
                    }
                }
            }
            catch (OperationCanceledException) when (_hasGivenUpConnecting)
            {
                // said below
            }
        }

        if (why is null && !_hasGivenUpConnecting)
        {
            services.Reach.Reached(services.Upstream.Name);
            return place;
        }

        why ??= (place is null ? "no master is known" : "no answer") + $" within {services.Deadlines.Connect.TotalSeconds:0.#} s";
        Refuse(place?.Address.ToString() ?? services.Upstream.Name, why, isRefused: !isAsking);
        return null;
    }

    private void GiveUpConnecting()
    {
        _hasGivenUpConnecting = true;
        CancelWork();
    }

    /// <summary>Null, or why it did not come about.</summary>
    private async ValueTask<string?> TryConnectAsync(UpstreamPlace place)
    {
        try
        {
            var begun = services.Time.GetTimestamp();
            _upstream = await services.Transport.ConnectAsync(place.Address, Broken).ConfigureAwait(false);
            services.ConnectTimes?.Connected(services.Time.GetElapsedTime(begun));
            return null;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return e.Message;
        }
    }

    /// <summary>
    /// As a Redis that is not there would: no line, but a reset. Clients keep the commands of a connection that did not come about, and try again; an error line they take for the
    /// answer to their first commands, and fail all others with it. It would also tell whoever asks, without a login, where Redis is.
    /// </summary>
    private void Refuse(string upstream, string why, bool isRefused)
    {
        client.ResetPeer();
        End(SessionEndReason.UpstreamUnreachable);
        services.Reach.Failed(id, upstream, why, isRefused);
    }
}
