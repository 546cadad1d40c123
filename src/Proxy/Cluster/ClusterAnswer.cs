using System.Text;
using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Text;
using KeyEvt.Resp;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Cluster;

/// <summary>
/// A CLUSTER command through the port that leads to a node: the node itself answers it, and the client gets the answer with the proxy's addresses in place of
/// the nodes'.
/// </summary>
internal sealed class ClusterAnswer(RespRequest request, NodeNames names) : Interception
{
    private static readonly ReadOnlyMemory<byte> InMulti = Replies.Error("ERR keyevt: CLUSTER commands that name nodes are not answered inside MULTI through the port of a cluster's node");
    private static readonly ReadOnlyMemory<byte> NotUnderstood = Replies.Error("ERR keyevt: the node's answer is none that KeyEvt understands");

    private readonly ClusterQuestion _kind = ClusterQuestions.Of(request) ?? throw new ArgumentException("not such a command", nameof(request));

    public override string Command => InterceptMetrics.Cluster;

    public override ReadOnlyMemory<byte> Question { get; } = Ask(request);

    /// <summary>Enough for thousands of nodes: about 200 bytes a node, and 30 bytes a range of slots.</summary>
    public override int MaxAnswerBytes => 4 * 1024 * 1024;

    protected override async ValueTask<ReadOnlyMemory<byte>?> JudgeAsync(ProbeAnswer answer, bool isFirst, CancellationToken cancellationToken)
    {
        if (answer.Kind == FrameKind.Queued) return InMulti; // the first mark, an unknown command, has already made EXEC abort
        if (answer.Bytes.IsEmpty) return Replies.Error($"ERR keyevt: the answer is larger than {MaxAnswerBytes} bytes");
        if (answer.Kind == FrameKind.Error) return answer.Bytes;
        try
        {
            var plan = names.Translator.Ports;
            var reply = ClusterReplyRewriter.Rewrite(_kind, answer.Bytes.Span, plan, names.Host, out var unknown);
            if (unknown is null) return reply;

            // The node is new, and the proxy is just learning of it.
            await names.Translator.AwaitAsync(now => now.PortOf(Encoding.ASCII.GetBytes(unknown)) is not null, $"node {unknown} is new", cancellationToken).ConfigureAwait(false);
            return ClusterReplyRewriter.Rewrite(_kind, answer.Bytes.Span, names.Translator.Ports, names.Host, out _);
        }
        catch (RespProtocolException)
        {
            return NotUnderstood;
        }
    }
}
