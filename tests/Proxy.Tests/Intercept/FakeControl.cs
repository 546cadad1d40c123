using KeyEvt.Forwarder;

namespace KeyEvt.Proxy.Tests.Intercept;

/// <summary>An engine that does nothing but remember.</summary>
internal sealed class FakeControl : IForwarderControl
{
    public ForwarderConfig Config { get; set; } = new();

    public ConnectResult ConnectResult { get; set; } = new(0, "");

    public bool IsConnected { get; set; }

    public int Resets { get; private set; }

    public IReadOnlyList<InfoSection> Info { get; set; } = [];

    public Task ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change)
    {
        Config = change(Config);
        return Task.CompletedTask;
    }

    public Task<ConnectResult> ConnectAsync(CancellationToken cancellationToken) => Task.FromResult(ConnectResult);

    public Task<bool> DisconnectAsync() => Task.FromResult(IsConnected);

    public Task ResetAsync()
    {
        Resets++;
        return Task.CompletedTask;
    }

    public IReadOnlyList<InfoSection> GetInfo() => Info;
}
