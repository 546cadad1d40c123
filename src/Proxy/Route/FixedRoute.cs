using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Route;

/// <summary>One Redis, at the address that the user gave.</summary>
internal sealed class FixedRoute(TransportAddress address) : IUpstreamRoute
{
    private readonly UpstreamPlace _place = new(address, CancellationToken.None);

    public string Name { get; } = address.ToString();

    public bool MayMove => false;

    public ValueTask<UpstreamPlace> FindAsync(UpstreamPlace? not, CancellationToken cancellationToken) => ValueTask.FromResult(_place);

    public void Lost(UpstreamPlace place)
    {
    }
}
