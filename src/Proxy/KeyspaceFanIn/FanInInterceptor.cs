using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Cluster;
using KeyEvt.Proxy.Session;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// For a session with <c>--merge-keyspace</c>: its client hears all masters for the names that it subscribes to. Owns the connections to the other masters.
/// </summary>
internal sealed class FanInInterceptor : SessionInterceptor
{
    private readonly ClusterInterceptor _inner;
    private readonly FanInStream _stream;
    private readonly FanInRequests _requests;

    /// <param name="inner">Decides about all other requests.</param>
    /// <param name="address">Where <paramref name="upstream"/> is.</param>
    public FanInInterceptor(ClusterInterceptor inner, FanInHub hub, ProxySession session, IConnection upstream, TransportAddress address)
    {
        _inner = inner;
        _stream = new FanInStream(hub, address, upstream.Input.CancelPendingRead, EndTooSlow) { Fault = () => session.End(SessionEndReason.Fault) };
        _requests = new FanInRequests(_stream, EndTooSlow);
        ReplyFilter = new FanInReplyFilter(inner.ReplyFilter, _stream);

        // As Redis does with a subscriber that exceeds its client-output-buffer-limit.
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
