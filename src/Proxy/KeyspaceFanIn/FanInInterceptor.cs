using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Cluster;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>One session with <c>--merge-keyspace</c>: what it subscribes to is heard from all masters. Owns the connections to the others.</summary>
internal sealed class FanInInterceptor : SessionInterceptor
{
    private readonly ClusterInterceptor _inner;
    private readonly FanInStream _stream;
    private readonly FanInRequests _requests;

    /// <param name="inner">What the session does besides.</param>
    /// <param name="address">Where <paramref name="upstream"/> is.</param>
    public FanInInterceptor(ClusterInterceptor inner, FanInHub hub, ProxySession session, IConnection upstream, TransportAddress address)
    {
        _inner = inner;
        _stream = new FanInStream(hub, address, upstream.Input.CancelPendingRead, EndTooSlow) { Fault = () => session.End(SessionEndReason.Fault) };
        _requests = new FanInRequests(_stream, EndTooSlow);
        ReplyFilter = new FanInReplyFilter(inner.ReplyFilter, _stream);

        // As Redis does with a subscriber beyond its client-output-buffer-limit.
        void EndTooSlow()
        {
            if (session.EndReason == SessionEndReason.None) hub.SubscriberWasCut(session.Id);
            session.End(SessionEndReason.SubscriberTooSlow);
        }
    }

    public override CandidateFilter Candidates => new(isNodePort: true, isMerging: true);

    public override bool Answers => true;

    public override IReplyFilter ReplyFilter { get; }

    public override IInsertedFrames Inserted => _stream.Inbox;

    public override Interception? InterceptionOf(RespRequest request, RequestKind kind, bool repliesMayBeOff) =>
        _requests.InterceptionOf(request, repliesMayBeOff) ?? _inner.InterceptionOf(request, kind, repliesMayBeOff);

    public override void PassesTooLarge() => _requests.TooLarge();

    public override async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
