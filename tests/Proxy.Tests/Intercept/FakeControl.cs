using KeyEvt.Forwarder;

namespace KeyEvt.Proxy.Tests.Intercept;

/// <summary>An engine that does nothing but remember.</summary>
internal sealed class FakeControl : IForwarderControl
{
    public ForwarderConfig Config { get; set; } = new();

    public string? Refusal { get; set; }

    public ConnectResult ConnectResult { get; set; } = new(0, "");

    public bool IsConnected { get; set; }

    public int Resets { get; private set; }

    public IReadOnlyList<InfoSection> Info { get; set; } = [];

    public string? Configure(Func<ForwarderConfig, ForwarderConfig> change)
    {
        if (Refusal is null) Config = change(Config);
        return Refusal;
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
