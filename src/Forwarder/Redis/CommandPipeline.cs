using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;
using KeyEvt.Resp;

namespace KeyEvt.Forwarder.Redis;

/// <summary>
/// To which command does a reply belong? Only the feed's own commands are on its connection, and Redis answers in order, so to the oldest one.
/// </summary>
/// <remarks>
/// Handlers run on the read loop, so that what they do has its exact position between two events. Sending never waits: the bytes are handed to
/// <see cref="WriteAsync"/>, the only writer of the connection.
/// </remarks>
internal sealed class CommandPipeline(TimeProvider time)
{
    /// <summary>
    /// Guards <see cref="_pending"/> and <see cref="_unsent"/>. <see cref="_sending"/> belongs to the writer, which exchanges the two under it.
    /// </summary>
    private readonly Lock _gate = new();
    private readonly Queue<Pending> _pending = new();
    private readonly AsyncSignal _hasUnsent = new();
    private ArrayBufferWriter<byte> _unsent = new();
    private ArrayBufferWriter<byte> _sending = new();

    /// <param name="Push">The first word of the push that answers the command (a subscription is confirmed only so); null if any reply answers it.</param>
    private readonly record struct Pending(Action<RedisAnswer, ClockReading> OnReply, ClockReading SentAt, string? Push);

    /// <summary>Number of commands without an answer so far.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _pending.Count;
        }
    }

    /// <param name="onReply">Called on the read loop with the answer, which may be an error, and the time at which the command was given.</param>
    public void Send(Action<RedisAnswer, ClockReading> onReply, params ReadOnlySpan<string> arguments) => Enqueue(onReply, null, arguments);

    /// <summary>Sends SUBSCRIBE or a similar command with one channel or pattern. It is answered by one push named like the command, or by an error.</summary>
    public void SendSubscription(Action<RedisAnswer, ClockReading> onReply, string command, string channel) =>
        Enqueue(onReply, command.ToLowerInvariant(), [command, channel]);

    /// <summary>Like <see cref="Send"/>, for callers that can wait for the answer. Must not be awaited on the read loop.</summary>
    public Task<RedisAnswer> AskAsync(params ReadOnlySpan<string> arguments)
    {
        var answer = new TaskCompletionSource<RedisAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue((reply, _) => answer.TrySetResult(reply), null, arguments);
        return answer.Task;
    }

    /// <summary>Gives a reply to the oldest command. Read loop only.</summary>
    /// <returns>When that command was given. Everything that the node did before that has been read.</returns>
    public ClockReading Answer(RedisAnswer reply)
    {
        Pending oldest;
        lock (_gate)
        {
            if (!_pending.TryDequeue(out oldest))
            {
                throw new RedisFaultException(RedisFaultKind.Protocol, $"the node sent an answer to nothing: {CleanText.Server(reply.Text)}");
            }
        }

        if (oldest.Push is not null && !reply.IsError)
        {
            throw new RedisFaultException(RedisFaultKind.Protocol, $"the node answered {oldest.Push} with something else");
        }

        oldest.OnReply(reply, oldest.SentAt);
        return oldest.SentAt;
    }

    /// <summary>Gives a push to the oldest command, if that command waits for it. Read loop only.</summary>
    /// <returns>As <see cref="Answer"/>; null if the push belongs to no command.</returns>
    public ClockReading? AnswerByPush(RedisAnswer push)
    {
        Pending oldest;
        lock (_gate)
        {
            if (push.Items.Count == 0 || !_pending.TryPeek(out oldest) || oldest.Push != push.Items[0].Text) return null;

            _pending.Dequeue();
        }

        oldest.OnReply(push, oldest.SentAt);
        return oldest.SentAt;
    }

    /// <summary>Writes the commands, until the connection ends.</summary>
    public async Task WriteAsync(PipeWriter output, CancellationToken cancellation)
    {
        await using var registration = cancellation.Register(_hasUnsent.Set).ConfigureAwait(false);
        while (!cancellation.IsCancellationRequested)
        {
            await _hasUnsent.WaitAsync().ConfigureAwait(false);
            lock (_gate) (_sending, _unsent) = (_unsent, _sending);

            var flushed = await FlushAsync(output, cancellation).ConfigureAwait(false);
            if (flushed.IsCompleted) return;
        }
    }

    private async ValueTask<FlushResult> FlushAsync(PipeWriter output, CancellationToken cancellation)
    {
        try
        {
            output.Write(_sending.WrittenSpan);
            _sending.Clear(); // also overwrites the bytes with zeros: a password may have been among them
            return await output.FlushAsync(cancellation).ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            // The transport completes its writer itself when the socket has ended, at any moment between two writes.
            throw new RedisFaultException(RedisFaultKind.Closed, "the connection has ended");
        }
    }

    private void Enqueue(Action<RedisAnswer, ClockReading> onReply, string? push, ReadOnlySpan<string> arguments)
    {
        lock (_gate)
        {
            _pending.Enqueue(new Pending(onReply, ClockReading.Now(time), push));
            RespWriter.WriteCommand(_unsent, arguments);
        }

        _hasUnsent.Set();
    }
}
