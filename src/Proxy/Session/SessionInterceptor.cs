using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.Session;

/// <summary>
/// What of one session does the proxy answer or change itself? A session is given it by whoever opens sessions, and asks nothing else: it knows neither the proxy's own
/// commands, nor clusters, nor merged notifications. This one changes nothing. Used by the session's pumps.
/// </summary>
internal class SessionInterceptor : IAsyncDisposable
{
    /// <summary>Passes everything on.</summary>
    public static readonly SessionInterceptor None = new();

    /// <summary>Which requests the session must see whole.</summary>
    public virtual CandidateFilter Candidates => default;

    /// <summary>Whether anything is ever answered. If not, nobody needs to know how the upstream names an unknown command.</summary>
    public virtual bool Answers => false;

    /// <summary>What the replies go through. Null: they are not looked at, which costs nothing.</summary>
    public virtual IReplyFilter? ReplyFilter => null;

    /// <summary>What goes to the client between replies. Null: nothing ever does.</summary>
    public virtual IInsertedFrames? Inserted => null;

    /// <summary>Asked about every request that is a candidate, in the client's order, before it goes upstream.</summary>
    /// <param name="kind">What the request is by its name and arguments.</param>
    /// <param name="repliesMayBeOff">The client has used CLIENT REPLY OFF or SKIP.</param>
    /// <returns>Null: it goes upstream as it is.</returns>
    public virtual Interception? InterceptionOf(RespRequest request, RequestKind kind, bool repliesMayBeOff) => null;

    /// <summary>A candidate was too large to be looked at, and goes upstream as it is.</summary>
    public virtual void PassesTooLarge()
    {
    }

    /// <summary>At the session's end. May be called more than once.</summary>
    public virtual ValueTask DisposeAsync() => default;
}

/// <summary>Makes what one session is given, once it is connected.</summary>
/// <param name="session">For ending it.</param>
/// <param name="client">The session's.</param>
/// <param name="upstream">The session's.</param>
/// <param name="address">Where the upstream is.</param>
internal delegate SessionInterceptor OpenInterceptor(ProxySession session, IConnection client, IConnection upstream, TransportAddress address);
