namespace KeyEvt.Proxy.Transport;

/// <summary>What carries the sessions?</summary>
internal sealed record TransportOptions
{
    public TransportKind Kind { get; init; }

    /// <summary>How many threads the epoll transport has.</summary>
    public int Loops { get; init; } = 1;
}
