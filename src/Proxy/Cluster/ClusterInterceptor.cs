using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Session;
using KeyEvt.Resp.Requests;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Cluster;

/// <summary>
/// For sessions through the port that leads to a node: replaces addresses of nodes by the proxy's, in redirections and in answers to CLUSTER commands.
/// </summary>
/// <param name="inner">Decides about all other requests.</param>
internal sealed class ClusterInterceptor(SessionInterceptor inner, NodeNames names, ILogger logger) : SessionInterceptor
{
    public override CandidateFilter Candidates => new(isNodePort: true);

    public override bool Answers => true;

    public override RedirectFilter ReplyFilter { get; } = new(names, logger);

    public override Interception? InterceptionOf(RespRequest request, RequestKind kind, bool repliesMayBeOff) =>
        kind == RequestKind.NamesNodes ? new ClusterAnswer(request, names) : inner.InterceptionOf(request, kind, repliesMayBeOff);
}
