using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Config;

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

    public Task<ConnectResult?> ConnectAsync(Func<ForwarderConfig, ForwarderConfig?> change, CancellationToken cancellationToken)
    {
        var next = change(Config);
        Config = next ?? Config;
        return Task.FromResult(next is null ? default(ConnectResult?) : ConnectResult);
    }

    public Task<bool> DisconnectAsync() => Task.FromResult(IsConnected);

    public Task ResetAsync()
    {
        Resets++;
        return Task.CompletedTask;
    }

    public IReadOnlyList<InfoSection> GetInfo() => Info;
}
