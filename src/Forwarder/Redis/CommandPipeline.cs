using System.Buffers;
using System.IO.Pipelines;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;
using KeyEvt.Resp;

namespace KeyEvt.Forwarder.Redis;

/// <summary>Which command does a reply belong to? Only the feed's own commands are on its connection, and Redis answers in order: the oldest.</summary>
/// <remarks>
/// Handlers run on the read loop, so that what they do has its exact place between two events. Sending never waits: bytes are handed to
/// <see cref="WriteAsync"/>, the one writer of the connection.
/// </remarks>
internal sealed class CommandPipeline(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Queue<Pending> _pending = new();
    private readonly AsyncSignal _hasUnsent = new();
    private ArrayBufferWriter<byte> _unsent = new();
    private ArrayBufferWriter<byte> _sending = new();

    /// <param name="Push">The word of the push that answers (a subscription has no other success), or null: any reply.</param>
    private readonly record struct Pending(Action<RedisAnswer, ClockReading> OnReply, ClockReading SentAt, string? Push);

    /// <summary>Commands without an answer yet.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate) return _pending.Count;
        }
    }

    /// <param name="onReply">Called on the read loop with the answer, which may be an error, and the moment the command was given.</param>
    public void Send(Action<RedisAnswer, ClockReading> onReply, params ReadOnlySpan<string> arguments) => Enqueue(onReply, null, arguments);

    /// <summary>SUBSCRIBE and its kin, with one channel or pattern: answered by one push named like the command, or by an error.</summary>
    public void SendSubscription(Action<RedisAnswer, ClockReading> onReply, string command, string channel) =>
        Enqueue(onReply, command.ToLowerInvariant(), [command, channel]);

    /// <summary>As <see cref="Send"/>, for those who can wait: not on the read loop.</summary>
    public Task<RedisAnswer> AskAsync(params ReadOnlySpan<string> arguments)
    {
        var answer = new TaskCompletionSource<RedisAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue((reply, _) => answer.TrySetResult(reply), null, arguments);
        return answer.Task;
    }

    /// <summary>Gives a reply to the oldest command. Read loop only.</summary>
    /// <returns>When that command was given: up to there the stream is known to be whole.</returns>
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

    /// <summary>Gives a push to the oldest command, if that is what it waits for. Read loop only.</summary>
    /// <returns>As <see cref="Answer"/>; null: the push belongs to no command.</returns>
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

    /// <summary>Writes what is sent, for as long as the connection lives.</summary>
    public async Task WriteAsync(PipeWriter output, CancellationToken cancellation)
    {
        await using var registration = cancellation.Register(_hasUnsent.Set).ConfigureAwait(false);
        while (!cancellation.IsCancellationRequested)
        {
            await _hasUnsent.WaitAsync().ConfigureAwait(false);
            lock (_gate) (_sending, _unsent) = (_unsent, _sending);

            output.Write(_sending.WrittenSpan);
            _sending.Clear(); // wipes: a password may have been in it
            var flushed = await output.FlushAsync(cancellation).ConfigureAwait(false);
            if (flushed.IsCompleted) return;
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
