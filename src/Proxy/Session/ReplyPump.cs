using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Session;

/// <summary>One for each kind of filter.</summary>
internal abstract class ReplyPump : ZeroCopyForwarder
{
    private long _bytes;

    /// <summary>Bytes for the client so far. From any thread.</summary>
    public long BytesPassed => Volatile.Read(ref _bytes);

    /// <summary>On the thread of whoever passes or writes.</summary>
    protected void CountBytes(long bytes) => _bytes += bytes;

    public abstract Task RunAsync();
}

/// <summary>
/// Upstream to client: copies replies without looking at them. Only while a barrier is armed it looks for that barrier's lines, and puts
/// the intercepted command's reply in their place. Merged notifications go out where a frame ends.
/// </summary>
/// <typeparam name="TFilter"><see cref="PlainReplies"/>, a struct, so that the pump is compiled without any looking at replies; or <see cref="IReplyFilter"/>.</typeparam>
/// <param name="inserted">What goes between the replies. Null: nothing ever does.</param>
internal sealed class ReplyPump<TFilter>(ProxySession session, IConnection client, IConnection upstream, BarrierSlot slot, TFilter filter, IInsertedFrames? inserted = null) : ReplyPump
    where TFilter : IReplyFilter
{
    /// <summary>So many bytes of notifications are written between two flushes.</summary>
    private const int FlushEvery = 16 * 1024;

    private readonly PipeReader _upstream = upstream.Input;
    private readonly PipeWriter _client = client.Output;
    private readonly BlockWriter? _taker = client.Output.TakesBlocksOf(upstream.Input);

    public override async Task RunAsync()
    {
        var end = SessionEndReason.Fault;
        try
        {
            end = await CopyRepliesAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            end = session.Classify(e, Side.Upstream);
        }
        finally
        {
            session.End(end);
            if (end == SessionEndReason.UpstreamReset) await _client.CompleteAsync().ConfigureAwait(false);
            session.EndReplies();
            slot.Close();
        }
    }

    /// <summary>Replies to which nothing is to be done.</summary>
    public override ForwardResult TryForward(Block received)
    {
        if (_taker is null || !MayPass(received.Sequence)) return ForwardResult.NotTaken;
        CountRead();
        CountBytes(received.Length);
        return _taker.TakeAndFlush(received) ? ForwardResult.Forwarded : ForwardResult.ForwardedUnflushed;
    }

    private bool MayPass(in ReadOnlySequence<byte> replies) => slot.Armed is null && inserted is not { HasSome: true } && filter.MayPass(replies);

    private async Task<SessionEndReason> CopyRepliesAsync()
    {
        while (true)
        {
            var read = await _upstream.ReadAsync(this).ConfigureAwait(false);
            CountRead();
            if (MayPass(read.Buffer))
            {
                CountBytes(read.Buffer.Length);
                _upstream.Pass(read.Buffer, _client);
            }
            else
            {
                var rest = await CopyWithCareAsync(read.Buffer, isLast: read.IsCompleted).ConfigureAwait(false);
                _upstream.AdvanceTo(rest, read.Buffer.End);
            }

            var ended = session.PlaceOfEndReached;
            if (read.IsCompleted && !ended) WriteLastWords(session.LastWords);
            if (!await _client.TryFlushAsync().ConfigureAwait(false)) return SessionEndReason.ClientReset;
            if (!read.IsCompleted && !ended) continue;
            session.End(SessionEndReason.UpstreamClosed); // before the client can answer with its own
            await _client.CompleteAsync().ConfigureAwait(false); // FIN for FIN, behind all bytes
            return SessionEndReason.UpstreamClosed;
        }
    }

    /// <summary>Copies what is the client's, byte by byte looked at; returns where the bytes begin that cannot be told yet.</summary>
    private async ValueTask<SequencePosition> CopyWithCareAsync(ReadOnlySequence<byte> replies, bool isLast)
    {
        while (slot.Armed is { } barrier)
        {
            var step = barrier.Read(replies);
            await WriteAsync(replies.Slice(0, step.ForClient)).ConfigureAwait(false);
            replies = replies.Slice(step.ForClient + step.ForProxy);
            if (step.IsReached) await ConcludeAsync(barrier).ConfigureAwait(false);
            if (session.PlaceOfEndReached) return replies.End;
            if (step != BarrierStep.NeedMore) continue;
            if (!isLast || !barrier.IsSearching) return replies.Start;
            break; // what looked like the beginning of a mark was none
        }

        await WriteAsync(replies).ConfigureAwait(false);
        if (isLast) filter.WriteHeld(_client);
        return replies.End;
    }

    /// <summary>To the client; at the first end of a frame with what waits to be put between the replies.</summary>
    private async ValueTask WriteAsync(ReadOnlySequence<byte> replies)
    {
        CountBytes(replies.Length);
        if (inserted is { HasSome: true } && filter.ToBoundary(replies) is >= 0 and var length)
        {
            await filter.WriteAsync(replies.Slice(0, length), _client).ConfigureAwait(false);
            replies = replies.Slice(length);
            await WriteNotificationsAsync(inserted).ConfigureAwait(false);
        }

        await filter.WriteAsync(replies, _client).ConfigureAwait(false);
    }

    private async ValueTask WriteNotificationsAsync(IInsertedFrames notifications)
    {
        var unflushed = 0;
        for (var left = notifications.BeginTaking(); left > 0; left--)
        {
            var frame = notifications.Take();
            _client.TryWrite(frame);
            CountBytes(frame.Length);
            unflushed += frame.Length;
            if (unflushed < FlushEvery) continue;
            if (!await _client.TryFlushAsync().ConfigureAwait(false)) return; // the next flush says so again
            unflushed = 0;
        }
    }

    private void WriteLastWords(ReadOnlyMemory<byte> words)
    {
        CountBytes(words.Length);
        _client.TryWrite(words);
    }

    /// <summary>The barrier's place has come: everything before it goes out first, as the command may take its time.</summary>
    private async ValueTask ConcludeAsync(ReplyBarrier barrier)
    {
        if (barrier.IsForWords && (barrier.Interception is null || !barrier.IsRefused))
        {
            slot.Disarm(BarrierEnd.Passed);
            return;
        }

        if (barrier.Interception is null)
        {
            if (barrier.Mode == ReplyMode.On) WriteLastWords(barrier.LastWords);
            session.PlaceOfEndReached = true;
            slot.Disarm(BarrierEnd.Passed);
            return;
        }

        await _client.TryFlushAsync().ConfigureAwait(false);
        var reply = await barrier.Interception.ConcludeAsync(barrier, session.Broken).ConfigureAwait(false);
        if (reply is { } bytes)
        {
            CountBytes(bytes.Length);
            session.Services.Interceptions?.Count(barrier.Interception);
            _client.TryWrite(bytes);
        }

        slot.Disarm(reply is null ? BarrierEnd.AskUser : BarrierEnd.Passed);
    }
}
