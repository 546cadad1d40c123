using KeyEvt.Proxy.Intercept;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Session;

/// <summary>One intercepted command on its way: may it run, and what does the client get?</summary>
internal sealed class Interception(RespRequest request, Authorization authorization, ICommandHandler commands)
{
    private ReplyBarrier? _first;

    /// <summary>Whether a client in this mode is due a reply; from the first question, which switched replies on.</summary>
    public ReplyMode Mode => _first?.Mode ?? ReplyMode.On;

    /// <summary>
    /// Called at the command's place among the replies: runs it if the upstream's answer allows that. Returns the bytes for the client, or null when the
    /// second question must be asked first.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ConcludeAsync(ReplyBarrier barrier, CancellationToken cancellationToken)
    {
        var verdict = _first is null ? authorization.JudgeConfig(barrier.Answer) : authorization.JudgeUser(barrier.Answer);
        _first ??= barrier;
        if (verdict.AskUser) return null;
        var reply = verdict.IsAllowed ? await commands.ExecuteAsync(request, cancellationToken).ConfigureAwait(false) : verdict.Refusal;
        return Mode == ReplyMode.On ? reply : ReadOnlyMemory<byte>.Empty;
    }
}
