using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// What of one session does the proxy answer or change itself? Whoever opens sessions gives each one its interceptor, and it is all that the session knows: the
/// session knows neither key_evt_amqp commands, nor clusters, nor merged notifications. This base class changes nothing. Called by the session's pumps.
/// </summary>
internal class SessionInterceptor : IAsyncDisposable
{
    /// <summary>Passes everything on.</summary>
    public static readonly SessionInterceptor None = new();

    /// <summary>Which requests the session must hold whole, and then ask <see cref="InterceptionOf"/> about.</summary>
    public virtual CandidateFilter Candidates => default;

    /// <summary>Whether this interceptor ever answers a request. If not, nobody needs to know how the upstream names an unknown command.</summary>
    public virtual bool Answers => false;

    /// <summary>The filter that all replies go through. Null: replies are not looked at, which costs nothing.</summary>
    public virtual IReplyFilter? ReplyFilter => null;

    /// <summary>Frames that go to the client between replies. Null: this session never has any.</summary>
    public virtual IInsertedFrames? Inserted => null;

    /// <summary>Called for every request that is a candidate, in the client's order, before it goes upstream.</summary>
    /// <param name="kind">What the request is by its name and arguments.</param>
    /// <param name="repliesMayBeOff">The client has used CLIENT REPLY OFF or SKIP.</param>
    /// <returns>Null: the request goes upstream as it is.</returns>
    public virtual Interception? InterceptionOf(RespRequest request, RequestKind kind, bool repliesMayBeOff) => null;

    /// <summary>Called when a candidate was too large to be looked at, and goes upstream as it is.</summary>
    public virtual void PassesTooLarge()
    {
    }

    /// <summary>Called at the session's end, perhaps more than once.</summary>
    public virtual ValueTask DisposeAsync() => default;
}

/// <summary>Makes the interceptor of one session, once that is connected.</summary>
/// <param name="session">The session, so that the interceptor can end it.</param>
/// <param name="client">The session's connection to its client.</param>
/// <param name="upstream">The session's connection to its upstream.</param>
/// <param name="address">Where the upstream is.</param>
internal delegate SessionInterceptor OpenInterceptor(ProxySession session, IConnection client, IConnection upstream, TransportAddress address);
