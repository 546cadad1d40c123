using KeyEvt.Proxy.Barrier;
using KeyEvt.Resp.Replies;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// HELLO of a client that hears merged notifications: in which protocol do they go to it from here on? The client gets the node's answer unchanged.
/// </summary>
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
            // The answer is a map in RESP3, an array in RESP2. In RESP3 no other array comes here. In RESP2 an array may also be a message, which gives the
            // same result.
            if (frames[0] is (byte)'%' or (byte)'*') inbox.IsResp3 = frames[0] == '%';
            default(RespReplyFramer).TryAdvance(frames, out var length);
            frames = frames[length..];
        }

        return ValueTask.FromResult<ReadOnlyMemory<byte>?>(answer.Bytes);
    }
}
