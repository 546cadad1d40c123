
using KeyEvt.Proxy.Barrier;
using KeyEvt.Resp.Replies;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>HELLO of a client that hears merged notifications: in which protocol do they reach it from here on? The answer is the client's, unchanged.</summary>
/// <param name="overflow">Ends the session.</param>
internal sealed class HelloAnswer(RespRequest request, NotificationInbox inbox, Action overflow) : Interception
{
    public override string Command => InterceptMetrics.Hello;

    public override ReadOnlyMemory<byte> Question { get; } = Ask(request);

    public override bool KeepsAll => true;

    public override int MaxAnswerBytes => NotificationInbox.MaxBytes;

    protected override ValueTask<ReadOnlyMemory<byte>?> JudgeAsync(ProbeAnswer answer, bool isFirst, CancellationToken cancellationToken)
    {
        if (answer.Bytes.IsEmpty) overflow();
        for (var frames = answer.Bytes.Span; !frames.IsEmpty;)
        {
            // RESP3 answers with a map, RESP2 with an array; in RESP3 no other array comes here, and in RESP2 it changes nothing if it was a message.
            if (frames[0] is (byte)'%' or (byte)'*') inbox.IsResp3 = frames[0] == '%';
            default(RespReplyFramer).TryAdvance(frames, out var length);
            frames = frames[length..];
        }

        return ValueTask.FromResult<ReadOnlyMemory<byte>?>(answer.Bytes);
    }
}
