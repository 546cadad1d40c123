using System.Buffers;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Resp.Replies;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// (P)SUBSCRIBE to keyspace notifications. The client's own node answers it, and so decides whether this client may hear them. For the names that it confirms,
/// the other masters are subscribed to as well. Only what lies between the marks proves a confirmation: anybody may PUBLISH, and a script may return, something
/// that looks like one. Once the other masters are heard, the client gets everything between the marks, unchanged and in order; but see
/// <see cref="FanInStream.LeavesOwnOut"/>.
/// </summary>
/// <param name="overflow">Ends the session.</param>
internal sealed class SubscribeAnswer(RespRequest request, FanInStream stream, Action overflow) : Interception
{
    public override string Command => InterceptMetrics.Subscribe;

    public override ReadOnlyMemory<byte> Question { get; } = Ask(request);

    public override bool KeepsAll => true;

    public override int MaxAnswerBytes => NotificationInbox.MaxBytes;

    protected override async ValueTask<ReadOnlyMemory<byte>?> JudgeAsync(ProbeAnswer answer, bool isFirst, CancellationToken cancellationToken)
    {
        if (answer.Bytes.IsEmpty) overflow();
        var forClient = new ArrayBufferWriter<byte>(Math.Max(1, answer.Bytes.Length));
        var confirmed = Read(answer.Bytes.Span, forClient);
        if (confirmed.Count > 0) await stream.AddAsync(confirmed, cancellationToken).ConfigureAwait(false);
        return forClient.WrittenMemory;
    }

    private List<FanInName> Read(ReadOnlySpan<byte> frames, ArrayBufferWriter<byte> forClient)
    {
        List<FanInName> confirmed = [];
        while (!frames.IsEmpty)
        {
            default(RespReplyFramer).TryAdvance(frames, out var length);
            var frame = frames[..length];
            var said = PubSubFrame.Read(frame);
            frames = frames[length..];
            if (said.IsMessage && stream.LeavesOwnOut && stream.Names.Find(said.IsPattern, said.Name) is not null) continue;
            forClient.Write(frame);
            if (!said.IsConfirmation || !KeyspaceNames.IsOne(said.Name)) continue;
            stream.Inbox.IsResp3 = frame[0] == '>';
            confirmed.Add(new FanInName(said.IsPattern, said.Name.ToArray()));
        }

        return confirmed;
    }
}
