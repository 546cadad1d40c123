using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Session;

/// <summary>What <see cref="ReplyPump{TFilter}"/> has in common for every kind of filter.</summary>
internal abstract class ReplyPump : ZeroCopyForwarder
{
    /// <summary>
    /// Written by the pump on one thread at a time, by the task of <see cref="RunAsync"/> or in <see cref="ZeroCopyForwarder.TryForward"/>; read by Volatile on
    /// any thread.
    /// </summary>
    private long _bytes;

    /// <summary>Bytes that went to the client so far. From any thread.</summary>
    public long BytesPassed => Volatile.Read(ref _bytes);

    /// <summary>Called on the one thread that forwards or writes at that moment.</summary>
    protected void CountBytes(long bytes) => _bytes += bytes;

    public abstract Task RunAsync();
}

/// <summary>
/// Upstream to client: copies replies without looking at them. While a barrier is armed, it looks for that barrier's lines and puts the intercepted command's
/// reply in their place. Merged notifications go out at the end of a frame.
/// </summary>
/// <typeparam name="TFilter">
/// The struct <see cref="PlainReplies"/>, for which the compiler leaves out all looking at replies; or <see cref="IReplyFilter"/>.
/// </typeparam>
/// <param name="inserted">Frames that go between the replies. Null: this session never has any.</param>
internal sealed class ReplyPump<TFilter>(ProxySession session, IConnection client, IConnection upstream, BarrierSlot slot, TFilter filter, IInsertedFrames? inserted = null) : ReplyPump
    where TFilter : IReplyFilter
{
    /// <summary>How many bytes of notifications are written between two flushes.</summary>
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

    /// <summary>Forwards replies that need no change, as the block they came in.</summary>
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
            session.End(SessionEndReason.UpstreamClosed); // before the client, seeing FIN, closes and its own reason could come first
            await _client.CompleteAsync().ConfigureAwait(false); // the upstream's FIN is passed on, behind all bytes
            return SessionEndReason.UpstreamClosed;
        }
    }

    /// <summary>
    /// Copies the client's part of these bytes, and looks for the armed barrier in them. Returns the start of the bytes whose owner
    /// cannot be told yet.
    /// </summary>
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
            break; // the stream has ended: what looked like the beginning of a mark was none
        }

        await WriteAsync(replies).ConfigureAwait(false);
        if (isLast) filter.WriteHeld(_client);
        return replies.End;
    }

    /// <summary>Writes replies to the client. At the first end of a frame it also writes the frames that wait to be put between replies.</summary>
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
            if (!await _client.TryFlushAsync().ConfigureAwait(false)) return; // the client is broken; the next flush reports it
            unflushed = 0;
        }
    }

    private void WriteLastWords(ReadOnlyMemory<byte> words)
    {
        CountBytes(words.Length);
        _client.TryWrite(words);
    }

    /// <summary>Called when the place of the barrier is reached. First flushes the replies in front of it, since the command may take its time.</summary>
    private async ValueTask ConcludeAsync(ReplyBarrier barrier)
    {
        if (barrier.IsForWords && (barrier.Interception is null || !barrier.IsRefused))
        {
            slot.Disarm(BarrierEnd.Passed);
            return;
        }

        if (barrier.Interception is null)
        {
            if (barrier.Mode == ClientReplyMode.On) WriteLastWords(barrier.LastWords);
            session.PlaceOfEndReached = true;
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
