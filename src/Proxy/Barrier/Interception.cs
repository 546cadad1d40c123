using System.Buffers;
using KeyEvt.Resp;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// What is the upstream asked in place of one intercepted request, and what does the client get? One object for each request that the proxy answers itself.
/// </summary>
internal abstract class Interception
{
    /// <summary>
    /// Set by the reply pump, as <see cref="Outcome"/> and <see cref="EndsSession"/> are. The request pump reads <see cref="EndsSession"/> and
    /// <see cref="Mode"/> only after <see cref="ReplyBarrier.End"/>.
    /// </summary>
    private ReplyBarrier? _first;

    /// <summary>Sent upstream in the request's place, between two marks.</summary>
    public abstract ReadOnlyMemory<byte> Question { get; }

    /// <summary>Sent when the answer to the first question does not decide. Null: there is never a second question.</summary>
    public virtual ReadOnlyMemory<byte>? SecondQuestion => null;

    /// <summary>How long an answer may be. Of a longer one only its kind is known.</summary>
    public abstract int MaxAnswerBytes { get; }

    /// <summary>Whether the answer consists of everything that comes between the marks, in order. If not, it is the one reply.</summary>
    public virtual bool KeepsAll => false;

    /// <summary>What the client asked for, as a metric label: one of a few words.</summary>
    public abstract string Command { get; }

    /// <summary>How it ended, for metrics. Valid once judged.</summary>
    public InterceptionOutcome Outcome { get; protected set; }

    /// <summary>The session ends behind the reply, as it does behind a malformed request. Valid once judged.</summary>
    public bool EndsSession { get; protected set; }

    /// <summary>Whether the client is due a reply, by its CLIENT REPLY mode. Known from the first question, which also switched replies on.</summary>
    public ClientReplyMode Mode => _first?.Mode ?? ClientReplyMode.On;

    /// <summary>
    /// Called at the request's place among the replies. Returns the bytes for the client, or null when the second question must be asked first.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ConcludeAsync(ReplyBarrier barrier, CancellationToken cancellationToken)
    {
        var isFirst = _first is null;
        _first ??= barrier;
        var reply = await JudgeAsync(barrier.Answer, isFirst, cancellationToken).ConfigureAwait(false);
        if (Outcome == InterceptionOutcome.Ok && reply is { IsEmpty: false } bytes && bytes.Span[0] == '-')
        {
            Outcome = InterceptionOutcome.Error;
        }

        return reply is null || Mode == ClientReplyMode.On ? reply : ReadOnlyMemory<byte>.Empty;
    }

    /// <param name="answer">The answer to the first question, or to the second.</param>
    /// <param name="isFirst">Which of the two.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for the reply any more.</param>
    protected abstract ValueTask<ReadOnlyMemory<byte>?> JudgeAsync(ProbeAnswer answer, bool isFirst, CancellationToken cancellationToken);

    /// <summary>The client's own request, to be sent as the question.</summary>
    protected static ReadOnlyMemory<byte> Ask(RespRequest request)
    {
        var command = new ArrayBufferWriter<byte>();
        RespWriter.WriteCommand(command, [.. Enumerable.Range(0, request.Count).Select(i => request[i])]);
        return command.WrittenMemory;
    }
}
