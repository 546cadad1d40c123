using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Session;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Intercept;

/// <summary>Answers key_evt_amqp commands. It has no state, so all sessions share one.</summary>
internal sealed class OwnCommandInterceptor(Authorization authorization, ICommandHandler commands) : SessionInterceptor
{
    public override CandidateFilter Candidates => new(isNodePort: false);

    public override bool Answers => true;

    public override Interception? InterceptionOf(RespRequest request, RequestKind kind, bool repliesMayBeOff) =>
        kind == RequestKind.Own ? new OwnCommand(request, authorization, commands) : null;
}
