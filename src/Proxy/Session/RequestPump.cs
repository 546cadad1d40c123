using System.IO.Pipelines;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Barrier.Echo;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Text;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// Client to upstream: passes requests on as the bytes they came in, once they are known to be valid and not for the proxy itself. Requests for the proxy are
/// answered at their place among the replies: see <see cref="ReplyBarrier"/>.
/// </summary>
/// <param name="interceptor">Decides which requests the proxy answers itself.</param>
/// <param name="coverage">Holds requests while the upstream's events are not heard.</param>
internal sealed class RequestPump(
    ProxySession session, SessionServices services, IConnection client, IConnection upstream, TransportAddress upstreamAddress, BarrierSlot slot, SessionInterceptor interceptor, CoverageGate coverage, long upstreamOpenedAt) : ZeroCopyForwarder
{
    /// <summary>
    /// While an intercepted command waits, up to this many bytes behind it are read, so as to notice the client's FIN. Beyond that nothing more is read.
    /// </summary>
    private const int MaxBytesBehind = 64 * 1024;

    private static readonly ReadOnlyMemory<byte> CannotAnswer = Replies.Error(
        "ERR keyevt: key_evt_amqp commands cannot be answered here, as the upstream does not name an unknown command in its error; configure KeyEvt by its options, or use an upstream that does. The connection is closed");

    private readonly RequestRun _run = new(services.Limits, interceptor.Candidates, upstream.Output);
    private readonly PipeReader _client = client.Input;
    private readonly PipeWriter _upstream = upstream.Output;
    private readonly BlockWriter? _taker = upstream.Output.TakesBlocksOf(client.Input);

    /// <summary>
    /// The client has used CLIENT REPLY OFF or SKIP. From then on each barrier also finds out which mode the client is in. Used by the request pump only.
    /// </summary>
    private bool _repliesMayBeOff;

    /// <summary>
    /// How the upstream names an unknown command, learnt on this session's own connection; null: not learnt here. Used by the request pump only.
    /// </summary>
    private EchoWords? _words;

    /// <summary>
    /// Set when the session ends at the request that was taken last: the reason, and the last bytes for the client. Used by the request pump only.
    /// </summary>
    private (SessionEndReason Reason, ReadOnlyMemory<byte> LastWords)? _over;

    /// <summary>How much of the client's requests went upstream so far. From any thread.</summary>
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

    /// <summary>Forwards ordinary requests, which nearly all are, as the block they came in.</summary>
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
                session.CutOff(SessionEndReason.ForeignProtocol); // as Redis does: the requests in front of that line are executed, but not answered
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

    /// <summary>
    /// Handles a whole request that may concern the proxy. Returns the bytes to go on with; <see cref="RequestRun"/> knows where in them to go on.
    /// </summary>
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

        // From here on the request is not passed on: the arguments of a key_evt_amqp command may hold a password.
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

    /// <summary>
    /// Called before the client switches its replies off. If the words can only be learnt on the client's own connection, this is the last chance: with replies
    /// off, nothing would come.
    /// </summary>
    private async ValueTask<ReadResult> LearnBeforeSilenceAsync(ReadResult read)
    {
        if (_repliesMayBeOff || await LearnWordsAsync().ConfigureAwait(false) is not { Shape: null, Guard: { } guard }) return read;
        _run.WriteInFront(read.Buffer);
        return await LearnHereAsync(guard, interception: null, read).ConfigureAwait(false);
    }

    /// <summary>Learns the words on this session's own connection. Meanwhile no other request goes upstream.</summary>
    /// <param name="interception">
    /// The client's request that is answered here at once if the client has not logged in, see <see cref="ReplyBarrier.ForWords"/>; null: there is none.
    /// </param>
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

    /// <summary>Tells the interceptor of a candidate that was too large, before any byte of it goes upstream.</summary>
    private void PassTooLarge()
    {
        _run.PassesTooLarge = false;
        interceptor.PassesTooLarge();
    }

    /// <summary>
    /// Sends the barrier in the place of the request, and waits until the reply to the request is there. Meanwhile no other request goes upstream.
    /// </summary>
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
        if (interception.Mode == ClientReplyMode.Off) _upstream.TryWrite(ClientReplyCommands.Off);
        return read;
    }

    /// <param name="isLast">The proxy sends no second question for the same request.</param>
    private async ValueTask<ReadResult> SendAndWaitAsync(ReplyBarrier barrier, ReadResult read, bool isLast)
    {
        slot.Arm(barrier);
        _upstream.TryWrite(barrier.Commands);
        await _upstream.TryFlushAsync().ConfigureAwait(false);
        return await WaitAsync(barrier, read, isLast).ConfigureAwait(false);
    }

    /// <summary>
    /// Waits until the barrier has ended. Meanwhile it reads the client's bytes, only to notice the client's FIN; <see cref="BarrierSlot"/> wakes that read
    /// when the barrier has ended. Returns the bytes that have come, none of them consumed.
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

    /// <summary>
    /// The client has sent FIN. If nothing else must go upstream, FIN is passed on at once. Otherwise a timer limits the wait for the barrier.
    /// </summary>
    private ITimer? PassEndOrLimitWait(ReadResult read, bool isLast)
    {
        if (!read.Buffer.IsEmpty || !isLast) return EndAfter(services.Deadlines.Grace, SessionEndReason.ClientLeftWaiting);
        session.End(SessionEndReason.ClientClosed);
        _upstream.Complete();
        return null;
    }

    /// <summary>The client's bytes are not valid requests, or the proxy stops: ends the session once all replies so far have been passed on.</summary>
    private async ValueTask<SessionEndReason> EndBehindRepliesAsync(SessionEndReason reason, ReadOnlyMemory<byte> lastWords)
    {
        session.End(reason);
        var words = await LearnWordsAsync().ConfigureAwait(false);
        if (words.Shape is not { } shape || _run.BrokeInsideForwarded)
        {
            // A mark would not come back, or the upstream would take it for the rest of the malformed request.
            // So the upstream gets FIN, and closing its side tells where its replies end.
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

    /// <summary>Reads and drops the client's bytes until the client's FIN, which is still passed on.</summary>
    private async ValueTask<SessionEndReason> DiscardAsync()
    {
        while (!session.LingerIsOver) // a wake-up that was meant for an earlier read may end this one, so the flag is asked each time
        {
            var read = await _client.ReadAsync().ConfigureAwait(false);
            if (read.IsCompleted) return await PassEndAsync().ConfigureAwait(false);
            _client.AdvanceTo(read.Buffer.End);
        }

        return SessionEndReason.UpstreamClosed;
    }

    /// <summary>Passes the client's FIN on, behind all bytes.</summary>
    private async ValueTask<SessionEndReason> PassEndAsync()
    {
        session.End(SessionEndReason.ClientClosed); // before the upstream, seeing FIN, closes and its own reason could come first
        await _upstream.CompleteAsync().ConfigureAwait(false);
        return SessionEndReason.ClientClosed;
    }

    /// <summary>
    /// The words in which the upstream names an unknown command, learnt on this session's connection or asked of <see cref="UpstreamProbe"/>.
    /// </summary>
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
            return default; // no more replies come, so nothing is intercepted any more; only the client's end is still waited for
        }
    }

    private ITimer EndAfter(TimeSpan delay, SessionEndReason reason) =>
        services.Time.CreateTimer(_ => session.End(reason), null, delay, Timeout.InfiniteTimeSpan);
}
