using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Route;

/// <summary>One Redis, at the address that the user gave.</summary>
internal sealed class FixedRoute(TransportAddress address) : IUpstreamRoute
{
    private readonly UpstreamPlace _place = new(address, CancellationToken.None);

    public string Name { get; } = address.ToString();

    public ValueTask<UpstreamPlace?> FindAsync(IReadOnlyList<UpstreamPlace> failed, CancellationToken cancellationToken) => ValueTask.FromResult(failed.Count == 0 ? _place : null);

    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => ValueTask.FromResult(false);

    public void Lost(UpstreamPlace place)
    {
    }
}
