namespace KeyEvt.Forwarder.Tls;

/// <summary>Which PEM files belong to the TLS of one side? Their options share a prefix, so that texts for people can name the right one.</summary>
/// <param name="Option">The prefix of their options: <c>--tls</c>, <c>--upstream</c> or <c>--amqp</c>.</param>
public sealed record TlsFileNames(string Option)
{
    /// <summary>The only authorities to trust; null to trust those of the system.</summary>
    public string? Ca { get; init; }

    /// <summary>The certificate to show to the other side, followed by its intermediate certificates; null to show none.</summary>
    public string? Certificate { get; init; }

    /// <summary>The private key of <see cref="Certificate"/>, not encrypted.</summary>
    public string? Key { get; init; }

    public bool IsEmpty => Ca is null && Certificate is null && Key is null;
}
