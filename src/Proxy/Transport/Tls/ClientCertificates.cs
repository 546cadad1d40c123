namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>Must clients show a certificate? The words of Redis' tls-auth-clients.</summary>
internal enum ClientCertificates
{
    /// <summary>They are not asked.</summary>
    No,

    /// <summary>One that is shown must be good.</summary>
    Optional,

    /// <summary>Who shows none, or none that is good, is refused.</summary>
    Yes,
}
