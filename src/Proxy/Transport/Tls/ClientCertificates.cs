namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>Must clients show a certificate? The values of Redis' tls-auth-clients.</summary>
internal enum ClientCertificates
{
    /// <summary>Clients are not asked for one.</summary>
    No,

    /// <summary>A client may show none, but one that it shows must be valid.</summary>
    Optional,

    /// <summary>A client that shows no valid certificate is refused.</summary>
    Yes,
}
