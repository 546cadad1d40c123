using System.Net.Sockets;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Route;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// One client connection and the one upstream connection that belongs to it; neither outlives the session. The session owns both connections and the two pumps.
/// Both pumps have ended before anything is disposed of.
/// </summary>
internal sealed class ProxySession(long id, IConnection client, SessionServices services)
{
    private readonly CancellationTokenSource _broken = new();

    /// <summary>
    /// Set once, by the task of <see cref="RunAsync"/>, which then looks at <see cref="Broken"/>. <see cref="Abort"/> may come from any thread: it cancels
    /// <see cref="Broken"/> first, and then looks at this field. So at least one of the two sees what the other has done.
    /// </summary>
    private volatile IConnection? _upstream;

    /// <summary>A <see cref="SessionEndReason"/>. Any thread may set it, once, by Interlocked; read by Volatile.</summary>
    private int _reason;

    /// <summary>
    /// Both pumps are set once, by the task of <see cref="RunAsync"/>. Other threads read only their counters, and count 0 while they still see null.
    /// </summary>
    private RequestPump? _requests;
    private ReplyPump? _replies;

    /// <summary>Set by the reply pump; read by any thread.</summary>
    private volatile bool _repliesHaveEnded;

    /// <summary>Set by any thread that stops the session; read by the request pump.</summary>
    private volatile bool _isStopping;

    /// <summary>See <see cref="LastWords"/>. Never changed after it is set.</summary>
    private volatile byte[] _lastWords = [];

    /// <summary>Set when the connect deadline fires; read by the task of <see cref="RunAsync"/>.</summary>
    private volatile bool _hasGivenUpConnecting;

    public long Id => id;

    public SessionServices Services => services;

    /// <summary>The first reason that was given.</summary>
    public SessionEndReason EndReason => (SessionEndReason)Volatile.Read(ref _reason);

    /// <summary>
    /// Cancelled when a side is broken, when no more replies come, or when connecting has taken too long. Work for the session then stops, since nobody needs
    /// its result.
    /// </summary>
    public CancellationToken Broken => _broken.Token;

    /// <summary>True: the request pump ends the session as soon as no request is half forwarded.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>The reply pump has ended: nothing more comes from the upstream.</summary>
    public bool RepliesHaveEnded => _repliesHaveEnded;

    /// <summary>The time that the client had for closing its side is over. Set by the task of <see cref="RunAsync"/>, read by the request pump.</summary>
    public volatile bool LingerIsOver;

    /// <summary>
    /// How many times bytes have come in from either side. When the number has not changed since it was read last, the session is idle. From any thread.
    /// </summary>
    public long Reads => (_requests?.Reads ?? 0) + (_replies?.Reads ?? 0);

    /// <summary>What has passed through the session so far. From any thread.</summary>
    public SessionTraffic Traffic
    {
        get
        {
            var (bytes, requests) = _requests?.Passed ?? default;
            return new SessionTraffic(bytes, _replies?.BytesPassed ?? 0, requests);
        }
    }

    /// <summary>
    /// The reply pump has passed on all replies up to the place where the session ends, see <see cref="ReplyBarrier.ForEnd"/>. Used by the reply pump only.
    /// </summary>
    public bool PlaceOfEndReached { get; set; }

    /// <summary>
    /// The client's last bytes, sent behind the upstream's last byte. The request pump writes them before it ends the upstream's input; the reply pump reads
    /// them at the upstream's end, which may come earlier.
    /// </summary>
    public ReadOnlyMemory<byte> LastWords { get => _lastWords; set => _lastWords = value.ToArray(); }

    /// <summary>Runs until both sides have ended; never throws.</summary>
    public async Task RunAsync()
    {
        if (services.Logger.IsEnabled(LogLevel.Debug))
        {
            // Only here, since making the text of the name costs time.
            SessionLog.SessionBegins(services.Logger, id, client.RemoteName);
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

    /// <summary>
    /// Ends the session. May be called more than once; the first reason is kept. Unless the reason is orderly (<see cref="EndReasons.IsOrderly"/>), both
    /// connections are cut.
    /// </summary>
    public void End(SessionEndReason reason)
    {
        Note(reason);
        if (!EndReasons.IsOrderly(reason)) Abort();
    }

    /// <summary>The client gets nothing more. Bytes that are already on their way to the upstream still arrive there.</summary>
    public void CutOff(SessionEndReason reason)
    {
        Note(reason);
        client.Abort();
    }

    /// <summary>Cuts both connections; the pumps then end by themselves.</summary>
    public void Abort()
    {
        client.Abort();
        CancelWork();
        Interlocked.MemoryBarrier();
        _upstream?.Abort();
    }

    /// <summary>
    /// Called by the reply pump when nothing more comes from the upstream. Cancels what the request pump may be waiting for, except its wait for the client's
    /// own end.
    /// </summary>
    public void EndReplies()
    {
        _repliesHaveEnded = true;
        CancelWork();
    }

    /// <summary>Asks the session to end: it takes no further request, and requests under way still get their replies.</summary>
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
        await interceptor.DisposeAsync().ConfigureAwait(false); // already here, since the client may take long to close its side
        if (EndReason is SessionEndReason.UpstreamClosed or SessionEndReason.UpstreamReset) services.Upstream.Lost(place);

        // The client has got all that it will get, so nothing more need reach the upstream.
        upstream.Abort();
        await LingerAsync(requests).ConfigureAwait(false);
    }

    /// <summary>
    /// Called when the upstream has moved. The client gets the replies that have come, and then FIN, as from a Redis that has changed its role.
    /// </summary>
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
            // disposed of: the session is already over
        }
    }

    /// <summary>Waits for a while, so that the client can close its side first.</summary>
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

    /// <summary>Connects, trying one place after another. Returns the place it is connected to; null when there is none, and the client was refused.</summary>
    private async Task<UpstreamPlace?> ConnectUpstreamAsync()
    {
        UpstreamPlace? place = null;
        string? why = null;
        var isAsking = false; // true while a place is asked whether it accepts the connection
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
                // the deadline has fired; the refusal below reports it
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

    /// <summary>Returns null when the connection is open, otherwise the reason why it is not.</summary>
    private async ValueTask<string?> TryConnectAsync(UpstreamPlace place)
    {
        try
        {
            var begun = services.Time.GetTimestamp();
            _upstream = await services.Transport.ConnectAsync(place.Address, Broken).ConfigureAwait(false);
            services.ConnectTimes?.Connected(services.Time.GetElapsedTime(begun));
            Interlocked.MemoryBarrier();
            if (Broken.IsCancellationRequested) _upstream.Abort();
            return null;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return e.Message;
        }
    }

    /// <summary>
    /// Refuses the client as a machine without a Redis would: no error line, but a reset. Clients keep the commands of a connection that was never made, and
    /// try again. An error line they would take for the answer to their first command, and all other commands would fail. A line would also tell anybody,
    /// without a login, where Redis is.
    /// </summary>
    private void Refuse(string upstream, string why, bool isRefused)
    {
        client.ResetPeer();
        End(SessionEndReason.UpstreamUnreachable);
        services.Reach.Failed(id, upstream, why, isRefused);
    }
}
