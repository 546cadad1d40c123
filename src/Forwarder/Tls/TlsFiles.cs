namespace KeyEvt.Forwarder.Tls;

/// <summary>Which PEM files make up the TLS of one side? The options that name them begin alike, so texts for people can name the right one.</summary>
/// <param name="Option">What they begin with: <c>--tls</c>, <c>--upstream</c> or <c>--amqp</c>.</param>
public sealed record TlsFiles(string Option)
{
    /// <summary>The only authorities to trust; null: those of the system.</summary>
    public string? Ca { get; init; }

    /// <summary>What to show to the other side, with the intermediate certificates behind it; null: nothing.</summary>
    public string? Certificate { get; init; }

    /// <summary>The private key of <see cref="Certificate"/>, not encrypted.</summary>
    public string? Key { get; init; }

    public bool IsEmpty => Ca is null && Certificate is null && Key is null;
}
