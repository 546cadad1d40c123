using System.Buffers;
using KeyEvt.Resp;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Barrier;

/// <summary>One request on its way that the proxy answers itself, from what the upstream says at its place: what is the upstream asked, and what does the client get?</summary>
internal abstract class Interception
{
    private ReplyBarrier? _first;

    /// <summary>Sent upstream at the request's place, between two marks.</summary>
    public abstract ReadOnlyMemory<byte> Question { get; }

    /// <summary>Asked behind the first when that answer does not decide. Null: there is never a second one.</summary>
    public virtual ReadOnlyMemory<byte>? SecondQuestion => null;

    /// <summary>Of a longer answer only its kind is known.</summary>
    public abstract int MaxAnswerBytes { get; }

    /// <summary>Whether the answer is all that comes between the marks, in order, and not the one reply.</summary>
    public virtual bool KeepsAll => false;

    /// <summary>What was asked for, for metrics: one of a few words.</summary>
    public abstract string Command { get; }

    /// <summary>Once judged: how it ended, for metrics.</summary>
    public InterceptionOutcome Outcome { get; protected set; }

    /// <summary>Once judged: behind its reply the session ends, as behind a malformed request.</summary>
    public bool EndsSession { get; protected set; }

    /// <summary>Whether a client in this mode is due a reply; from the first question, which switched replies on.</summary>
    public ReplyMode Mode => _first?.Mode ?? ReplyMode.On;

    /// <summary>Called at the place among the replies. Returns the bytes for the client, or null when a second question must be asked first.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ConcludeAsync(ReplyBarrier barrier, CancellationToken cancellationToken)
    {
        var isFirst = _first is null;
        _first ??= barrier;
        var reply = await JudgeAsync(barrier.Answer, isFirst, cancellationToken).ConfigureAwait(false);
        if (Outcome == InterceptionOutcome.Ok && reply is { IsEmpty: false } bytes && bytes.Span[0] == '-')
        {
            Outcome = InterceptionOutcome.Error;
        }

        return reply is null || Mode == ReplyMode.On ? reply : ReadOnlyMemory<byte>.Empty;
    }

    /// <param name="answer">To the first question, or to the second.</param>
    /// <param name="isFirst">Which.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for the reply any more.</param>
    protected abstract ValueTask<ReadOnlyMemory<byte>?> JudgeAsync(ProbeAnswer answer, bool isFirst, CancellationToken cancellationToken);

    /// <summary>The client's own request as a question.</summary>
    protected static ReadOnlyMemory<byte> Ask(RespRequest request)
    {
        var command = new ArrayBufferWriter<byte>();
        RespWriter.WriteCommand(command, [.. Enumerable.Range(0, request.Count).Select(i => request[i])]);
        return command.WrittenMemory;
    }
}
