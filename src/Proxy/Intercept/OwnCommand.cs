using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Text;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Intercept;

/// <summary>
/// A key_evt_amqp command: may it run, and what does it reply? Redis refuses large requests of clients that have not logged in. If this request is one, the
/// session ends with Redis' words. Only Redis knows whether the client has logged in; its answer to the question tells.
/// </summary>
internal sealed class OwnCommand(RespRequest request, Authorization authorization, ICommandHandler commands) : Interception
{
    private readonly RightQuestion _right = RightQuestion.For(CommandTable.RightFor(request));

    public override string Command { get; } = CommandTable.LabelOf(request);

    /// <summary>All values that <see cref="Command"/> can have.</summary>
    public static IReadOnlyList<string> MetricLabels { get; } = [.. CommandTable.All.Select(entry => entry.Name), "module_load", "module_unload", "unknown"];

    public override ReadOnlyMemory<byte> Question => _right.Request;

    public override ReadOnlyMemory<byte>? SecondQuestion => authorization.MayAskUser ? Authorization.UserQuestion : (ReadOnlyMemory<byte>?)null; // without the cast, null would become an empty question

    /// <summary>Enough for an error line or a user's name.</summary>
    public override int MaxAnswerBytes => 1024;

    protected override async ValueTask<ReadOnlyMemory<byte>?> JudgeAsync(ProbeAnswer answer, bool isFirst, CancellationToken cancellationToken)
    {
        if (answer.Kind == FrameKind.Error && answer.Bytes.Span.StartsWith("-NOAUTH "u8) && UnauthenticatedLimits.RefusalOf(request) is { } refusal)
        {
            (EndsSession, Outcome) = (true, InterceptionOutcome.Refused);
            return Replies.Error($"ERR {refusal}");
        }

        var verdict = isFirst ? authorization.JudgeRight(_right, answer) : authorization.JudgeUser(answer);
        if (verdict.AskUser) return null;
        if (!verdict.IsAllowed) Outcome = InterceptionOutcome.Refused;
        return verdict.IsAllowed ? await commands.ExecuteAsync(request, cancellationToken).ConfigureAwait(false) : verdict.Refusal;
    }
}
