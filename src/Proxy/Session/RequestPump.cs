using System.IO.Pipelines;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Text;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// Client to upstream: passes requests on as the bytes they came in, once they are known to be valid and not the proxy's own. Those
/// are answered in their place: see <see cref="ReplyBarrier"/>.
/// </summary>
/// <param name="interceptor">What is answered here.</param>
/// <param name="coverage">Whether requests wait until the upstream's events are heard.</param>
internal sealed class RequestPump(
    ProxySession session, SessionServices services, IConnection client, IConnection upstream, TransportAddress upstreamAddress, BarrierSlot slot, SessionInterceptor interceptor, CoverageGate coverage, long upstreamOpenedAt) : ZeroCopyForwarder
{
    /// <summary>While an intercepted command waits, so much of what comes behind it is taken in to notice the client's end; then no more is read.</summary>
    private const int MaxBytesBehind = 64 * 1024;

    private static readonly byte[] RepliesOff = "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n"u8.ToArray();

    private static readonly ReadOnlyMemory<byte> CannotAnswer = Replies.Error(
        "ERR keyevt: key_evt_amqp commands cannot be answered here, as the upstream does not name an unknown command in its error; configure KeyEvt by its options, or use an upstream that does. The connection is closed");

    private readonly RequestRun _run = new(services.Limits, interceptor.Candidates, upstream.Output);
    private readonly PipeReader _client = client.Input;
    private readonly PipeWriter _upstream = upstream.Output;
    private readonly BlockWriter? _taker = upstream.Output.TakesBlocksOf(client.Input);

    /// <summary>The client has used CLIENT REPLY OFF or SKIP: what mode it is in is asked at each barrier.</summary>
    private bool _repliesMayBeOff;

    /// <summary>In which words the upstream names an unknown command, learnt on this session's own connection.</summary>
    private EchoWords? _words;

    /// <summary>The session ends at the request that was taken last, with this for the client.</summary>
    private (SessionEndReason Reason, ReadOnlyMemory<byte> LastWords)? _over;

    /// <summary>What of the client's went upstream so far. From any thread.</summary>
    public (long Bytes, long Requests) Passed => (_run.BytesPassed, _run.Requests);

    public async Task RunAsync()
    {
        var end = SessionEndReason.Fault;
        try
        {
            end = await CopyRequestsAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            end = session.Classify(e, Side.Client);
        }
        finally
        {
            session.End(end);
        }
    }

    /// <summary>Ordinary requests, as nearly all are.</summary>
    public override ForwardResult TryForward(Block received)
    {
        if (_taker is null || coverage.IsHolding || !_run.MayPass(received.Bytes)) return ForwardResult.NotTaken;
        CountRead();
        return _taker.TakeAndFlush(received) ? ForwardResult.Forwarded : ForwardResult.ForwardedUnflushed;
    }

    private async Task<SessionEndReason> CopyRequestsAsync()
    {
        var read = await _client.ReadAsync(this).ConfigureAwait(false);
        while (true)
        {
            if (coverage.IsHolding) await coverage.WaitAsync().ConfigureAwait(false);
            if (session.RepliesHaveEnded)
            {
                _client.AdvanceTo(read.Buffer.End);
                return await DiscardAsync().ConfigureAwait(false);
            }

            CountRead();
            var stop = _run.Copy(read.Buffer);
            if (_run.PassesTooLarge) PassTooLarge();
            if (stop == RunStop.Candidate)
            {
                read = await HandleCandidateAsync(read).ConfigureAwait(false);
                if (_over is not { } over) continue;
                _run.Advance(_client, read.Buffer);
                await _upstream.TryFlushAsync().ConfigureAwait(false);
                return read.IsCompleted && over.LastWords.IsEmpty ? await PassEndAsync().ConfigureAwait(false) : await EndBehindRepliesAsync(over.Reason, over.LastWords).ConfigureAwait(false);
            }

            _run.Advance(_client, read.Buffer);
            if (stop == RunStop.ForeignProtocol)
            {
                session.CutOff(SessionEndReason.ForeignProtocol); // as from Redis: what stood before that line is done, and not answered
            }

            if (!await _upstream.TryFlushAsync().ConfigureAwait(false)) return await DiscardAsync().ConfigureAwait(false);
            if (stop == RunStop.ForeignProtocol) return SessionEndReason.ForeignProtocol;
            if (stop == RunStop.Malformed)
            {
                return await EndBehindRepliesAsync(SessionEndReason.ProtocolError, Replies.Error($"ERR {_run.Fault!.Message}")).ConfigureAwait(false);
            }

            if (read.IsCompleted) return await PassEndAsync().ConfigureAwait(false);
            if (session.IsStopping && _run.AtRequestBoundary)
            {
                return await EndBehindRepliesAsync(SessionEndReason.Stopping, default).ConfigureAwait(false);
            }

            read = await _client.ReadAsync(session.IsStopping ? null : this).ConfigureAwait(false);
        }
    }

    /// <summary>A whole request that may concern the proxy. Returns the bytes to go on with, from where the run stands.</summary>
    private async ValueTask<ReadResult> HandleCandidateAsync(ReadResult read)
    {
        var request = _run.Candidate!;
        var kind = RequestKinds.Of(request);
        if (kind == RequestKind.SilencesReplies)
        {
            read = await LearnBeforeSilenceAsync(read).ConfigureAwait(false);
            _repliesMayBeOff = true;
        }

        var interception = interceptor.InterceptionOf(request, kind, _repliesMayBeOff);
        if (interception is null)
        {
            _run.PassCandidate();
            return read;
        }

        var words = await LearnWordsAsync().ConfigureAwait(false);
        var mayLearnHere = words is { Shape: null, IsSilent: false } && !_repliesMayBeOff;
        if (words.Shape is null && !mayLearnHere && kind != RequestKind.Own)
        {
            _run.PassCandidate();
            return read;
        }

        // From here on it is not passed on: the arguments of an own command may hold a password.
        _run.TakeCandidate(read.Buffer);
        if (mayLearnHere)
        {
            read = await LearnHereAsync(words.Guard, interception, read).ConfigureAwait(false);
            if (_words is not { } learnt) return read; // the client has not logged in and was told so, or the session has ended
            words = learnt;
        }

        if (words.Shape is { } shape) return await InterceptAsync(interception, shape, words.Guard, read).ConfigureAwait(false);
        _over = (SessionEndReason.PlaceUnknown, CannotAnswer);
        return read;
    }

    /// <summary>Where the words can be learnt on the client's own connection only: with its replies off there would be nothing to learn from.</summary>
    private async ValueTask<ReadResult> LearnBeforeSilenceAsync(ReadResult read)
    {
        if (_repliesMayBeOff || await LearnWordsAsync().ConfigureAwait(false) is not { Shape: null, Guard: { } guard }) return read;
        _run.WriteInFront(read.Buffer);
        return await LearnHereAsync(guard, interception: null, read).ConfigureAwait(false);
    }

    /// <summary>Asks on this session's own connection. No other request overtakes the one that is waited for.</summary>
    /// <param name="interception">What the client asked for, if it is waited for here: see <see cref="ReplyBarrier.ForWords"/>.</param>
    private async ValueTask<ReadResult> LearnHereAsync(LoginGuard? guard, Interception? interception, ReadResult read)
    {
        SessionLog.AsksHere(services.Logger, session.Id);
        var barrier = ReplyBarrier.ForWords(guard, interception);
        await using var deadline = EndAfter(services.Deadlines.SilentPlace, SessionEndReason.PlaceLost);
        read = await SendAndWaitAsync(barrier, read, isLast: false).ConfigureAwait(false);
        await barrier.End.ConfigureAwait(false);
        if (barrier.Learnt is { } shape) _words = new EchoWords(shape, Guard: guard);
        if (interception is { EndsSession: true }) _over = (SessionEndReason.ProtocolError, default);
        return read;
    }

    /// <summary>Nothing of it has gone upstream yet.</summary>
    private void PassTooLarge()
    {
        _run.PassesTooLarge = false;
        interceptor.PassesTooLarge();
    }

    /// <summary>Sends the barrier in the request's place and waits until its reply is there; no other request overtakes it.</summary>
    private async ValueTask<ReadResult> InterceptAsync(Interception interception, EchoShape shape, LoginGuard? guard, ReadResult read)
    {
        var barrier = ReplyBarrier.ForQuestion(shape, guard, interception.Question, interception, _repliesMayBeOff);
        await using var deadline = _repliesMayBeOff ? EndAfter(services.Deadlines.SilentPlace, SessionEndReason.PlaceLost) : null;
        read = await SendAndWaitAsync(barrier, read, isLast: interception.SecondQuestion is null).ConfigureAwait(false);
        if (await barrier.End.ConfigureAwait(false) == BarrierEnd.AskUser)
        {
            read = await SendAndWaitAsync(ReplyBarrier.ForQuestion(shape, guard, interception.SecondQuestion!.Value, interception, repliesMayBeOff: false), read, isLast: true).ConfigureAwait(false);
        }

        if (interception.EndsSession) _over = (SessionEndReason.ProtocolError, default);
        if (interception.Mode == ReplyMode.Off) _upstream.TryWrite(RepliesOff);
        return read;
    }

    /// <param name="isLast">No other command of the proxy's own may follow this one for the same request.</param>
    private async ValueTask<ReadResult> SendAndWaitAsync(ReplyBarrier barrier, ReadResult read, bool isLast)
    {
        slot.Arm(barrier);
        _upstream.TryWrite(barrier.Commands);
        await _upstream.TryFlushAsync().ConfigureAwait(false);
        return await WaitAsync(barrier, read, isLast).ConfigureAwait(false);
    }

    /// <summary>
    /// Reads on while the barrier is out, only to notice the client's end: <see cref="BarrierSlot"/> wakes the read when the barrier is through.
    /// Returns what has come, unread.
    /// </summary>
    private async ValueTask<ReadResult> WaitAsync(ReplyBarrier barrier, ReadResult read, bool isLast)
    {
        do
        {
            _run.Advance(_client, read.Buffer);
            read = await _client.ReadAsync().ConfigureAwait(false);
            if (barrier.End.IsCompleted) return read;
        }
        while (!read.IsCompleted && read.Buffer.Length <= MaxBytesBehind);

        await using var grace = read.IsCompleted ? PassEndOrLimitWait(read, isLast) : null;
        await barrier.End.ConfigureAwait(false);
        return read;
    }

    /// <summary>The client has sent FIN. If nothing else is to be sent upstream, it is passed on at once; otherwise the waiting gets a limit.</summary>
    private ITimer? PassEndOrLimitWait(ReadResult read, bool isLast)
    {
        if (!read.Buffer.IsEmpty || !isLast) return EndAfter(services.Deadlines.Grace, SessionEndReason.ClientLeftWaiting);
        session.End(SessionEndReason.ClientClosed);
        _upstream.Complete();
        return null;
    }

    /// <summary>The client's bytes are no requests any more, or the proxy stops: the session ends where all replies so far have been passed on.</summary>
    private async ValueTask<SessionEndReason> EndBehindRepliesAsync(SessionEndReason reason, ReadOnlyMemory<byte> lastWords)
    {
        session.End(reason);
        var words = await LearnWordsAsync().ConfigureAwait(false);
        if (words.Shape is not { } shape || _run.BrokeInsideForwarded)
        {
            // No mark would come, or it would be taken for the rest of the bad request: the upstream says where its replies end by closing, as it does at its own client's end.
            if (!_repliesMayBeOff) session.LastWords = lastWords;
            await _upstream.CompleteAsync().ConfigureAwait(false);
            await DiscardAsync().ConfigureAwait(false);
            return reason;
        }

        await using var deadline = _repliesMayBeOff ? EndAfter(services.Deadlines.SilentPlace, SessionEndReason.PlaceLost) : null;
        var barrier = ReplyBarrier.ForEnd(shape, words.Guard, lastWords, _repliesMayBeOff);
        slot.Arm(barrier);
        _upstream.TryWrite(barrier.Commands);
        await _upstream.TryFlushAsync().ConfigureAwait(false);
        await DiscardAsync().ConfigureAwait(false);
        return reason;
    }

    /// <summary>Nothing of the client's is wanted any more; its end still is.</summary>
    private async ValueTask<SessionEndReason> DiscardAsync()
    {
        while (!session.LingerIsOver) // what woke a read that was then not waiting may have woken another one before
        {
            var read = await _client.ReadAsync().ConfigureAwait(false);
            if (read.IsCompleted) return await PassEndAsync().ConfigureAwait(false);
            _client.AdvanceTo(read.Buffer.End);
        }

        return SessionEndReason.UpstreamClosed;
    }

    /// <summary>FIN for FIN, behind all bytes.</summary>
    private async ValueTask<SessionEndReason> PassEndAsync()
    {
        session.End(SessionEndReason.ClientClosed); // before the upstream can answer with its own
        await _upstream.CompleteAsync().ConfigureAwait(false);
        return SessionEndReason.ClientClosed;
    }

    private async ValueTask<EchoWords> LearnWordsAsync()
    {
        if (_words is { } known) return known;
        if (!interceptor.Answers) return default;
        try
        {
            return await services.Probe.LearnAsync(upstreamAddress, upstreamOpenedAt, session.Broken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (session.RepliesHaveEnded)
        {
            return default; // nothing is sent or answered any more; the client's end is still waited for
        }
    }

    private ITimer EndAfter(TimeSpan delay, SessionEndReason reason) =>
        services.Time.CreateTimer(_ => session.End(reason), null, delay, Timeout.InfiniteTimeSpan);
}
