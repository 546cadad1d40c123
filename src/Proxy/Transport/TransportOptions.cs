namespace KeyEvt.Proxy.Transport;

/// <summary>What carries the sessions?</summary>
internal sealed record TransportOptions
{
    public TransportKind Kind { get; init; }

    /// <summary>Threads of the epoll transport.</summary>
    public int Loops { get; init; } = 1;
}
