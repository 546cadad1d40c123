namespace KeyEvt.Proxy.Session;

/// <summary>How much has passed through one session, or through all of them?</summary>
/// <param name="ToUpstream">Bytes of the client's requests.</param>
/// <param name="ToClient">Bytes of replies and messages, with those that the proxy has inserted.</param>
/// <param name="Requests">Requests that went upstream.</param>
internal readonly record struct SessionTraffic(long ToUpstream, long ToClient, long Requests)
{
    public static SessionTraffic operator +(SessionTraffic a, SessionTraffic b) => new(a.ToUpstream + b.ToUpstream, a.ToClient + b.ToClient, a.Requests + b.Requests);
}
