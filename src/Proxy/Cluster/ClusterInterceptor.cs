using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Session;
using KeyEvt.Resp.Requests;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Cluster;

/// <summary>Through the port of a cluster's node: addresses of nodes become the proxy's, in redirections and in the answers of CLUSTER.</summary>
/// <param name="inner">What the session does besides.</param>
internal sealed class ClusterInterceptor(SessionInterceptor inner, NodeNames names, ILogger logger) : SessionInterceptor
{
    public override CandidateFilter Candidates => new(isNodePort: true);

    public override bool Answers => true;

    public override RedirectFilter ReplyFilter { get; } = new(names, logger);

    public override Interception? InterceptionOf(RespRequest request, RequestKind kind, bool repliesMayBeOff) =>
        kind == RequestKind.NamesNodes ? new ClusterAnswer(request, names) : inner.InterceptionOf(request, kind, repliesMayBeOff);
}
